"""One page that lists the reports of all runs, newest first; its links are relative, so the folder may move."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sluicegate import __version__
from sluicegate.artifacts import read_manifest
from sluicegate.errors import ArtifactError
from sluicegate.reporting.templates import template

RUNS = "runs"
"""The folder of the folders of runs. In one of another name no index is written of itself: it is not ours."""
INDEX, PAGE = "index.html", "report.html"


class Entry(NamedTuple):
    """One report."""

    run: str
    step: str
    title: str
    sentence: str
    """What came out."""
    made: str
    """When, in UTC: `2026-05-01 12:30`."""
    link: str
    """From the folder that holds the runs."""


def write_index(root: Path) -> Path:
    """Rewrite the page of the folder that holds the runs, whole or not at all; return where it is."""
    page, draft = root / INDEX, root / f".{INDEX}.draft"
    with (root / f".{INDEX}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # of two runs that end at once, the second sees both reports
        draft.write_text(render(entries(root)), encoding="utf-8")
        os.replace(draft, page)
    return page


def entries(root: Path) -> list[Entry]:
    """The report of every step of every run, as the runs stand now; the newest first."""
    found = [entry for page in sorted(root.glob(f"*/*/{PAGE}")) for entry in _entry(root, page)]
    return sorted(found, key=lambda entry: entry.made, reverse=True)


def _entry(root: Path, page: Path) -> Iterator[Entry]:
    """The report of a page; none where the folder around it is no artifact."""
    try:
        manifest = read_manifest(page.parent)
    except (ArtifactError, FileNotFoundError):
        return
    run, step, _ = page.relative_to(root).parts
    stats = manifest["stats"]
    made = manifest["made"]["at"].replace("T", " ")[:16]
    sentence = stats.get("headline", stats.get("advice", ""))
    yield Entry(run, step, manifest["config"].get("title", ""), sentence, made, quote(f"{run}/{step}/{PAGE}"))


def render(found: list[Entry]) -> str:
    """The page, which holds everything it needs."""
    told = {"title": "Reports", "entries": found, "runs": len({entry.run for entry in found})}
    return template("index.html.j2").render(told, charts={}, scripts="", pool=None, version=__version__)
