"""What is told of every arm of a budget."""

from __future__ import annotations

from functools import partial

from sluicegate.reporting.bake_off.column import Column, of_key
from sluicegate.reporting.bake_off.order import Row, Summary
from sluicegate.reporting.bake_off.signal_columns import PASSES, TIME
from sluicegate.reporting.numbers import MEASURED, NONE, UNITS, bounds, count, decimals, duration, mean, result

BEST = "among the best"
ARM = "A signal and the rule that chose by it; a control chose without a signal."
RESULT = "{measured}, of models tuned on the arm’s rows: the mean over its seeds. In brackets its own 95 % interval."
ROWS = "Rows the arm is trained on, the trusted ones that were added included: the mean over its seeds."
TOKENS = "Tokens it learns to predict, counted once. Arms of equal rows can differ in it a lot."
STEPS = "Optimiser steps of one training run."
SEEDS = (
    "How many models were trained; they differ in the random seed alone, and random arms also in the rows they draw."
)
AGAINST = (
    "The control of equal information: random rows at the same budget, and where the signal was given trusted rows, "
    "with the same trusted rows added. What those teach by themselves is then on both sides."
)
GAIN = (
    "How much better the arm is than its control, in {unit}; above 0 is better. The 95 % intervals are simultaneous: "
    "so wide that in 95 of 100 bake-offs all of them hold at once. Of many arms that do nothing the best looks good by "
    "luck alone; that luck is inside these intervals."
)
VERDICT = (
    "Better or worse where the whole interval of the gain lies on one side of 0, and within noise where it does not. "
    "Among the best: better, and no arm of its budget is told apart from it and ahead of it."
)


def arm_columns(summary: Summary) -> list[Column]:
    """The columns of a budget's table, for contestants and controls alike."""
    metric = summary["metric"]
    unit = UNITS[metric].split(" ")[0]
    measured = MEASURED[metric][0].upper() + MEASURED[metric][1:]
    return [
        of_key("arm", "arm", str, ARM),
        Column(
            f"{metric} (95 %)",
            RESULT.format(measured=measured),
            lambda arm: arm[metric],
            partial(result, metric=metric),
        ),
        Column(f"gain in {unit} (95 %)", GAIN.format(unit=unit), _gain, partial(gain, metric=metric)),
        Column("verdict", VERDICT, verdict, lambda arm: _or_none(verdict(arm))),
        of_key("forward passes", "forward_units", partial(decimals, digits=2), PASSES),
        of_key("time", "seconds", duration, TIME),
        of_key("against", "against", _or_none, AGAINST),
        of_key("rows", "rows", count, ROWS),
        of_key("label tokens", "label_tokens", count, TOKENS),
        of_key("steps", "steps", count, STEPS),
        of_key("seeds", "seeds", count, SEEDS),
    ]


def gain(arm: Row, metric: str) -> str:
    """`+6.1 [+3.0, +9.0]` points, or nats of loss; above 0 is better for both."""
    if arm["gain"] is None:
        return NONE
    found = {"metric": metric, **arm["gain"]}
    return f"{mean(found)} {bounds(found)}"


def verdict(arm: Row) -> str | None:
    """What the interval of the gain allows to say."""
    return BEST if arm["verdict"] == "better" and arm.get("ties_with_best") else arm["verdict"]


def _gain(arm: Row) -> float | None:
    return arm["gain"] and arm["gain"]["mean"]


def _or_none(text: str | None) -> str:
    return NONE if text is None else text
