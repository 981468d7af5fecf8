"""The sentences of a comparison, which the page and its Markdown twin share."""

from __future__ import annotations

from sluicegate.reporting.numbers import count, percent
from sluicegate.reporting.pairwise.comparison import Comparison
from sluicegate.reporting.pairwise.pair import Pair, Question

NOTE = (
    "Strict, flexible and symbolic are the three verdicts of the grader, of which one counts as the accuracy. "
    "Seen: questions with 13 words in a row of what the model was trained on. Training time and tokens are of all "
    "trainings known to stand behind a model; its tokens are counted once."
)
TESTS = (
    "Differences are paired by question, with 95 % intervals (pigeonhole bootstrap over seeds and questions). "
    "p is McNemar’s exact test, which knows one training each; it is of one comparison: of twenty between equals one "
    "falls below .05."
)


def extent(found: Comparison) -> str:
    """How many questions the comparison is of."""
    n, asked = found["questions"], found["asked"]
    if not n:
        return "No question was put to all arms; each pair is compared on what the two were asked."
    if set(asked.values()) == {n}:
        return f"All arms were asked the same {count(n)} questions."
    own = ", ".join(f"{arm} {count(number)}" for arm, number in asked.items())
    return f"Compared on the {count(n)} questions that all arms were asked ({own})."


def listing(found: Pair, won: bool) -> str:
    """What a list of questions is of: `b right, a wrong: 12 questions, 5 of them below`."""
    better, worse = (found["arm"], found["against"]) if won else (found["against"], found["arm"])
    n, shown = (found["wins"], len(found["won"])) if won else (found["losses"], len(found["lost"]))
    verdicts = ("right", "wrong") if found["seeds"] == [1, 1] else ("more often right", "less")
    cut = f", {count(shown)} of them below" if shown < n else ""
    return f"{better} {verdicts[0]}, {worse} {verdicts[1]}: {count(n)} question{'s' * (n != 1)}{cut}"


def place(question: Question) -> str:
    """Where a question belongs: source, level and type."""
    return " · ".join(name for name in (question["source"], question["level"], question["type"]) if name)


def judged(question: Question, arm: str) -> str:
    """An arm's verdict on a question: right, wrong, or how many of its seeds are right."""
    share = question["right"][arm]
    return {0.0: "wrong", 1.0: "right"}.get(share, f"right in {percent(share)} of the seeds")
