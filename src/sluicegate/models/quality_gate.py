"""A causal language model that carries its gates: what `sluice convert` writes and `AutoModelForCausalLM` opens.

The folder is that of a plain model, under the base's own names, with `gate.safetensors` and `gate.json` beside it. So
whoever does not know of gates opens the base part of it. A gated model is an object of its base's class with gates
put on; it changes its class for as long as it has them, and transformers loads and saves it as the plain model it is.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from sluicegate.artifacts import write_json
from sluicegate.errors import ArtifactError
from sluicegate.models.encode import IGNORED, Encoded
from sluicegate.models.gates.base import Gate, Tokens, attach, attached, detach, token_logits
from sluicegate.models.gates.files import SETTINGS, WEIGHTS, load_gates, save_gates
from sluicegate.models.gates.surprise import surprise_features
from sluicegate.models.surprise import CHUNK, free_losses, loss_and_entropy

HEADER = "header_ids"
"""Key of `gate.json`: the tokens that open an assistant turn, which a gate with context gain reads responses behind."""
HUB = ("cache_dir", "force_download", "local_files_only", "revision", "subfolder", "token")
"""Arguments of `from_pretrained` that say where a file is."""


class QualityGateForCausalLM:
    """What every gated class adds to its `plain` one; `gated_class` makes them.

    Gates that observe leave logits, loss and replies as the plain model's, bit for bit. Those that act (see
    `Gate.acts`) take part in every forward pass; the weights saved are the plain ones all the same.

    Gates are frozen: they learn in a warm-up only.
    """

    plain: ClassVar[Any]
    """The class of transformers it is a subclass of."""
    gate_facts: dict[str, Any]
    """What `gate.json` says."""

    @classmethod
    def from_pretrained(cls, path: str | Path, *args: Any, **kwargs: Any) -> Any:
        """The plain model, as its own class opens it, with the gates of the same folder or hub repository."""
        from transformers.utils.hub import cached_file

        at = {name: kwargs[name] for name in HUB if kwargs.get(name) is not None}
        _, settings = (Path(str(cached_file(path, name, **at))) for name in (WEIGHTS, SETTINGS))
        found = cls.plain.from_pretrained(path, *args, **kwargs)
        model = found[0] if isinstance(found, tuple) else found  # with what `output_loading_info` asks for
        put_gates_in(model, load_gates(settings.parent), json.loads(settings.read_text(encoding="utf-8")))
        return found

    def save_pretrained(self: Any, save_directory: str | Path, *args: Any, **kwargs: Any) -> None:
        """The plain model's folder, with the gates and what is known of them beside it."""
        gates = detach(self)
        if state := kwargs.get("state_dict"):
            kwargs["state_dict"] = {k: v for k, v in state.items() if ".quality_gate." not in k}
        gated, self.__class__ = type(self), self.plain
        try:
            self.save_pretrained(save_directory, *args, **kwargs)
        finally:
            if gates:  # else they were taken off before, and the model stays of its plain class
                attach(self, gates)
                self.__class__ = gated
        if gates and kwargs.get("is_main_process", True):
            self.config.architectures = [gated.__name__]
            self.config.save_pretrained(save_directory)
            save_gates(gates, Path(save_directory))
            write_json(Path(save_directory) / SETTINGS, self.gate_facts)

    @classmethod
    def is_custom_code(cls) -> bool:
        """As for the plain class: peft then finds a mixture's experts under the names they have in files."""
        return cls.plain.is_custom_code()

    @torch.no_grad()
    def gate_logits(
        self: Any, logits: Tensor, ids: Tensor, response: Tensor, free_loss: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Each gated layer's logits (B, T) of the model's last forward, NaN where there is no response token.

        Args:
            logits: (B, T, V) what that forward gave.
            ids: (B, T) what it read.
            response: (B, T) which of them are response tokens.
            free_loss: (N,) the loss of each without its prompt, where the gates want it.
        """
        gates = attached(self)
        row, position = response.nonzero(as_tuple=True)  # (N,) each
        chunks = zip(row.split(CHUNK), position.split(CHUNK), strict=True)
        parts = [loss_and_entropy(logits[r, p - 1].float(), ids[r, p]) for r, p in chunks]
        loss, entropy = (torch.cat(part) for part in zip(*parts, strict=True))
        surprise = surprise_features(loss, entropy, row, free_loss).to(next(next(iter(gates.values())).parameters()))
        z = token_logits(list(gates.values()), Tokens(row, position, surprise))  # (L, N)
        grid = z.new_full((len(gates), *ids.shape), torch.nan)
        grid[:, row, position] = z
        return grid.unbind(0)

    def free_losses(self: Any, ids: Tensor, real: Tensor, response: Tensor) -> Tensor | None:
        """The loss (N,) of every response token without its prompt; None where the gates do not ask for it."""
        if not self.gate_facts["context_gain"]:
            return None
        header = self.gate_facts[HEADER]
        rows = [_encoded(*row, header) for row in zip(ids, real, response, strict=True)]
        return torch.cat(free_losses(self, [row for row in rows if row.spans], pad_id=0, batch_size=len(rows)))


def put_gates_in(model: Any, gates: Mapping[int, Gate], facts: dict[str, Any]) -> Any:
    """The same model, a plain one until now, of a gated class.

    Args:
        gates: by layer number; they are frozen.
        facts: what `gate.json` says.
    """
    for gate in gates.values():
        gate.requires_grad_(False)
    attach(model, gates)
    plain: Any = type(model)
    model.gate_facts, model.__class__ = facts, gated_class(plain)
    return model


def take_gates_off(model: Any) -> Any:
    """The same model, of its plain class again; one that carries no gates stays as it is."""
    if hasattr(model, "gate_facts"):
        detach(model)
        model.__class__ = model.plain
        del model.gate_facts
    return model


@functools.cache
def gated_class(plain: Any) -> Any:
    """`QualityGateForCausalLM` over one class of causal language models; the same at every call.

    Its `forward` has the plain one's arguments, for transformers reads off them what a model understands.
    """
    arguments = inspect.signature(plain.forward)

    @functools.wraps(plain.forward)
    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("output_router_logits"):
            return plain.forward(self, *args, **kwargs)
        del kwargs["output_router_logits"]
        given = arguments.bind(self, *args, **kwargs).arguments
        ids, real, response = _tokens(self, given)
        free = self.free_losses(ids, real, response)  # before the pass whose states the gates keep
        out = plain.forward(self, *args, **kwargs | {"return_dict": True})
        if out.logits.shape[:2] != ids.shape:
            raise ValueError("gate logits need the logits of every token: leave logits_to_keep out")
        return _with_gates(out, self.gate_logits(out.logits, ids, response, free))

    forward.__doc__ = FORWARD
    return type(QualityGateForCausalLM.__name__, (QualityGateForCausalLM, plain), {"plain": plain, "forward": forward})


FORWARD = """The plain model's forward; with `output_router_logits=True` also `router_logits`, the gates' judgement.

That is a tuple with logits (B, T) per gated layer, high is good, in place of a mixture's own. They tell of response
tokens and are NaN elsewhere. With `labels` the response is what they do not ignore, and what stands before it is its
prompt; without labels it is the whole row. The first token of a row is predicted from nothing, so it is never response.
A gate warmed up with `context_gain` also asks for a pass over the responses without their prompts.

Rows are whole conversations, padded left or right: `input_ids`, no cache, one conversation a row, all logits kept.
"""


def _tokens(model: Any, given: Mapping[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids of a batch, and which of them are no padding and which are response: (B, T) each."""
    if not attached(model):
        raise ArtifactError("the gates were taken off this model", "open its folder again")
    ids, mask, labels = (given.get(name) for name in ("input_ids", "attention_mask", "labels"))
    if ids is None or (mask is not None and mask.shape != ids.shape):
        raise ValueError("gate logits are of whole rows: give input_ids and a mask of the same shape, and no cache")
    real = torch.ones_like(ids, dtype=torch.bool) if mask is None else mask.bool()
    response = real & (real.cumsum(1) > 1)
    return ids, real, response if labels is None else response & (labels != IGNORED)


def _encoded(ids: Tensor, real: Tensor, response: Tensor, header: list[int]) -> Encoded:
    """One row (T,) as what was encoded, its padding left out."""
    tokens, flags = ids[real].tolist(), response[real].tolist()
    turns = [[i for i, _ in turn] for said, turn in groupby(enumerate(flags), lambda pair: pair[1]) if said]
    spans = [(turn[0], turn[-1] + 1) for turn in turns]
    start = spans[-1][0] if spans else 0
    headed = tokens[max(0, start - len(header)) : start] == header
    return Encoded("", tokens, spans, len(header) if headed else 0, 0)


def _with_gates(out: Any, gate_logits: tuple[Tensor, ...]) -> Any:
    """The output of a forward with the gates' logits in it, in the class transformers has for routers' logits."""
    from transformers.modeling_outputs import MoeCausalLMOutputWithPast

    kept = ("loss", "aux_loss", "logits", "past_key_values", "hidden_states", "attentions")
    found: dict[str, Any] = {name: out.get(name) for name in kept}
    return MoeCausalLMOutputWithPast(**found | {"router_logits": gate_logits})
