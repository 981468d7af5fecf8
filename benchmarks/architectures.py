"""The contract table: every architecture against every promise about gates, written to docs/architectures.md.

Runs tests/contract/test_architectures.py and prints what it found; the words of the page are the tests' own.
`--quick` takes three architectures and writes nothing.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import pytest
from figure import figure
from worlds import parser

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests" / "contract" / "test_architectures.py"
PAGE = ROOT / "docs" / "architectures.md"
QUICK = "qwen2 or gemma2 or mixtral"
HELD, FAILED = "yes", "**no**"
HEAD = """\
# Architectures

What the gates promise, held on a tiny random model of every architecture: two layers, the names, masks, caps and scales
of the published ones, sliding windows shorter than the rows. `python benchmarks/architectures.py` runs the contract
tests and writes this page.
"""


class Collector:
    """Listens to a run of pytest: what each promise says, and the cell of each architecture under it."""

    def __init__(self) -> None:
        self.promises: dict[str, str] = {}
        self.families: dict[str, str] = {}
        """Test to architecture."""
        self.cells: dict[str, dict[str, str]] = {}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep the promises, in the order of the file; other tests are no part of the table."""
        items[:] = [item for item in items if "[" in item.name and "family" in item.callspec.params]
        self.families = {item.nodeid: item.callspec.params["family"] for item in items}
        self.promises = {promise_of(item.nodeid): inspect.getdoc(item.function) or "" for item in items}

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note what a test ended in, with one kind of gate or another: a failure of one is a failure of the promise."""
        row, promise = self.cells.setdefault(self.families[report.nodeid], {}), promise_of(report.nodeid)
        if not report.passed:
            row[promise] = FAILED
        elif report.when == "call":
            row.setdefault(promise, dict(report.user_properties).get("cell", HELD))

    def page(self) -> str:
        """The page, in Markdown."""
        said = "\n".join(f"- **{name}**: {text}" for name, text in self.promises.items())
        table = [["architecture", *self.promises], ["---"] * (1 + len(self.promises))]
        table += [[f"`{family}`", *(row[name] for name in self.promises)] for family, row in self.cells.items()]
        return "\n".join([HEAD, said, "", *(f"| {' | '.join(cells)} |" for cells in table), ""])


def promise_of(nodeid: str) -> str:
    """`save and reload` of `...::test_save_and_reload[qwen2-linear]`."""
    return nodeid.rpartition("::test_")[2].partition("[")[0].replace("_", " ")


def main() -> None:
    """Run the contract, write the page."""
    args = parser(__doc__).parse_args()
    found = Collector()
    pytest.main(["-q", f"--rootdir={ROOT}", str(TESTS), *(["-k", QUICK] if args.quick else [])], plugins=[found])
    if args.quick:
        print(found.page())
    else:
        PAGE.write_text(found.page(), encoding="utf-8")
    cells = [cell for row in found.cells.values() for cell in row.values()]
    whole, broken = cells.count(HELD), cells.count(FAILED)
    in_part = len(cells) - whole - broken
    figure("architectures", whole, len(cells), "promises held", "none broken", broken == 0 < whole, in_part=in_part)


if __name__ == "__main__":
    sys.exit(main())
