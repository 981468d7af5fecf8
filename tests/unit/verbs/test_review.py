from __future__ import annotations

from pathlib import Path

import pytest

from graded_runs import evaluation
from sluicegate.cli import main


def test_the_sheet_is_written_and_the_way_back_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = evaluation(tmp_path / "artifacts", {"a": ("#### 4", "4"), "b": ("No idea.", "4")})
    sheet = tmp_path / "sheet.csv"
    assert main(["review", str(made.path), str(sheet)]) == 0
    told = capsys.readouterr().out
    assert "1  no answer found" in told
    assert f"sluice regrade evaluation={made.id} review={sheet}" in told
    assert sheet.read_text(encoding="utf-8-sig").splitlines()[1].startswith("b,no answer found,b?,")
