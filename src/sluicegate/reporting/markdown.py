"""The page's twin for terminals, mail and pull requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sluicegate.reporting import numbers
from sluicegate.reporting.numbers import bounds, count, decimals, duration, percent, result
from sluicegate.reporting.summary import Summary


def render(summary: Summary) -> str:
    """The report as Markdown; text from the data is fenced or escaped, so that it can make no markup."""
    sections = [_arms, _differences, _faults, _signals, _funnel, _examples]
    head = [f"# {plain(summary['title'])}", f"**{plain(summary['headline'])}.**"]
    return "\n\n".join([*head, *filter(None, (section(summary) for section in sections))]) + "\n"


def _arms(summary: Summary) -> str:
    metric = summary["metric"]
    beside = ["loss"] if metric == "accuracy" else []  # no second number where the loss is the result
    header = ["arm", "seeds", "rows", "label tokens", "clean share", f"{metric} [95 %]", *beside, "training time"]
    rows = [
        [plain(arm["arm"]), *_sizes(arm), result(arm, metric), *_known(arm, beside), duration(arm["seconds"])]
        for arm in summary["arms"]
    ]
    note = f"Measured by {numbers.MEASURED[metric]}. Means over the seeds; {numbers.INTERVALS}."
    return f"## Arms\n\n{table(header, rows)}\n\n{note}"


def _known(arm: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    return [decimals(arm[key]) for key in keys]


def _sizes(arm: Mapping[str, Any]) -> list[str]:
    return [str(arm["seeds"]), count(arm["rows"]), count(arm["label_tokens"]), percent(arm["clean_share"])]


def _differences(summary: Summary) -> str:
    header = ["arm", "against", numbers.UNITS[summary["metric"]], "95 %", "seeds", "same trusted rows"]
    rows = [
        [plain(d["arm"]), plain(d["against"]), numbers.mean(d), bounds(d), *_pairing(d)] for d in summary["differences"]
    ]
    return "## Differences\n\n" + table(header, rows) if rows else ""


def _pairing(difference: Mapping[str, Any]) -> list[str]:
    return ["/".join(map(str, difference["seeds"])), "yes" if difference["same_trusted"] else "no"]


def _faults(summary: Summary) -> str:
    if not summary["faults"] or summary["pool"] is None:
        return ""
    columns = {"pool": summary["pool"]["faults"], **summary["faults"]}
    names = dict.fromkeys(fault for shares in columns.values() for fault in shares)
    rows = [[plain(name), *(percent(shares.get(name, 0.0)) for shares in columns.values())] for name in names]
    return "## Share of each fault\n\n" + table(["fault", *map(plain, columns)], rows)


def _signals(summary: Summary) -> str:
    if not summary["signals"]:
        return ""
    names = sorted({fault for found in summary["signals"] for fault in found["by_fault"]})
    rows = [
        [plain(found["signal"]), decimals(found["auroc"])]
        + [decimals(found["by_fault"].get(name), 2) for name in names]
        for found in summary["signals"]
    ]
    note = "Clean rows against all faults but duplicates, which no signal that reads one row at a time can see."
    return f"## AUROC of the signals\n\n{note}\n\n" + table(["signal", "all", *map(plain, names)], rows)


def _funnel(summary: Summary) -> str:
    rows = [[step["step"], count(step["rows"])] for step in summary["funnel"]]
    return "## Rows\n\n" + table(["", "rows"], rows) if rows else ""


def _examples(summary: Summary) -> str:
    parts = [_example(example) for example in summary["examples"]]
    return "\n\n".join(["## Examples", *parts]) if parts else ""


def _example(example: dict[str, Any]) -> str:
    fate = "kept" if example["kept"] else "dropped"
    scores = ", ".join(f"{plain(name)} {decimals(value)}" for name, value in example["scores"].items())
    fault = f" · fault: {plain(example['fault'])}" if example["fault"] else ""
    head = f"**{fate}**, rank {example['rank']}: {plain(example['reason'])} · {scores}{fault} · `{example['id']}`"
    return f"{head}\n\n{fence(example['prompt'])}\n\n{fence(example['response'])}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, the numbers to the right."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def plain(text: str) -> str:
    """A text on one line in which nothing is markup."""
    return re.sub(r"([\\`*_{}\[\]<>|#~&])", r"\\\1", " ".join(text.split()))


def fence(text: str) -> str:
    """A code block whose fence is longer than any in the text."""
    longest = max((len(ticks) for ticks in re.findall(r"`{3,}", text)), default=2)
    ticks = "`" * (longest + 1)
    return f"{ticks}text\n{text}\n{ticks}"
