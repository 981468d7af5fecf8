"""Every figure, one script after the other, and their table: `python benchmarks [--quick]`; 1 if a bar is not held."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from worlds import parser

COLUMNS = ("figure", "ours", "peer", "unit", "ratio", "bar", "holds")


def scripts() -> list[Path]:
    """The scripts beside this one that end in a figure."""
    beside = sorted(Path(__file__).parent.glob("[!_]*.py"))
    return [path for path in beside if '__name__ == "__main__"' in path.read_text(encoding="utf-8")]


def measured(script: Path) -> dict[str, Any]:
    """The JSON line a script ends in; what else it prints goes to the screen."""
    told = []
    with subprocess.Popen([sys.executable, script, *sys.argv[1:]], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            told.append(line)
    if process.returncode:
        return {"figure": script.stem, "holds": False, "bar": f"failed with exit code {process.returncode}"}
    return json.loads(told[-1])


def main() -> int:
    """Run all, print the table."""
    parser(__doc__).parse_args()  # each script reads what is given; here it is only checked
    figures = [measured(script) for script in scripts()]
    table = Table(*COLUMNS, box=None)
    for found in figures:
        table.add_row(*(str(found.get(column, "")) for column in COLUMNS))
    Console().print(table)
    return 0 if all(found["holds"] for found in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
