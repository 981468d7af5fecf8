"""The scripts beside the package do what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sluicegate.testing import tiny_model, tiny_pool

EXAMPLES = Path(__file__).parents[2] / "examples"
THREE = "gpt_three_objectives.py"


def script(name: str, *args: str | Path) -> str:
    done = subprocess.run([sys.executable, EXAMPLES / name, *args], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_worst_rows(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    lines = [json.dumps({"messages": r["messages"]}) for r in tiny_pool(12)]
    rows.write_text("\n".join(lines), encoding="utf-8")
    told = script("worst_rows.py", tiny_model(tmp_path / "model"), rows, tmp_path / "out").splitlines()[-5:]
    scores = [float(line.split()[0]) for line in told]
    assert scores == sorted(scores)
    assert all("answer is" in line or "答案是" in line for line in told)


@pytest.mark.slow
def test_a_custom_signal() -> None:
    assert "keeps the contract" in script("custom_signal.py")


@pytest.mark.slow
def test_one_loop_has_three_objectives(tmp_path: Path) -> None:
    told = {name: (float(a), float(b)) for name, a, _, b in map(str.split, script(THREE, tmp_path).splitlines())}
    assert list(told) == ["read", "reply", "prefer"]
    assert all(after < 0.9 * before for before, after in told.values())


def test_damage_names_what_it_did_to_each_row(tmp_path: Path) -> None:
    rows, pool, trusted = (tmp_path / f"{name}.jsonl" for name in ("rows", "pool", "trusted"))
    lines = [{"prompt": f"What is {n} + {n + 1}?", "completion": f"The answer is {2 * n + 1}."} for n in range(400)]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    script("damage.py", rows, pool, trusted)
    faults = [
        [json.loads(line)["meta"]["fault"] for line in p.read_text(encoding="utf-8").splitlines()]
        for p in (trusted, pool)
    ]
    assert faults[0] == ["clean"] * 300
    assert faults[1].count("clean") == 40, "two fifths of the other hundred are left as they were"
    assert len(set(faults[1])) > 3


@pytest.mark.parametrize("path", [*EXAMPLES.glob("*.py"), *EXAMPLES.glob("plugin/*.py")], ids=lambda p: p.name)
def test_examples_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 40
