"""The grader on published answer-grading cases and on GSM8K outputs, beside math-verify alone; and on strings of junk.

Three files of `gold`, `prediction_text` and `expected_equal`; rows marked `contested`, disputes of convention, are left
out. math-verify alone reads a bare answer as a formula. Junk is what hypothesis makes of brackets, commands and digits:
none of it may raise, or take longer than the time limit.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figure import figure
from worlds import parser

from sluicegate.errors import MissingError
from sluicegate.evaluation.grading import Grader

FILES = ("unit_dev", "synthetic_dev", "gsm8k_outputs_dev")
BARS = {"unit_dev": 0.97, "synthetic_dev": 0.999, "gsm8k_outputs_dev": 1.0}
MILLISECONDS = 5.0
"""Bar: in the mean, on `gsm8k_outputs_dev`."""
SLACK = 1.0
"""Seconds that a killed answer may take beyond the limit: another process has to start."""
JUNK, QUICK_JUNK = 10_000, 300
PIECES = [
    *"{}()[]$^_,;:=<>|!%&\\+-*/. \n0123456789xyie",
    *("\\frac", "\\frac{1}", "\\sqrt", "\\boxed{", "\\boxed", "\\pm", "\\int", "\\sum_{k=0}^{n}", "\\log", "\\text{"),
    *("\\begin{pmatrix}", "\\end{pmatrix}", "\\left", "\\right", "\\{", "\\}", "\\cup", "\\in", "\\[", "\\]", "\\("),
    *("####", "Answer:", "the answer is", "<answer>", "</answer>", "**", "!!", "\x00"),
    *("答案是", "。", "，", "万", "百", "分之", "三", "个"),
    *("9^{9^{9^{9}}}", "10^{99999999}", "1e999", "99999999999"),
]
LONG = 10_000
"""Characters of the longest junk."""


@dataclass(frozen=True)
class Measured:
    """How often a grader agreed with the label, in how many milliseconds a case, and where it did not."""

    right: float
    milliseconds: float
    wrong: list[str]


def main() -> int:
    """Grade, compare, throw junk; 5 where the cases are not there."""
    asked = parser(__doc__)
    asked.add_argument("--data", type=Path, default=Path("../shared/data/grader"), help="folder of the cases")
    args = asked.parse_args()
    if lost := [name for name in FILES if not (args.data / f"{name}.jsonl").is_file()]:
        print(f"error: {args.data} has no {lost[0]}.jsonl\nhint: name the folder: --data DIR", file=sys.stderr)
        return MissingError.exit_code
    cases = {name: read(args.data / f"{name}.jsonl")[:: 5 if args.quick else 1] for name in FILES}
    grader = Grader()
    grader.algebra.is_equal("x + x", "2 x")  # its process starts
    by_grader = lambda reply, gold: grader.grade(reply, gold).is_correct  # noqa: E731
    ours = {name: measured(rows, by_grader) for name, rows in cases.items()}
    peer = {name: measured(rows, by_math_verify) for name, rows in cases.items()}
    for name in FILES:
        told = {"ours": ours[name].right, "math-verify": peer[name].right, "ms": round(ours[name].milliseconds, 2)}
        print(json.dumps({"file": name, "cases": len(cases[name]), **told, "wrong": ours[name].wrong}))
    slowest = worst_of_junk(grader, QUICK_JUNK if args.quick else JUNK)
    limit = grader.config.seconds + SLACK
    right = {name: ours[name].right for name in FILES}
    speed = ours["gsm8k_outputs_dev"].milliseconds
    bars = [*(right[name] >= BARS[name] for name in FILES), speed <= MILLISECONDS, slowest <= limit]
    bar = f"unit >= .97, synthetic >= .999, outputs = 1, outputs <= {MILLISECONDS:g} ms, junk <= {limit:g} s"
    figure("grading", right["unit_dev"], peer["unit_dev"].right, "share of unit_dev right", bar, all(bars),
           right=right, milliseconds=speed, slowest_junk=slowest)  # fmt: skip
    return 0


def read(path: Path) -> list[dict[str, Any]]:
    """The cases of a file that nobody disputes."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if not row.get("contested")]


def measured(rows: Sequence[dict[str, Any]], is_correct: Callable[[str, str], bool]) -> Measured:
    """One pass over the cases."""
    began = time.perf_counter()
    wrong = [row["id"] for row in rows if is_correct(row["prediction_text"], row["gold"]) != row["expected_equal"]]
    seconds = time.perf_counter() - began
    return Measured(1 - len(wrong) / len(rows), 1000 * seconds / len(rows), wrong)


def by_math_verify(reply: str, gold: str) -> bool:
    """As its authors say: parse both, verify; a bare answer is put between dollars first."""
    from math_verify import parse, verify

    return bool(verify(parse(as_formula(gold)), parse(as_formula(reply))))


def as_formula(text: str) -> str:
    """A text without a formula in it that is short enough to be one."""
    is_bare = len(text) < 100 and not any(mark in text for mark in ("$", "\\boxed", "\\(", "\\["))
    return f"${text}$" if is_bare else text


def worst_of_junk(grader: Grader, n: int) -> float:
    """Seconds of the slowest of n strings of junk, each graded against itself, a plain answer, or other junk."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    short = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
    long = st.tuples(st.sampled_from(PIECES), short).map(lambda parts: (parts[0] * LONG)[:LONG] + parts[1])
    junk = st.one_of(short, short, short, short.map(lambda text: rf"\boxed{{{text}}}"), st.text(), long)
    gold = st.one_of(st.sampled_from(["5", "x + 1", "(1, 2]", r"\{1, 2\}", r"\frac{1}{2}"]), short)
    slowest = 0.0

    @settings(max_examples=n, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=HealthCheck)
    @given(junk, gold)
    def grade(reply: str, wanted: str) -> None:
        nonlocal slowest
        began = time.perf_counter()
        grader.grade(reply, wanted)
        slowest = max(slowest, time.perf_counter() - began)

    grade()
    return slowest


if __name__ == "__main__":
    sys.exit(main())
