"""model + trusted rows (+ data) → gate."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from sluicegate.artifacts import Artifact, write_json
from sluicegate.errors import CheckFailed, ConfigError
from sluicegate.models.meter import Meter
from sluicegate.schema import Kind, Record
from sluicegate.stages.base import Sizes, Stage
from sluicegate.training.gates.warmup_config import WarmupConfig

if TYPE_CHECKING:
    from sluicegate.models.load import Loaded
    from sluicegate.training.gates.warmup import Warmed


class Warmup(Stage):
    """Trains only the gates of a frozen model.

    The default kind learns to tell `trusted` rows from damage done to them. The earlier kinds learn from `data`, or
    from trusted rows where there is none; a fifth of these is then set aside to measure them by.
    """

    name = "warmup"
    makes: ClassVar[Kind] = "gate"
    takes: ClassVar[dict[str, Kind]] = {"model": "model"}
    may_take: ClassVar[dict[str, Kind]] = {"trusted": "messages", "data": "messages"}
    version = 2

    class Config(WarmupConfig):
        pass

    def check(self, config: Any, wires: Collection[str]) -> None:
        """The kind of gate has the rows that it learns from, and what is asked can be measured."""
        hint = "add `trusted:` with a prepare step of rows you believe in"
        if config.kind == "surprise" and "trusted" not in wires:
            raise ConfigError("a surprise gate learns from trusted rows, and there are none", hint)
        if config.kind != "surprise" and not {"trusted", "data"} & set(wires):
            raise ConfigError(f"a {config.kind} gate has no rows to learn from", "add `data:` or `trusted:`")
        if config.kind != "surprise" and config.balance is not None and not {"trusted", "data"} <= set(wires):
            raise ConfigError("balance weighs `data` against `trusted`, and one is missing", "add it, or drop balance")
        if config.min_auroc is not None and "trusted" not in wires:
            raise ConfigError("min_auroc is measured on trusted rows, and there are none", hint)
        if config.kind == "surprise" and config.cross_fit and config.reference.method == "off":
            raise ConfigError("cross_fit tunes two copies, and reference is off", "drop one of them")

    def estimate(self, config: WarmupConfig, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """The rows it learns from; trusted ones are also read in damaged versions."""
        read = "trusted" if config.kind == "surprise" or "data" not in inputs else "data"
        return dict(inputs[read])

    def fill(self, out: Path, config: WarmupConfig, inputs: dict[str, Artifact]) -> dict[str, Any]:
        from sluicegate.models.gates.files import weights_hash
        from sluicegate.training.gates.held_out import tell

        base, surprise = inputs["model"], config.kind == "surprise"
        meter = Meter()
        warmed = (_surprise if surprise else _by_ratio)(meter, base.path, config, inputs, out)
        if warmed.judged:
            tell(warmed.facts)
            _check(config, warmed)
        settings: dict[str, Any] = {"kind": config.kind, "trainable": config.trainable}
        settings |= {"rank": config.rank, "context_gain": config.context_gain} if surprise else {"context_gain": False}
        settings |= {"base": base.id, "base_weights": weights_hash(base.path), "acts": warmed.acts}
        _write(out, warmed, settings)
        told = {key: warmed.facts[key] for key in ("auroc", "auroc_unseen") if warmed.facts.get(key) is not None}
        told |= {"trusted_rows": warmed.facts["trusted_rows"], "parameters": warmed.parameters}
        return told | meter.take().told() | _spent_on_copies(warmed)


def _surprise(meter: Meter, base: Path, config: WarmupConfig, inputs: Mapping[str, Artifact], out: Path) -> Warmed:
    from sluicegate.models.load import load_encoder, load_plain
    from sluicegate.training.gates.warmup import check_enough, cross_fit, warm_up

    trusted = _rows(inputs, "trusted")
    check_enough(trusted)
    open_base, encoder = partial(meter.open, partial(load_plain, base)), load_encoder(base, config.max_length)
    with meter.running():
        if config.cross_fit:
            return cross_fit(open_base, encoder, trusted, config, out)
        return warm_up(open_base(), trusted, config, out)


def _by_ratio(meter: Meter, base: Path, config: WarmupConfig, inputs: Mapping[str, Artifact], out: Path) -> Warmed:
    """Gates of the earlier kinds, measured on damage to trusted rows that they did not learn from."""
    from sluicegate.models.load import load_plain
    from sluicegate.training.gates.held_out import set_aside
    from sluicegate.training.gates.ratio import warm_up_ratio

    trusted, data = _rows(inputs, "trusted"), _rows(inputs, "data")
    learns = not data or config.balance is not None
    learned, held = set_aside(trusted, config.seed) if learns else ([], trusted)
    loaded = load_plain(base)
    meter.watch(loaded.model)
    with meter.running():
        warmed = warm_up_ratio(loaded, learned, data, config, out)
        warmed = replace(warmed, facts=warmed.facts | {"trusted_rows": len(trusted)})
        return _examined(warmed, loaded, held, config, out) if held else warmed


def _examined(warmed: Warmed, loaded: Loaded, held: list[Record], config: WarmupConfig, out: Path) -> Warmed:
    """The same gates, with what they make of rows held out and of damage to them."""
    from sluicegate.models.reference import load_reference
    from sluicegate.training.gates.held_out import judge, measure
    from sluicegate.training.gates.lessons import make_lessons

    lessons = make_lessons(held, loaded.encoder(config.max_length), config, taught=False)
    if copy := warmed.facts["reference"]:
        loaded = replace(loaded, model=load_reference(loaded.model, out, copy))
    judged = judge(loaded, warmed.gates, lessons, config.read_batch_tokens)
    return replace(warmed, facts=warmed.facts | measure(judged), judged=judged)


def _rows(inputs: Mapping[str, Artifact], name: str) -> list[Record]:
    return cast(list[Record], list(inputs[name].rows("messages"))) if name in inputs else []


def _check(config: WarmupConfig, warmed: Warmed) -> None:
    """Raises CheckFailed, with a report of why, where the gate is not as good as the user asked for."""
    from sluicegate.training.gates.failed_gate import explain

    auroc = warmed.facts["auroc"]
    if config.min_auroc is None or auroc >= config.min_auroc:
        return
    kind, least = min(warmed.facts["auroc_by_kind"].items(), key=lambda item: item[1])
    raise CheckFailed(
        f"held-out AUROC {auroc:.3f} is under min_auroc {config.min_auroc} (weakest: {kind} {least:.3f})",
        "give more trusted rows, or a base that knows the domain better",
        explain(config, warmed),
    )


def _spent_on_copies(warmed: Warmed) -> dict[str, float]:
    """The part of the cost that is the reference copies', which is all that a signal costs that reads only them."""
    copies = [one.facts["reference"] for one in (warmed, *warmed.members.values())]
    spent = sum(copy.get("forward_tokens", 0) for copy in copies if copy)
    return {"copy_forward_tokens": spent} if spent else {}


def _write(folder: Path, warmed: Warmed, settings: dict[str, Any]) -> None:
    """`gate.json` and the weights; those of a cross-fitted gate lie in its members' folders."""
    from sluicegate.models.gates.files import SETTINGS, save_gates

    write_json(folder / SETTINGS, settings | warmed.facts)
    if warmed.gates:
        save_gates(warmed.gates, folder)
    for name, member in warmed.members.items():
        _write(folder / name, member, settings)
