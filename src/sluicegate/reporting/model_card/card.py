"""`README.md` of a bundle. Whatever it says was read off the lineage; what is not known is said to be unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from sluicegate import __version__
from sluicegate.artifacts import Artifact
from sluicegate.reporting import numbers
from sluicegate.reporting.markdown import plain, table
from sluicegate.reporting.model_card.bundle import Bundle
from sluicegate.reporting.model_card.front_matter import front_matter
from sluicegate.reporting.model_card.history import Training, before
from sluicegate.reporting.model_card.result import Result
from sluicegate.reporting.numbers import NONE, count

BUDGETS = ("fraction", "rows", "tokens", "token_fraction")
ONE_SEED = "Of one training each: the interval tells nothing of what another seed would have given."


def model_card(bundle: Bundle) -> str:
    """The whole card."""
    parts = [_head, _usage, _base, _data, _choice, _result, _settings, _checks, _lineage]
    texts = [front_matter(bundle), *(part(bundle) for part in parts)]
    return "\n\n".join(filter(None, texts)) + "\n"


def _head(bundle: Bundle) -> str:
    steps = ", then ".join(step.stage for step in bundle.history.trainings)
    tuned = f"{_origin(bundle)}, tuned by {steps}" if steps else _origin(bundle)
    form = "An adapter for it, to be put on that base." if bundle.form == "adapter" else ""
    point = f"Taken at {plain(bundle.history.checkpoint)} of its training." if bundle.history.checkpoint else ""
    return " ".join(filter(None, [f"# {plain(bundle.name)}\n\n{tuned}.", form, point]))


def _origin(bundle: Bundle) -> str:
    return f"`{bundle.base_name}`" if bundle.base_name else "A model trained from nothing"


def _usage(bundle: Bundle) -> str:
    return "\n\n".join(["## Use", *bundle.usage.sections()])


def _base(bundle: Bundle) -> str:
    base = bundle.history.base
    lines = [f"`{bundle.base_name}`{f' at `{base.hub.revision}`' if base.hub else ''}."] if bundle.base_name else []
    lines += [f"Licence of this model: {plain(bundle.licence) or 'not stated; that of its base and its data applies'}."]
    return "## Base and licence\n\n" + " ".join(lines)


# Rows ---------------------------------------------------------------------------------------------------------------


def _data(bundle: Bundle) -> str:
    sections = [_rows(step, bundle) for step in bundle.history.trainings]
    return "\n\n".join(["## Data", *sections]) if sections else ""


def _rows(step: Training, bundle: Bundle) -> str:
    sources = bundle.history.sources
    rows = [
        [plain(source), plain(str(sources.get(source, {}).get("licence") or "not stated")), lang, count(n)]
        for (source, lang), n in sorted(step.rows.items())
    ]
    if not rows:
        return f"`{step.stage}` learnt from rows that are not here any more."
    label_tokens = step.model.stats.get("label_tokens")
    tokens = f", {count(label_tokens)} label tokens" if label_tokens else ""
    told = f"`{step.stage}` learnt from {count(step.rows.total())} rows{tokens}:"
    lines = table(["source", "licence", "language", "rows"], rows)
    warned = [f"Mind of {plain(s)}: {plain(w)}." for s in {s for s, _ in step.rows} if (w := _warning(sources, s))]
    return "\n\n".join([told, lines, *sorted(warned)])


def _warning(sources: Mapping[str, Mapping[str, Any]], source: str) -> str:
    return str(sources.get(source, {}).get("warning") or "")


def _choice(bundle: Bundle) -> str:
    chosen = [step.selection for step in bundle.history.trainings if step.selection]
    if not chosen:
        return ""
    control = bundle.result and bundle.result.control
    unknown = "No random control was given, so this card cannot say what the choice was worth."
    return "\n\n".join(["## How the rows were chosen", *map(_chosen, chosen), "" if control else unknown]).rstrip()


def _chosen(selection: Artifact) -> str:
    stats = selection.stats
    scores = before(selection, "scores")
    scored = f" Scores: `{scores.id}`." if scores else ""
    kept = f"{count(stats['kept'])} of {count(stats['rows'])} rows were kept"
    return f"{_rule(selection)}: {kept} (`{selection.id}`).{scored}"


def _rule(selection: Artifact) -> str:
    """`clusters by gate, fraction 0.2`."""
    config = selection.manifest["config"]
    options = {key: value for key, value in (config["options"] or {}).items() if value is not None}
    budget = [f"{key.replace('_', ' ')} {options[key]:g}" for key in BUDGETS if key in options]
    by = f" by {plain(config['by'])}" if config["by"] else ""
    return f"Rule {plain(config['rule'])}{by}, {' and '.join(budget) or 'all rows'}"


# What it answered ---------------------------------------------------------------------------------------------------


def _result(bundle: Bundle) -> str:
    found = bundle.result
    compared = _comparison(bundle.comparison) if bundle.comparison else ""
    if found is None:
        return f"## Evaluation\n\n{compared or 'It was exported without an evaluation.'}"
    header = ["model", "trained on", f"{found.metric} [95 %]", "questions"]
    rows = [[plain(arm["arm"]), _trained(arm), numbers.result(arm, found.metric), count(arm["questions"])]
            for arm in found.arms]  # fmt: skip
    measured = f"Measured by {numbers.MEASURED[found.metric]} of `{found.asked.evaluation.id}`."
    return "\n\n".join(filter(None, ["## Evaluation", table(header, rows), measured, _difference(found), compared]))


def _trained(arm: Mapping[str, Any]) -> str:
    """`400 rows, 31,200 label tokens`."""
    known = {"rows": arm["rows"], "label tokens": arm["label_tokens"]}
    return ", ".join(f"{count(value)} {name}" for name, value in known.items() if value is not None) or NONE


def _difference(found: Result) -> str:
    if found.difference is None or found.control is None:
        return ""
    chosen = found.control.selection
    what = f"The control is `{found.control.evaluation.id}`" + (f" ({_rule(chosen)})." if chosen else ".")
    not_random = "" if chosen and "random" in chosen.manifest["config"]["rule"] else "It is no random choice of rows."
    return " ".join(filter(None, [f"{plain(found.headline)}.", what, not_random, ONE_SEED]))


def _comparison(report: Artifact) -> str:
    """What the report of several seeds or arms came to."""
    summary = json.loads((report.path / "summary.json").read_text(encoding="utf-8"))
    told = str(summary.get("headline") or summary.get("advice") or "")
    return f"The comparison it comes from (`{report.id}`): {plain(told)}."


# How it was made ----------------------------------------------------------------------------------------------------


def _settings(bundle: Bundle) -> str:
    parts = [
        f"`{step.stage}` ({', '.join(_numbers(step))})\n\n"
        + table(["setting", "value"], [[f"`{key}`", _shown(value)] for key, value in step.settings.items()])
        for step in bundle.history.trainings
    ]
    return "\n\n".join(["## Training", *parts]) if parts else ""


def _numbers(step: Training) -> Iterator[str]:
    for key in ("steps", "loss"):
        if (value := step.model.stats.get(key)) is not None:
            yield f"{key} {value:,.4g}" if isinstance(value, float) else f"{key} {value:,}"
    yield f"{numbers.duration(step.model.seconds)} of work"


def _shown(value: Any) -> str:
    """A setting on one line; of a path its name alone, for where a machine keeps a file is its own."""
    if isinstance(value, str) and value.startswith(("/", "~")):
        return plain(PurePath(value).name)
    return plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _checks(bundle: Bundle) -> str:
    told = [f"The weights are {bundle.checks['dtype']}."]
    for what, found in bundle.checks["agreement"].items():
        moved = f"moved the logits of a few texts by {found.distance:.1e} of their norm"
        same = f"the most likely token stayed the same at {found.same_token:.1%} of the places"
        told.append(f"{what} {moved}; {same}.")
    return "## Export\n\n" + " ".join(told)


def _lineage(bundle: Bundle) -> str:
    rows = [[f"`{i}`", _stage(found)] for i, found in bundle.history.ancestors.items()]
    asked = [found.evaluation for found in _runs(bundle.result)] + [r for r in [bundle.comparison] if r]
    rows += [[f"`{found.id}`", _stage(found)] for found in asked]
    told = f"Made by Sluicegate {__version__} from these artifacts, each named by the hash of its recipe:"
    return f"## Lineage\n\n{told}\n\n" + table(["artifact", "stage"], rows)


def _runs(result: Result | None) -> list[Any]:
    return [run for run in (result.asked, result.control) if run] if result else []


def _stage(found: Artifact | None) -> str:
    return found.manifest.get("stage", "given") if found else "not here any more"
