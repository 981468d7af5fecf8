"""Problems with a final answer that can be checked."""

from __future__ import annotations

import re
from typing import Any, Literal

from sluicegate.data.shapes.base import Columns, Conversation, Shape, Unfit
from sluicegate.data.shapes.columns import exchange, json_or_itself, scalar_text, text, turns
from sluicegate.data.shapes.latex import last_boxed, plain
from sluicegate.schema import Message

_MARK = re.compile(r"<<[^<>\n]*>>")


class Gsm8k(Shape):
    """GSM8K (arXiv 2110.14168): `question`, and an `answer` of steps that ends in `#### n`."""

    name = "gsm8k"
    columns = ("question", "answer")

    class Config(Shape.Config):
        marks: Literal["keep", "drop"] = "keep"
        """The calculator's marks in the steps: `<<48/2=24>>`."""
        final: Literal["keep", "drop"] = "keep"
        """The line `#### n` behind the steps; the column `answer` holds the n either way."""

    def fits(self, row: Columns) -> bool:
        """The final answer is marked."""
        return "####" in str(row["answer"])

    def read(self, row: Columns, config: Any) -> Conversation:
        said = text(row, "answer")
        steps, _, final = said.rpartition("####")
        said = said if config.final == "keep" or not steps else steps
        said = said if config.marks == "keep" else _MARK.sub("", said)
        return Conversation(exchange(text(row, "question"), said), final.strip().replace(",", "") or None)


class Math(Shape):
    r"""MATH (arXiv 2103.03874): `problem`, and a `solution` whose last `\boxed{}` is the answer; LaTeX stays."""

    name = "math"
    columns = ("problem", "solution")

    class Config(Shape.Config):
        plain: bool = False
        """Put both as plain text beside the LaTeX, into `meta`."""

    def read(self, row: Columns, config: Any) -> Conversation:
        problem, solution = text(row, "problem"), text(row, "solution")
        beside = {"plain_problem": plain(problem), "plain_solution": plain(solution)} if config.plain else {}
        return Conversation(exchange(problem, solution), last_boxed(solution), beside)


class Cmath(Shape):
    """CMATH (arXiv 2306.16636): `question`, its school `grade`, and the `golden` answer, which is all its response."""

    name = "cmath"
    columns = ("question", "golden", "grade")

    def read(self, row: Columns, config: Any) -> Conversation:
        golden = scalar_text(row["golden"])
        if golden is None:
            raise Unfit("no answer: 'golden' is neither a text nor a number")
        return Conversation(exchange(text(row, "question"), golden), golden, {"grade": row["grade"]})


class Mgsm(Shape):
    """MGSM (arXiv 2210.03057) as test sets of LESS's layout keep it: an empty response, and the number in `answer`."""

    name = "mgsm"
    columns = ("dataset", "id", "messages", "answer")

    def fits(self, row: Columns) -> bool:
        """The response is left empty."""
        found = json_or_itself(row["messages"])
        last = found[-1] if isinstance(found, list) and found else None
        return isinstance(last, dict) and last.get("role") == "assistant" and last.get("content") == ""

    def read(self, row: Columns, config: Any) -> Conversation:
        answer, said = scalar_text(row["answer"]), turns(row, "messages")
        if answer is None:
            raise Unfit("no answer: 'answer' is neither a text nor a number")
        meta = {"dataset": row["dataset"], "id": row["id"]}
        return Conversation([*said[:-1], Message(role="assistant", content=answer)], answer, meta)
