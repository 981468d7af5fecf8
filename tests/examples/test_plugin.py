"""The example plug-in, installed without a network beside the package and used as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sluicegate.artifacts import Artifact, read_rows, write_table
from sluicegate.schema import Record
from sluicegate.testing import sealed, tiny_pool

PLUGIN = Path(__file__).parents[2] / "examples" / "plugin"
Shell = Callable[..., str]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Runs a command in an empty folder where the plug-in is installed; returns what it printed."""
    site, home = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("home")
    env = os.environ | {"PYTHONPATH": str(site), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def call(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    offline = ["--no-index", "--no-deps", "--no-build-isolation"]
    call(sys.executable, "-m", "pip", "install", "--quiet", *offline, "--target", site, PLUGIN)
    return call


@pytest.fixture
def scores(tmp_path: Path) -> Artifact:
    """Scores of nine rows, each as high as its number."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = tiny_pool(9)
    columns = {"id": [r["id"] for r in rows], "number": np.arange(9, dtype=np.float32), "number_why": [""] * 9}
    data = sealed(tmp_path, "messages", lambda out: {"rows": write_table(out / "messages.parquet", rows, Record)})
    return sealed(
        tmp_path, "scores", lambda out: pq.write_table(pa.table(columns), out / "scores.parquet"), {"data": data}
    )


def test_its_rule_is_listed_and_explained(shell: Shell) -> None:
    assert "typical" in shell("sluice", "ls", "rules").split()
    assert "- `centre` — number ≥ 0 and ≤ 1; default `0.5`." in shell("sluice", "docs", "typical")


def test_its_rule_selects(shell: Shell, scores: Artifact, tmp_path: Path) -> None:
    options = ["rule=typical", "by=number", "options.rows=3", "options.centre=0.25"]
    shell("sluice", "select", f"scores={scores.path}", *options, f"out={tmp_path / 'run'}")
    decided = list(read_rows(tmp_path / "run" / "select" / "selection.parquet"))
    assert [n for n, row in enumerate(decided) if row["kept"]] == [1, 2, 3]
    assert decided[2]["rank"] == 0
    assert decided[2]["reason"] == "among the 3 of 9 nearest to the middle by number"


def test_its_own_tests_pass(shell: Shell) -> None:
    assert "6 passed" in shell(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", PLUGIN)
