"""`sluice compare`: which weights differ between two models, checkpoints, gates or adapters."""

from __future__ import annotations

import argparse
from pathlib import Path

from sluicegate.errors import CheckFailed, MissingError
from sluicegate.models.weight_names import GROUPS
from sluicegate.verbs.base import Verb
from sluicegate.verbs.find import add_out, find


class Compare(Verb):
    """Streams both from disk, a tensor at a time. What differs is no error, unless something else was expected."""

    name = "compare"
    help = "which weights differ between two models or checkpoints"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        what = "a folder, an artifact, a step, or a hub name that was fetched"
        parser.add_argument("a", help=what)
        parser.add_argument("b", help=what)
        parser.add_argument("--only", choices=GROUPS, action="append", help="look at these weights alone")
        expected = "exit 4 where any other weights differ"
        parser.add_argument("--expect", choices=GROUPS, action="append", help=expected)
        parser.add_argument("--tensors", action="store_true", help="name every weight that differs")
        parser.add_argument("--html", type=Path, help="write a page with a heat map there")
        add_out(parser)

    def do(self, args: argparse.Namespace) -> None:
        from rich.console import Console

        from sluicegate.models.weights import compare_weights
        from sluicegate.reporting.difference import difference_table, label, named, page, sentence

        found = list(compare_weights(folder_of(args.a, args.out), folder_of(args.b, args.out), args.only))
        differing = [c for c in found if c.verdict != "equal"]
        print(f"{sentence(found)} ({len(differing):,} of {len(found):,} weights)")
        if differing:
            Console().print(difference_table(found))
        for c in differing if args.tensors else []:
            print(f"{c.name}  {c.verdict}  {label([c])}  at most {c.largest:.2g}")
        if args.html:
            args.html.write_text(page(found, args.a, args.b), encoding="utf-8")
            print(args.html)
        others = [c for c in differing if c.group not in (args.expect or GROUPS)]
        if others:
            expected = " and ".join(args.expect)
            hint = f"the first is {others[0].name}; sluice compare --tensors names them all"
            raise CheckFailed(f"{named(others)} differ, where only {expected} may", hint)


def folder_of(name: str, out: Path | None) -> Path:
    """The folder a user means: that very folder, a hub snapshot that was fetched before, or an artifact's.

    Raises:
        MissingError: a hub name whose snapshot is not on this machine.
        ArtifactError: nothing of that name.
    """
    if Path(name).is_dir():
        return Path(name)
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        return find(name, out).path
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except LocalEntryNotFoundError as err:
        raise MissingError(f"no folder {name}, and no such model was fetched", f"hf download {name}") from err
