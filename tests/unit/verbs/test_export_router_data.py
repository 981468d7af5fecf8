"""The verb on the command line; what it writes is held in tests/unit/scoring/test_router_data.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.artifacts import write_json
from sluicegate.cli import main
from token_tables import Row, token_table

ROWS: list[Row] = [("a", "one", [1.0, 2.0], [[0.5, -0.5]]), ("b", "中文", [1.0], [[0.5]])]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a run whose steps `score` and `plain` made scores with and without numbers per token."""
    monkeypatch.chdir(tmp_path)
    out = Path("runs/a")
    made = token_table(out / "artifacts", ROWS)
    plain = token_table(out / "artifacts", ROWS, without=["nll", "gate_logits"], recipe={"stage_version": 2})
    write_json(out / "lock.json", {"score": made.id, "plain": plain.id})
    return out


def test_it_tells_what_it_wrote(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export-router-data", "score", "out"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "out/one_router_data.safetensors  1 × 1 layers × 2 tokens",
        "out/中文_router_data.safetensors  1 × 1 layers × 1 tokens",
    ]
    assert Path("out/中文_router_data.json").is_file()


def test_scores_without_tokens_are_told_how_to_get_them(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export-router-data", "plain", "out"]) == 3
    assert "hint: score again with detail=tokens" in capsys.readouterr().err


def test_a_folder_that_is_a_file_is_told(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("out").write_text("")
    assert main(["export-router-data", "score", "out"]) == 1
    assert "out is in the way" in capsys.readouterr().err
