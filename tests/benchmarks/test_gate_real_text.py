"""What the real-text bench makes of scores, and what it says without data."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import gate_real_text
import pytest
from real_faults import FAULTS, NUMBERS
from real_text import CLEAN

from sluicegate.planning import plan


def test_a_gate_that_finds_structure_only_comes_close_to_the_bound() -> None:
    faults = [CLEAN] * 40 + [fault for fault in FAULTS for _ in range(40 // len(FAULTS) + 2)]
    found = gate_real_text.judge([float(fault in {CLEAN, *NUMBERS}) for fault in faults], faults)
    assert found["structure"] == 1.0
    assert found["numbers"] == 0.5
    assert found["all"] == pytest.approx(5 / 6, abs=1e-4)
    assert found["short"] == 1.0
    assert found["wrong_op"] == 0.5


def test_the_top_share_counts_clean_rows() -> None:
    faults = [CLEAN, "short", CLEAN, *FAULTS] * 10
    order = [float(-i) for i in range(len(faults))]
    assert gate_real_text.judge(order, faults)["P@20"] == pytest.approx(4 / 24, abs=0.1)


@pytest.mark.parametrize("part", gate_real_text.SEEDS)
def test_the_recipe_can_be_planned(tmp_path: Path, part: str) -> None:
    for name in ("half", "trusted", part):
        (tmp_path / f"{name}.jsonl").write_text('{"messages": []}\n', encoding="utf-8")
    args = argparse.Namespace(part=part, quick=True)
    assert "scores-gain" in plan(gate_real_text.recipe(tmp_path, args), tmp_path / "run").steps


def test_without_data_it_says_so(tmp_path: Path) -> None:
    script = Path(gate_real_text.__file__)
    command = [sys.executable, script, "--data", tmp_path / "none", "--out", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 5
    assert "gsm8k_train.jsonl" in done.stderr
    assert "hint: " in done.stderr
