"""What the verbs share that let a model speak: the model's name and how its replies are written."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate.errors import MissingError
from sluicegate.verbs.find import add_out

if TYPE_CHECKING:
    from sluicegate.models.load import Loaded
    from sluicegate.models.sampling import Sampling

KEYS = "temperature, top_k, top_p, repetition_penalty, max_new_tokens, stop and seed"
"""Those of `Sampling`, for a help page that imports nothing; a test holds them equal."""
_SETTING = re.compile(r"[A-Za-z_]+=\S*")


def add_reply_options(parser: argparse.ArgumentParser, meaning: str) -> None:
    """The model, a system prompt, and words of some meaning, among which `key=value` says how replies are written."""
    parser.add_argument("model", help="a folder, adapter, artifact or step, or a hub name")
    parser.add_argument("words", nargs="*", help=f"{meaning}; as key=value how replies are written: {KEYS}")
    parser.add_argument("--system", metavar="TEXT", help="what the model is told before the conversation")
    parser.add_argument("--dtype", default="auto", help="of the weights (default: as the device likes)")
    add_out(parser)


def told_apart(words: Sequence[str]) -> tuple[list[str], Sampling]:
    """Words of the command line that are texts, and what the others, `key=value`, say of how replies are written.

    Raises:
        ConfigError: there is no such key, or no such value for it.
    """
    from sluicegate.config import build, parse_overrides
    from sluicegate.models.sampling import Sampling

    settings = [word for word in words if _SETTING.fullmatch(word)]
    return [word for word in words if word not in settings], build(Sampling, parse_overrides(settings))


def open_model(args: argparse.Namespace) -> Loaded:
    """The model the user names; one of the hub is fetched."""
    from sluicegate.models.load import load
    from sluicegate.verbs.compare import folder_of

    try:
        at: Any = folder_of(args.model, args.out)
    except MissingError:
        at = args.model
    return load(at, dtype=args.dtype, name=Path(args.model).name)
