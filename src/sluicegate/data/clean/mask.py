"""What looks like a person's data or a secret is replaced by its kind: `<EMAIL>`, `<PHONE>`, …"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from ipaddress import ip_address
from typing import ClassVar, Literal

from pydantic import Field

from sluicegate.data.clean.base import Cleaner

Pii = Literal["email", "phone", "id_card", "ip", "key"]
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_FORMS: dict[str, re.Pattern[str]] = {
    "key": re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----"
        r"|\b(?:sk-[\w-]{20,}|AKIA[0-9A-Z]{16}|gh[opsu]_\w{36,}|hf_[A-Za-z]{30,}|AIza[\w-]{35}|xox[abprs]-[\w-]{10,}"
        r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})",
        re.ASCII,
    ),
    "email": re.compile(r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}"),
    "id_card": re.compile(r"(?<![0-9A-Za-z])[1-9]\d{16}[0-9Xx](?![0-9A-Za-z])"),
    "ip": re.compile(
        r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{1,4})(?![\w.:]*\w)", re.ASCII
    ),
    "phone": re.compile(
        r"(?<![\w.+-])(?:"
        r"(?:\+?86[- ]?)?1[3-9]\d(?:\d{8}|[- ]\d{4}[- ]\d{4})"  # a Chinese mobile
        r"|0\d{2,3}-\d{7,8}"  # a Chinese landline
        r"|\+[1-9](?:\d{9,13}|\d{0,2}(?:[ -]\(?\d{2,4}\)?){2,4})"  # international
        r"|(?:\(\d{3}\) ?|\d{3}-)\d{3}-\d{4}"  # North American
        r")(?![\w-]|\.\d)",
        re.ASCII,  # so that Chinese may stand before and behind
    ),
}
"""In this order: a key may hold what looks like a number, an identity card what looks like a telephone's."""


class Mask(Cleaner):
    """Masks by shape alone: it misses names and addresses, and a long number may look like a telephone's."""

    name = "mask"
    order = 30

    class Config(Cleaner.Config):
        short: ClassVar[str] = "kinds"
        kinds: list[Pii] = Field(default=["key", "email", "id_card", "ip", "phone"], min_length=1)
        """What is masked. An identity card's number has to be a valid one, and an address
        of the internet one that the whole world can reach."""

    def text(self, text: str) -> str:
        """The text, masked."""
        for kind in _FORMS:
            if kind in self.config.kinds:
                text = _FORMS[kind].sub(self._replace(kind), text)
        return text

    def _replace(self, kind: str) -> Callable[[re.Match[str]], str]:
        def replaced(found: re.Match[str]) -> str:
            if not _VALID.get(kind, bool)(found[0]):
                return found[0]
            self.counts[f"{kind} masked"] += 1
            return f"<{kind.upper()}>"

        return replaced


def is_id_card(number: str) -> bool:
    """Whether 18 characters are a Chinese identity number: a day of birth, and the check digit of GB 11643."""
    try:
        date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def _is_ip(text: str) -> bool:
    try:
        return ip_address(text).is_global
    except ValueError:
        return False


_VALID: dict[str, Callable[[str], bool]] = {"id_card": is_id_card, "ip": _is_ip}
