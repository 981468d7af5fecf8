"""What the verbs share that let a model speak: the model's name and how its replies are written."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate.errors import MissingError
from sluicegate.models.sampling import Sampling
from sluicegate.verbs.find import add_out

if TYPE_CHECKING:
    from sluicegate.models.load import Loaded


def add_reply_options(parser: argparse.ArgumentParser) -> None:
    """The model, a system prompt, and an option for every key of `Sampling`."""
    parser.add_argument("model", help="a folder, adapter, artifact or step, or a hub name")
    parser.add_argument("--system", metavar="TEXT", help="what the model is told before the conversation")
    for name, info in Sampling.model_fields.items():
        listed, default = isinstance(info.default, list), f" (default: {info.default})" if info.default else ""
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            action="append" if listed else "store",
            metavar="TEXT" if listed else "N",
            help=f"{(info.description or '').replace('%', '%%')}{default}",
        )
    parser.add_argument("--dtype", default="auto", help="of the weights (default: as the device likes)")
    add_out(parser)


def asked_sampling(args: argparse.Namespace) -> Sampling:
    """How replies are written, as the options say; `ConfigError` where one is no such thing."""
    from sluicegate.config import build

    return build(
        Sampling, {name: given for name in Sampling.model_fields if (given := getattr(args, name)) is not None}
    )


def open_model(args: argparse.Namespace) -> Loaded:
    """The model the user names; one of the hub is fetched."""
    from sluicegate.models.load import load
    from sluicegate.verbs.compare import folder_of

    try:
        at: Any = folder_of(args.model, args.out)
    except MissingError:
        at = args.model
    return load(at, dtype=args.dtype, name=Path(args.model).name)
