"""Why a gate was not good enough, for the user to read: Markdown, from the very rows it was examined on."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sluicegate.data.corrupt import response
from sluicegate.training.gates.held_out import Judged
from sluicegate.training.gates.warmup import Warmed
from sluicegate.training.gates.warmup_config import WarmupConfig

WORST = 8
"""Damaged rows that are shown."""
WIDTH = 160
"""Characters that are shown of a text."""
AROUND = 30
"""Of them, before the first that differs."""
CHANCE = 0.6
"""AUROC under which a kind of damage is called not found."""


def explain(config: WarmupConfig, warmed: Warmed) -> str:
    """The report: what was asked, what was found for each kind of damage, the worst mistakes, what to try."""
    auroc = warmed.facts["auroc"]
    parts = [
        "# This gate was not good enough",
        f"Its held-out AUROC is {auroc:.3f}, and `min_auroc` asks for {config.min_auroc}. No gate was made.",
        _settings(config, warmed),
        _by_kind(warmed.facts, warmed.judged),
        _mistakes(warmed.judged),
        _advice(warmed),
    ]
    return "\n\n".join(parts) + "\n"


def _settings(config: WarmupConfig, warmed: Warmed) -> str:
    facts = warmed.facts
    copies = {f" {name}": member.facts["reference"] for name, member in warmed.members.items()}
    rows = {
        "kind": config.kind,
        "trusted rows": facts["trusted_rows"],
        "held out": f"{facts['held_out_rows']} rows, each judged by a gate that did not learn from it",
        "gated layers": ", ".join(map(str, facts["layers"])),
        **{f"tuned copy{name}": _told(copy) for name, copy in (copies or {"": facts["reference"]}).items()},
        **_dotted(config.model_dump(mode="json", exclude_defaults=True)),
    }
    return "## What it was\n\n" + _table(("setting", "value"), rows.items())


def _dotted(tree: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Every leaf under the key that sets it on the command line."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= _dotted(value, f"{above}{key}.") if isinstance(value, Mapping) else {f"{above}{key}": value}
    return found


def _told(copy: Mapping[str, Any] | None) -> str:
    if copy is None:
        return "none: the gate reads the base"
    losses = f"{copy['loss_before']:.3f} to {copy['loss_after']:.3f}"
    return f"{copy['method']}, held-out trusted loss {losses} nats after {copy['steps']} steps"


def _by_kind(facts: Mapping[str, Any], judged: Sequence[Judged]) -> str:
    taught = {x.lesson.kind for x in judged if x.lesson.taught}
    count = Counter(x.lesson.kind for x in judged)
    kinds = sorted(facts["auroc_by_kind"].items(), key=lambda item: item[1])
    damaged = sum(count[kind] for kind, _ in kinds)
    unseen = sum(count[kind] for kind, _ in kinds if kind not in taught)
    rows: list[tuple[Any, ...]] = [("all", "", damaged, _decimals(facts["auroc"]))]
    rows += [("never taught", "", unseen, _decimals(facts["auroc_unseen"]))]
    rows += [(kind, "yes" if kind in taught else "no", count[kind], _decimals(value)) for kind, value in kinds]
    head = "Trusted rows against damage done to them; 0.5 is chance. The weakest kinds come first."
    return f"## What it finds\n\n{head}\n\n" + _table(("damage", "taught", "rows", "AUROC"), rows)


def _mistakes(judged: Sequence[Judged]) -> str:
    """Damaged rows that are furthest above the row they were made of."""
    clean = {x.lesson.of: x for x in judged if x.lesson.good}
    damaged = (x for x in judged if not x.lesson.good and x.lesson.of in clean)
    over = [(x.score - clean[x.lesson.of].score, x) for x in damaged]
    worst = islice(sorted(((by, x) for by, x in over if by > 0), key=lambda pair: -pair[0]), WORST)
    rows = [(x.lesson.kind, f"+{by:.2f}", *_difference(clean[x.lesson.of], x)) for by, x in worst]
    if not rows:
        return "## Its worst mistakes\n\nNo damaged row scored above the row it was made of."
    share = sum(by > 0 for by, _ in over) / len(over)
    head = f"{share:.0%} of the damaged rows scored above the very row they were made of. The furthest:"
    return f"## Its worst mistakes\n\n{head}\n\n" + _table(("damage", "score", "before", "after"), rows)


def _difference(clean: Judged, damaged: Judged) -> tuple[str, str]:
    """Both texts around the first character that differs."""
    before, after = response(clean.lesson.record), response(damaged.lesson.record)
    same = next(
        (i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after))
    )
    start = max(0, same - AROUND)
    return _excerpt(before, start), _excerpt(after, start)


def _excerpt(text: str, start: int) -> str:
    end = start + WIDTH
    return "…" * (start > 0) + text[start:end] + "…" * (end < len(text))


def _advice(warmed: Warmed) -> str:
    facts = warmed.facts
    lost = [kind for kind, value in facts["auroc_by_kind"].items() if value < CHANCE]
    tips = [f"Give more trusted rows: it had {facts['trusted_rows']}, and 150 are better than 50."]
    tips += ["Take a base that knows the domain better: a gate reads what surprises its base."]
    if lost:
        names = ", ".join(lost)
        tips += [
            f"It does not find {names}. If your data have no such damage, take it out of `corruptions` and `unseen`."
        ]
    tips += ["Read the mistakes above: where before is as bad as after, the trusted rows hold damage of their own."]
    return "## What to try\n\n" + "\n".join(f"- {tip}" for tip in tips)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *([_cell(value) for value in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    """One line, whose text no Markdown reader takes for mark-up."""
    return re.sub(r"([|\\`*<\[])", r"\\\1", " ".join(str(value).split()))


def _decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
