"""Every row of every published file ends in the output, or among the dropped with a reason: they are counted."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluicegate.artifacts import Artifact
from sluicegate.config import build
from sluicegate.data.intake import Candidate
from sluicegate.data.sources import Source
from sluicegate.stages.prepare import Prepare
from sluicegate.testing import sealed

DATA = Path(__file__).parents[3] / "shared" / "data"
FILES = sorted(p for p in DATA.glob("*/*") if ".json" in p.name)


def rows_in(path: Path) -> int:
    """Rows of a file, counted without any code of ours."""
    text = (gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()).decode()
    if text.lstrip().startswith("["):
        return len(json.loads(text))
    return sum(bool(row.strip()) for row in text.split("\n"))


def lines(candidate: Candidate) -> Iterator[int]:
    """The rows a candidate accounts for."""
    yield from (row.line for row in candidate.earlier)
    if not candidate.again:
        yield candidate.row.line


def candidates(source: Source, config: Prepare.Config) -> Iterator[Candidate]:
    return (c for parcel in source.parcels(config.make, config.max_chars) for c in parcel.candidates())


def all_files(folder: Path, make: str) -> tuple[Artifact, Prepare.Config]:
    """Every file there is in one table; those of the other kind, and the graders' cases, are dropped."""
    tree = {"sources": list(map(str, FILES)), "make": make, "dedup": "near", "max_bad_share": 1}
    config = build(Prepare.Config, tree)
    return sealed(folder, make, lambda out: Prepare().fill(out, config, {})), config


@pytest.mark.slow
@pytest.mark.skipif(not FILES, reason="the shared data is not here")
@pytest.mark.parametrize("make", ["messages", "pairs"])
def test_every_row_of_every_file_is_in_the_output_or_dropped_with_a_reason(make: str, tmp_path: Path) -> None:
    made, config = all_files(tmp_path, make)
    output = {row["id"] for row in made.rows(make)}
    dropped = {(row["source"], row["line"]): row["reason"] for row in made.rows("dropped")}
    assert all(dropped.values())
    for path, source in zip(FILES, config.sources, strict=True):
        ends: Counter[int] = Counter()
        for candidate in candidates(source, config):
            for line in lines(candidate):
                is_out = candidate.record is not None and candidate.record["id"] in output
                ends[line] += is_out or (candidate.source, line) in dropped
        assert len(ends) == rows_in(path), f"a row of {path.name} is no candidate's"
        assert set(ends.values()) == {1}, f"a row of {path.name} is lost or counted twice"


@pytest.mark.slow
@pytest.mark.skipif(not FILES, reason="the shared data is not here")
def test_the_numbers_of_the_card_are_those_of_the_files(tmp_path: Path) -> None:
    made, _ = all_files(tmp_path, "messages")
    stats = made.stats
    assert stats["read"] == sum(map(rows_in, FILES))
    assert stats["rows"] + stats["dropped"] == stats["candidates"], "message trees give more candidates than rows"
    assert stats["rows"] == sum(stats["by_source"].values()) == sum(stats["by_lang"].values())
    assert stats["dropped"] == sum(stats["by_reason"].values())
    card = (made.path / "card.md").read_text(encoding="utf-8")
    for path in FILES:
        assert f"| {path.name} | {rows_in(path):,} |" in card
    assert str(DATA) not in card
