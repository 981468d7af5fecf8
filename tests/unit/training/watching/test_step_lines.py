from __future__ import annotations

from pathlib import Path

from sluicegate.training.watching.step_lines import StepLines


def test_what_is_done_again_is_told_again(tmp_path: Path) -> None:
    lines = StepLines(tmp_path / "lines.jsonl")
    lines.keep(lambda line: False)
    for step in (2, 4, 6):
        lines.append({"step": step, "answer": "二"})
    lines.keep(lambda line: line["step"] <= 4)
    lines.append({"step": 6, "answer": "another"})
    assert [(line["step"], line["answer"]) for line in lines.whole()] == [(2, "二"), (4, "二"), (6, "another")]
    assert [path.name for path in tmp_path.iterdir()] == ["lines.jsonl"]


def test_a_line_that_a_kill_has_cut_is_none(tmp_path: Path) -> None:
    lines = StepLines(tmp_path / "lines.jsonl")
    lines.append({"step": 2})
    with lines.path.open("a") as file:
        file.write('{"step": 4, "ans')
    assert list(lines.whole()) == [{"step": 2}]
    lines.keep(lambda line: True)
    lines.append({"step": 4})
    assert list(lines.whole()) == [{"step": 2}, {"step": 4}]
