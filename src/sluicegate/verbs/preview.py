"""`sluice preview`: rows as a model will see them."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluicegate.artifacts import MANIFEST
from sluicegate.errors import ArtifactError, ConfigError, DataError
from sluicegate.verbs.base import Verb
from sluicegate.verbs.find import add_out, find

if TYPE_CHECKING:
    from sluicegate.reporting.preview import View

HEAD_ROWS = 256
"""Rows of a raw file that are looked at to tell conversations from pairs."""


class Preview(Verb):
    """A few rows of a table or of a raw file, on the terminal and as a page."""

    name = "preview"
    help = "rows as a model will see them: its chat template applied, the tokens a loss sees in colour"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("data", help="a step, id or folder of messages or pairs, or a raw file, folder or glob")
        parser.add_argument("--model", help="a folder, step or hub name; without one rows are shown turn by turn")
        parser.add_argument("--max-length", type=int, default=2048, help="tokens that are read (default: 2048)")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--id", help="the row of this id, or of this beginning of one")
        which.add_argument("--seed", type=int, help="rows drawn at random (default: the first)")
        parser.add_argument("--rows", type=int, default=3, metavar="N", help="how many (default: 3)")
        parser.add_argument("--html", type=Path, metavar="FILE", help="write a page here too")
        add_out(parser)

    def do(self, args: argparse.Namespace) -> None:
        if args.rows < 1:
            raise ConfigError(f"{args.rows} rows are none", "ask for --rows 3")
        views = _views(_chosen(_rows(args.data, args.out), args), args)
        _print(views)
        if args.html:
            from sluicegate.reporting.preview_page import preview_page

            args.html.parent.mkdir(parents=True, exist_ok=True)
            args.html.write_text(preview_page(views, args.data, args.model or ""), encoding="utf-8")
            print(f"\n{args.html}")


def _rows(name: str, out: Path | None) -> Iterator[Any]:
    """Records or pairs of an artifact or of raw files, streamed; a name with the ending of a file means one."""
    from sluicegate.data.readers import stem

    path = Path(name)
    if stem(path) != path.name or (path.exists() and not (path / MANIFEST).is_file()):
        return _raw(path)
    found = find(name, out)
    if found.kind not in ("messages", "pairs"):
        raise ArtifactError(f"{found.id} holds no rows to preview", "name messages, pairs or a raw file")
    return found.rows(found.kind)


def _raw(path: Path) -> Iterator[Any]:
    """The rows of a raw file that can be read: as pairs, if more of its first rows can be read so."""
    from sluicegate.data.sources import Source

    source = Source.model_validate({"path": path})
    heads = {make: list(islice(_candidates(source, make), HEAD_ROWS)) for make in ("messages", "pairs")}
    make = max(heads, key=lambda make: sum(c.record is not None for c in heads[make]))
    if not any(c.record for c in heads[make]):
        first = heads[make][0]
        hint = "sluice prepare --dry-run tells how every source is read"
        raise DataError(f"{first.place}: {first.reason}; none of the first {HEAD_ROWS} rows can be read", hint)
    return (c.record for c in _candidates(source, make) if c.record)


def _candidates(source: Any, make: Any) -> Iterator[Any]:
    return (c for parcel in source.parcels(make, max_chars=sys.maxsize) for c in parcel.candidates())


def _chosen(rows: Iterator[Any], args: argparse.Namespace) -> list[Any]:
    """The rows asked for."""
    if args.id is not None:
        return [_named(rows, args.id, args.data)]
    chosen = _drawn(rows, args.rows, args.seed) if args.seed is not None else list(islice(rows, args.rows))
    if not chosen:
        raise DataError(f"{args.data} has no rows", "look at its card.md for what became of them")
    return chosen


def _named(rows: Iterable[Any], name: str, data: str) -> Any:
    found = [row for row in rows if row["id"].startswith(name)]
    exact = [row for row in found if row["id"] == name] or found
    if not exact:
        raise DataError(f"no row '{name}' in {data}", "without --id the first rows are shown, with their ids")
    if len({row["id"] for row in exact}) > 1:
        named = ", ".join(row["id"] for row in exact[:5])
        raise DataError(f"{len(exact)} rows of {data} begin with '{name}'", f"some are {named}")
    return exact[0]


def _drawn(rows: Iterable[Any], n: int, seed: int) -> list[Any]:
    """Any n rows, each as likely as any other, in one pass (reservoir sampling, Vitter 1985)."""
    rng, drawn = random.Random(seed), []
    for seen, row in enumerate(rows):
        if seen < n:
            drawn.append(row)
        elif (place := rng.randrange(seen + 1)) < n:
            drawn[place] = row
    return drawn


def _views(rows: list[Any], args: argparse.Namespace) -> list[View]:
    from sluicegate.reporting.preview import ENDLESS, plain_view, token_view

    if not args.model:
        return [plain_view(row) for row in rows]
    from sluicegate.models.encode import Encoder
    from sluicegate.models.load import load_encoder
    from sluicegate.verbs.compare import folder_of

    reader = load_encoder(folder_of(args.model, args.out), args.max_length)
    encoder = Encoder(reader.tokenizer, ENDLESS)
    return [token_view(row, encoder, reader.max_length) for row in rows]


def _print(views: list[View]) -> None:
    from rich.console import Console
    from rich.rule import Rule

    from sluicegate.reporting.preview_text import preview_text

    console = Console(highlight=False)
    colours = console.color_system is not None and not console.no_color
    for n, view in enumerate(views):
        if n:
            console.print(Rule())
        console.print(preview_text(view, colours))
