"""What a bake-off does not show, as far as its own summary tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sluicegate.reporting.bake_off.order import Summary

NO_ARMS = "Nothing was trained, for there are no test rows: signals are judged by the planted faults alone."
NO_FAULTS = "No fault is known in this pool, so nothing tells how many of the chosen rows are clean."
PLANTED = (
    "The faults are known, as nearly always because they were planted; no signal and no rule reads them. What is wrong "
    "with other data may be of another kind."
)
AUROC = (
    "A high AUROC does not by itself train a better model: it says that faults are found, not that what is left is "
    "what the model needs. Read it beside the arms."
)
SMALL = (
    "The arms are short trainings that stand in for a long one; another model or a longer training can reorder them."
)
SEVERAL = (
    "The 95 % interval behind a result is of that arm alone. Whether one arm beats another is for the gains to say; do "
    "two intervals overlap, that settles nothing."
)
ONE_SEED = (
    "An arm trained with one seed has an interval over the test questions only, which leaves out what another seed "
    "would change."
)


def caveats(summary: Summary) -> list[str]:
    """Each in a sentence or two, the gravest first."""
    return list(_of_arms(summary)) + list(_of_signals(summary))


def _of_arms(summary: Summary) -> Iterator[str]:
    if not summary["arms"]:
        yield NO_ARMS
        return
    once = [f"{arm['arm']} ({arm['budget']})" for arm in summary["arms"] if arm["seeds"] == 1]
    if once:
        who = "every arm" if len(once) == len(summary["arms"]) else _listed(once)
        yield f"{ONE_SEED} This holds for {who}."
    yield SMALL
    yield SEVERAL


def _of_signals(summary: Summary) -> Iterator[str]:
    judged = any(signal["auroc"] is not None for signal in summary["signals"])
    yield PLANTED if judged else NO_FAULTS
    if judged and summary["arms"]:
        yield AUROC
    unpriced = [signal["signal"] for signal in summary["signals"] if signal["forward_units"] is None]
    if unpriced:
        yield f"Left out of the pictures of cost, for their cost is not known: {_listed(unpriced)}."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
