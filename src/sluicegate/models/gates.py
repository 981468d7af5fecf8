"""The surprise gate: a few parameters beside each MLP of a frozen decoder that tell good responses from damaged ones.

A gate reads the normalised state entering its layer's MLP at a response token and at the token before, and how
surprised the model was; it never changes what the model computes. Gates hang on a plain model as
`layer.mlp.quality_gate` and live in a file of their own beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from sluicegate.artifacts import file_hash
from sluicegate.errors import ArtifactError

WEIGHTS = "gate.safetensors"
SETTINGS = "gate.json"
N_SURPRISE = 4
N_CONTEXT_GAIN = 4


class SurpriseGate(nn.Module):
    """One layer's gate: `z_t = out · SiLU(now x_t + before x_{t-1} + surprise s_t + bias) + out_bias`.

    Raw parameters on purpose: PEFT's `all-linear` captures every `nn.Linear` it finds.

    Args:
        width: H, the size of the residual stream.
        rank: R, the size of the gate's hidden layer.
        n_surprise: S, how many numbers tell a token's surprise.
    """

    def __init__(self, width: int, rank: int, n_surprise: int) -> None:
        super().__init__()
        fan_in = 2 * width + n_surprise
        self.now = nn.Parameter(torch.randn(rank, width) / fan_in**0.5)  # (R, H)
        self.before = nn.Parameter(torch.randn(rank, width) / fan_in**0.5)  # (R, H)
        self.surprise = nn.Parameter(torch.randn(rank, n_surprise) / fan_in**0.5)  # (R, S)
        self.bias = nn.Parameter(torch.zeros(rank))  # (R,)
        self.out = nn.Parameter(0.3 * torch.randn(rank))  # (R,)
        self.out_bias = nn.Parameter(torch.zeros(()))
        self.projected: tuple[Tensor, Tensor] | None = None
        """(B, T, R) twice, from the last forward of the model the gate hangs on."""
        self.hook: RemovableHandle | None = None

    def project(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The state's part of the gate, at rank size: (..., H) to two of (..., R)."""
        x = x.to(self.now.dtype)
        return x @ self.now.T, x @ self.before.T

    def logits(self, now: Tensor, before: Tensor, surprise: Tensor) -> Tensor:
        """Token logits from projections at t (T, R) and t-1 (T, R) and surprise (T, S): (T,)."""
        hidden = F.silu(now + before + surprise @ self.surprise.T + self.bias)  # (T, R)
        return hidden @ self.out + self.out_bias

    @torch.no_grad()
    def fold(self, state: tuple[Tensor, Tensor], surprise: tuple[Tensor, Tensor]) -> None:
        """Take the standardisation of the inputs, (mean, deviation) of each, into the weights."""
        for weight, (mean, deviation) in ((self.now, state), (self.before, state), (self.surprise, surprise)):
            weight.div_(deviation)
            self.bias.sub_(weight @ mean)


