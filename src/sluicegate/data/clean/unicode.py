"""One spelling per character: NFC, which every row has already, or NFKC, which folds full-width letters too."""

from __future__ import annotations

import re
import unicodedata
from typing import ClassVar, Literal

from sluicegate.data.clean.base import Cleaner
from sluicegate.data.normalize import normalize

_JOINERS = re.compile("[\u200c\u200d]")


class Unicode(Cleaner):
    """`nfkc` makes `Ａ１` to `A1`, but `x²` to `x2` and `，` to `,` as well: see `data/normalize.py`."""

    name = "unicode"
    order = 20

    class Config(Cleaner.Config):
        short: ClassVar[str] = "form"
        form: Literal["nfc", "nfkc"] = "nfc"
        """`nfkc` also folds what only looks different: full-width letters, ligatures, superscripts, circled numbers."""
        joiners: bool = True
        """Keep zero-width joiners: emoji, Persian and the Indic scripts mean something by them."""

    def text(self, text: str) -> str:
        """The text in its form."""
        if not self.config.joiners:
            text = _JOINERS.sub("", text)
        return normalize(unicodedata.normalize("NFKC", text)) if self.config.form == "nfkc" else normalize(text)
