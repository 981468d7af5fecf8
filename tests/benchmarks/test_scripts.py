"""Every benchmark says what it measures without measuring it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BESIDE = sorted((Path(__file__).parents[2] / "benchmarks").glob("*.py"))
SCRIPTS = [path for path in BESIDE if '__name__ == "__main__"' in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.stem)
def test_help(path: Path) -> None:
    done = subprocess.run([sys.executable, path, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")
    assert "--quick" in done.stdout


def test_there_are_scripts() -> None:
    assert len(SCRIPTS) > 3