def decoder_layers(model: nn.Module) -> nn.ModuleList:
    """The decoder stack: the longest `ModuleList` whose items are all `GradientCheckpointingLayer`.

    Raises:
        ArtifactError: no such list, or its layers have no `mlp`.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    stacks = [m for m in model.modules() if isinstance(m, nn.ModuleList) and len(m)]
    stacks = [s for s in stacks if all(isinstance(layer, GradientCheckpointingLayer) for layer in s)]
    stack = max(stacks, key=len, default=None)
    if stack is None or not all(hasattr(layer, "mlp") for layer in stack):
        raise ArtifactError(f"{type(model).__name__} has no list of decoder layers with an `mlp` to gate",
                            "score it with signals that need no gate: signals=[perplexity, length]")  # fmt: skip
    return stack


def spaced_layers(n_layers: int, most: int) -> list[int]:
    """At most `most` layer numbers, evenly spaced, the last one always among them."""
    n = min(n_layers, most)
    return [round((i + 1) * n_layers / n) - 1 for i in range(n)]


def attach(model: nn.Module, gates: Mapping[int, SurpriseGate]) -> None:
    """Hang gates on a plain model; its outputs stay bit-identical. Projections are kept from the next forward on."""
    device = next(model.parameters()).device
    for number, gate in gates.items():
        mlp = mlp_of(model, number)
        mlp.quality_gate = gate.to(device)
        gate.hook = mlp.register_forward_hook(_keep_projections)


def detach(model: nn.Module) -> dict[int, SurpriseGate]:
    """Take the gates off again; the model is as it was."""
    gates = attached(model)
    for number, gate in gates.items():
        assert gate.hook is not None
        gate.hook.remove()
        del mlp_of(model, number).quality_gate
    return gates


def attached(model: nn.Module) -> dict[int, SurpriseGate]:
    """The gates on a model, by layer number."""
    found = {i: getattr(mlp_of(model, i), "quality_gate", None) for i in range(len(decoder_layers(model)))}
    return {i: gate for i, gate in found.items() if gate is not None}


def mlp_of(model: nn.Module, number: int) -> Any:
    """The MLP of one decoder layer."""
    return decoder_layers(model)[number].mlp


def _keep_projections(mlp: Any, args: tuple[Tensor, ...], output: object) -> None:
    mlp.quality_gate.projected = mlp.quality_gate.project(args[0])  # 2 × (B, T, R)


def gate_logits(gates: Sequence[SurpriseGate], row: Tensor, position: Tensor, surprise: Tensor, n_rows: int) -> Tensor:
    """Each row's score from the projections of the last forward: soft-min over its tokens, mean over layers.

    Args:
        row: (T,) which row of the batch a response token stands in.
        position: (T,) where in that row.
        surprise: (T, S).

    Returns:
        (B,) with B = n_rows.
    """
    scores = []
    for gate in gates:
        assert gate.projected is not None, "run the model first"
        now, before = gate.projected
        z = gate.logits(now[row, position], before[row, position - 1], surprise)  # (T,)
        scores.append(soft_min(z, row, n_rows))
    return torch.stack(scores).mean(0)


def soft_min(z: Tensor, row: Tensor, n_rows: int) -> Tensor:
    """−log mean exp(−z) over the tokens of each row: (T,) to (B,); +inf for a row without tokens."""
    top = torch.full((n_rows,), -torch.inf, dtype=z.dtype, device=z.device).scatter_reduce(0, row, -z.detach(), "amax")
    mass = torch.zeros_like(top).index_add(0, row, torch.exp(-z - top[row]))
    count = torch.bincount(row, minlength=n_rows).to(z.dtype)
    return count.log() - mass.log() - top


def surprise_features(loss: Tensor, entropy: Tensor, row: Tensor, free_loss: Tensor | None) -> Tensor:
    """How surprising each response token was: (T, 4), or (T, 8) with the context gain.

    Args:
        loss: (T,) cross-entropy of the token, in nats.
        entropy: (T,) of the distribution it was drawn from, in nats.
        row: (T,) non-decreasing; the tokens of a row stand together.
        free_loss: (T,) the loss without the prompt before it; None leaves the context gain out.
    """
    columns = [loss, entropy, loss - entropy, loss.clamp(max=3.0)]
    if free_loss is not None:
        gain = free_loss - loss
        clipped = gain.clamp(-3.0, 3.0)
        columns += [free_loss, gain, clipped, _running_mean(clipped, row)]
    return torch.stack(columns, -1)


def _running_mean(values: Tensor, row: Tensor) -> Tensor:
    """The mean of a row's values up to and with each token: (T,) to (T,)."""
    total = values.double().cumsum(0)
    first = torch.searchsorted(row, row)  # (T,) where each token's row begins
    before = torch.where(first > 0, total[(first - 1).clamp(min=0)], 0.0)
    count = torch.arange(1, len(row) + 1, device=row.device) - first
    return ((total - before) / count).to(values.dtype)


def save_gates(gates: dict[int, SurpriseGate], folder: Path) -> None:
    """Write `gate.safetensors`; keys are `<layer>.<parameter>`."""
    from safetensors.torch import save_file

    tensors = {
        f"{i}.{n}": p.detach().cpu().contiguous() for i, gate in gates.items() for n, p in gate.named_parameters()
    }
    save_file(tensors, folder / WEIGHTS)


def load_gates(folder: Path) -> dict[int, SurpriseGate]:
    """The gates of a gate artifact, by layer number."""
    from safetensors.torch import load_file

    tensors = load_file(folder / WEIGHTS)
    gates: dict[int, SurpriseGate] = {}
    for number in sorted({int(key.partition(".")[0]) for key in tensors}):
        state = {k.partition(".")[2]: v for k, v in tensors.items() if k.startswith(f"{number}.")}
        gates[number] = SurpriseGate(state["now"].shape[1], state["now"].shape[0], state["surprise"].shape[1])
        gates[number].load_state_dict(state)
    return gates


def weights_hash(folder: Path) -> str:
    """12 hex digits over a model folder's weight files: what a gate was made for."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(file_hash(path).encode())
    return digest.hexdigest()[:12]
