"""gate (+ model) → model, gates and all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from sluicegate.artifacts import Artifact
from sluicegate.errors import ConfigError
from sluicegate.runtime import say
from sluicegate.schema import Kind
from sluicegate.stages.base import Stage


class Convert(Stage):
    """Writes a folder that stands alone: the model a gate reads, with the gate in it.

    After `import sluicegate`, `AutoModelForCausalLM` opens it as `QualityGateForCausalLM`; without, as the plain model.
    """

    name = "convert"
    makes: ClassVar[Kind] = "model"
    takes: ClassVar[dict[str, Kind]] = {"gate": "gate"}
    may_take: ClassVar[dict[str, Kind]] = {"model": "model"}

    class Config(Stage.Config):
        member: str | None = None
        """Which of a cross-fitted gate's members to take, for each reads a copy of its own: 0 or 1."""

    def fill(self, out: Path, config: Config, inputs: dict[str, Artifact]) -> dict[str, Any]:
        from sluicegate.models.gates.files import check_base, load_gates
        from sluicegate.models.load import load_plain
        from sluicegate.models.quality_gate import HEADER, put_gates_in

        gate, base = inputs["gate"], inputs.get("model") or inputs["gate"].parent("model")
        folder, facts = _member(gate, config.member)
        check_base(gate.id, facts, base.path)
        loaded = load_plain(base.path, base.path.name)
        model = _model_read(loaded.model, base.path, folder, facts)
        encoder = loaded.encoder(2)  # only for the words that open a turn
        header = loaded.tokenizer(encoder.header, add_special_tokens=False)["input_ids"]
        told = facts | {"reference": None, "tuned": facts["reference"], HEADER: header}
        gates = load_gates(folder)
        put_gates_in(model, gates, told).save_pretrained(out)
        loaded.tokenizer.save_pretrained(out)
        counts = [sum(p.numel() for p in gate.parameters()) for gate in gates.values()]
        return {"parameters": model.num_parameters(), "gate_parameters": sum(counts), "gated_layers": len(gates)}


def _member(gate: Artifact, member: str | None) -> tuple[Path, dict[str, Any]]:
    """The folder of the gate that is meant, and what its `gate.json` says."""
    from sluicegate.models.gates.files import read_settings

    members = read_settings(gate.path).get("members", [])
    if member not in (members or [None]):
        known = f"give member={members[0]} or member={members[-1]}" if members else "leave member out"
        raise ConfigError(f"gate {gate.id} has {len(members) or 'no'} members, none of them '{member}'", known)
    folder = gate.path / member if member else gate.path
    return folder, read_settings(folder)


def _model_read(model: Any, base: Path, gate: Path, facts: dict[str, Any]) -> Any:
    """The base in the dtype it was saved in, or the tuned copy in the one it was tuned in."""
    from transformers import AutoConfig

    from sluicegate.models.adapters import SETTINGS
    from sluicegate.models.reference import load_reference

    if facts["reference"]:
        say(f"  the gate reads a tuned copy ({facts['reference']['method']}): that is what is written, not the base")
        return load_reference(model, gate, facts["reference"])
    if (base / SETTINGS).is_file():  # merged, in the dtype it was merged in
        return model
    return model.to(AutoConfig.from_pretrained(base).dtype or model.dtype)
