"""The final answer of a reply against the gold one, in three verdicts, and what went wrong where they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, field_validator

from sluicegate import config
from sluicegate.evaluation.grading.algebra import Algebra, OutOfTime
from sluicegate.evaluation.grading.extract import MARKED, RULES, Found, extract
from sluicegate.evaluation.grading.same import is_same, is_words, shape
from sluicegate.registry import did_you_mean

Verdict = Literal["strict", "flexible", "symbolic"]
"""From hard to lenient: what is right by one is right by those after it."""
Error = Literal["", "no answer", "wrong value", "wrong form", "truncated", "timeout"]
"""Empty for a correct reply. A wrong reply that reached the length limit is `truncated`, whatever was read from it."""
WHOLE = "whole reply"
LAST_LINE = "last line"
LONGER = 20
"""How many times longer than the gold answer a reply may be that is nothing else."""


@dataclass(frozen=True)
class Grade:
    """How one reply was graded."""

    extracted: str | None
    """The answer as the reply states it; None if no rule found one."""
    rule: str
    """The name of the rule that found it, empty if none did."""
    strict: bool
    """It stands behind a mark, or alone, and is the gold answer letter by letter."""
    flexible: bool
    """It is the same number, word, tuple, set, interval or matrix, however written."""
    symbolic: bool
    """It is, or algebra shows it to be equal."""
    error: Error

    @property
    def is_correct(self) -> bool:
        """Whether the verdict that counts says so."""
        return not self.error


class Grader:
    """Grades replies; algebra runs in a process of its own, which ends with this object."""

    class Config(config.Config):
        """What it can be told."""

        counts: Verdict = "symbolic"
        """The verdict that decides what is correct; all three are reported. `strict` wants a marked answer, letter by
        letter the gold one; `flexible` the same value however written; `symbolic` that, or what algebra shows to be
        equal."""
        rules: list[str] = []
        """Rules that may find the answer, of `boxed`, `tagged`, `hashes`, `sentence` and `last line`, which are tried
        in this order; empty for all."""
        seconds: float = Field(default=5.0, gt=0)
        """Processor time that algebra has for an answer; then its process is killed, and the answer counts as wrong."""

        @field_validator("rules")
        @classmethod
        def _are_known(cls, rules: list[str]) -> list[str]:
            if unknown := [rule for rule in rules if rule not in RULES]:
                raise ValueError(f"no rule '{unknown[0]}'. {did_you_mean(unknown[0], RULES) or ', '.join(RULES)}")
            return rules

    def __init__(self, config: Any = None) -> None:
        self.config = config or self.Config()
        self.algebra = Algebra(self.config.seconds)

    def grade(self, reply: str, gold: str, is_cut: bool = False) -> Grade:
        """Compare what a reply states with `gold`; a reply that is the gold answer and nothing else is correct too.

        Args:
            reply: the generated text.
            gold: the final answer, or a solution that marks it.
            is_cut: whether the reply ended because it reached the length limit.
        """
        wanted = stated(gold)
        found = self._find(reply, wanted, is_cut)
        if found is None:
            return Grade(None, "", False, False, False, "truncated" if is_cut else "no answer")
        strict = found.rule in (*MARKED, WHOLE) and _bare(found.text) == _bare(wanted) != ""
        flexible = strict or is_same(found.text, wanted)
        symbolic = flexible or self._shows(found.text, wanted)
        verdicts: dict[Verdict, bool] = {"strict": strict, "flexible": flexible, "symbolic": bool(symbolic)}
        if verdicts[self.config.counts]:
            return Grade(found.text, found.rule, **verdicts, error="")
        has_form = not flexible and shape(found.text) == shape(wanted)
        late_or_wrong: Error = "timeout" if symbolic is None else "wrong value" if has_form else "wrong form"
        return Grade(found.text, found.rule, **verdicts, error="truncated" if is_cut else late_or_wrong)

    def _shows(self, answer: str, wanted: str) -> bool | None:
        """Whether algebra shows two answers to be equal; None where it ran out of time."""
        try:
            return is_same(answer, wanted, self.algebra.is_equal)
        except OutOfTime:
            return None

    def _find(self, reply: str, wanted: str, is_cut: bool) -> Found | None:
        """What the reply states; the last line of a reply that was cut is not the end of anything."""
        rules, in_words = self.config.rules or list(RULES), is_words(wanted)
        if marked := extract(reply, [rule for rule in rules if rule in MARKED], in_words):
            return marked
        if len(reply) < LONGER * len(wanted) and is_same(reply, wanted):
            return Found(WHOLE, reply.strip())
        return None if is_cut or LAST_LINE not in rules else extract(reply, [LAST_LINE], in_words)


def stated(gold: str) -> str:
    """What a solution marks as its answer; a gold answer without a mark is all of it."""
    found = extract(gold, MARKED)
    return found.text if found else gold.strip()


def _bare(answer: str) -> str:
    return answer.strip(" \t\r\n$").removesuffix(".")
