"""Warming up the gates of the two earlier designs: the loss, what learns from it, and that the base stays as it was."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from sluicegate.errors import ArtifactError, ConfigError, DataError, SluiceError
from sluicegate.models.encode import Encoded
from sluicegate.models.gates.base import Gate, attach, detach
from sluicegate.models.gates.files import load_gates, save_gates
from sluicegate.models.gates.linear import LinearGate
from sluicegate.models.gates.router import router_of
from sluicegate.models.layers import decoder_layers, mlp_of
from sluicegate.models.load import Loaded
from sluicegate.models.reference import load_reference
from sluicegate.schema import Record, make_record
from sluicegate.testing import tiny_config
from sluicegate.training.gates import ratio
from sluicegate.training.gates.ratio import make_gates, warm_up_ratio
from sluicegate.training.gates.ratio_loss import collate_weighed, gate_loss, lay_out, row_tensors
from sluicegate.training.gates.warmup_config import WarmupConfig
from tiny_architectures import tiny_architecture


def sums(n: int, seed: int = 0) -> list[Record]:
    rng = random.Random(seed)
    pairs = [(rng.randrange(10, 60), rng.randrange(10, 2000)) for _ in range(n)]
    chats = [
        [{"role": "user", "content": f"{a}+{b}?"}, {"role": "assistant", "content": f"It is {a + b}." * (1 + a % 3)}]
        for a, b in pairs
    ]
    return [make_record(chat, "sums", "en") for chat in chats]  # type: ignore[arg-type]


def base(make_tokenizer: Any, family: Any = "qwen3") -> Loaded:
    """A random model, its weights so large that a change of any of them shows."""
    from transformers import AutoModelForCausalLM

    tokenizer = make_tokenizer()
    torch.manual_seed(0)
    tokens = {"vocab_size": len(tokenizer), "pad_token_id": 0, "eos_token_id": 1}
    model = AutoModelForCausalLM.from_config(tiny_config(family, **tokens))
    for p in model.parameters():
        if p.dim() > 1:
            torch.nn.init.normal_(p, std=0.2)
    return Loaded(model.eval(), tokenizer)


def config(**settings: Any) -> WarmupConfig:
    return WarmupConfig(**{"kind": "trash", "batch_size": 8, **settings})


def encoded(n_prompt: int, n_label: int) -> Encoded:
    ids = list(range(5, 5 + n_prompt + n_label))
    return Encoded("", ids, [(n_prompt, n_prompt + n_label)], 0, 0)


# The loss

G = torch.tensor([[0.1, 0.2, 0.6, 0.9], [0.5, 0.5, 0.5, 0.3]])
"""Two layers; a row of three tokens and one of one."""
ROW = torch.tensor([0, 0, 0, 1])
TWO = [(encoded(2, 3), False), (encoded(5, 1), True)]


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"average": "sample"}, ((0.1 + 0.2 + 0.6) / 3 + 0.9 + 0.5 + 0.3) / 4),
        ({"average": "token"}, (0.1 + 0.2 + 0.6 + 0.9 + 1.5 + 0.3) / 8),
        ({"average": "sample", "balance": 0.5}, (0.5 * 0.3 + 1.5 * 0.1 + 0.5 * 0.5 + 1.5 * 0.7) / 4),
        ({"average": "token", "balance": 0.5}, (0.5 * 0.9 + 1.5 * 0.1 + 0.5 * 1.5 + 1.5 * 0.7) / 8),
    ],
)
def test_the_mean_gate_by_hand(settings: dict[str, Any], wanted: float) -> None:
    asked = config(**settings)
    (step,) = lay_out(TWO, asked)
    assert [row.trusted for row in step] == [False, True]
    assert gate_loss(G, ROW, row_tensors(step), asked.balance).item() == pytest.approx(wanted)


def test_every_pass_has_every_row_and_only_the_last_step_is_short() -> None:
    rows = [(encoded(2, n), False) for n in range(1, 12)]
    steps = lay_out(rows, config(epochs=2, batch_size=4))
    assert [len(step) for step in steps] == [4, 4, 4, 4, 4, 2]
    seen = sorted(row.encoded.n_label for step in steps for row in step)
    assert seen == sorted(2 * list(range(1, 12)))
    for step in steps:
        assert sum(row.token_weight * row.encoded.n_label for row in step) == pytest.approx(1)
        assert sum(row.gate_weight * row.encoded.n_label for row in step) == pytest.approx(1)


@pytest.mark.parametrize("average", ["sample", "token"])
@pytest.mark.parametrize("balance", [None, 0.7])
def test_a_step_has_the_gradient_of_the_loss_by_hand_however_it_is_cut(
    average: str, balance: float | None, make_tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"average": average, "balance": balance, "quality_loss_weight": 0.3, "epochs": 1}
    trusted, data = sums(3), sums(5, seed=1)
    wanted = by_hand(base(make_tokenizer), trusted if balance else [], data, **given)
    found: list[list[Tensor]] = []
    monkeypatch.setattr(ratio, "RatioTrainer", spying(found))
    for tokens in (10_000, 90, 1):
        warm_up_ratio(base(make_tokenizer), trusted, data, config(**given, read_batch_tokens=tokens), tmp_path)
    torch.testing.assert_close(found, 3 * [wanted], rtol=1e-4, atol=1e-7)


def spying(found: list[list[Tensor]]) -> Any:
    """A trainer that lists its gates' gradients before every step of its optimizer."""
    from transformers import TrainerCallback

    class Spy(TrainerCallback):
        def __init__(self, gates: Any) -> None:
            self.gates = gates

        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            found.append([p.grad.clone() for gate in self.gates for p in gate.parameters()])

    class Spied(ratio.RatioTrainer):
        def __init__(self, gates: Any, *args: Any, **kwargs: Any) -> None:
            super().__init__(gates, *args, **kwargs)
            self.add_callback(Spy(gates))

    return Spied


def by_hand(
    loaded: Loaded, trusted: list[Record], data: list[Record], *, average: str, balance: float | None, **_: Any
) -> list[Tensor]:
    """The gradient of LM loss + 0.3 · mean gate over one step, row by row."""
    torch.manual_seed(0)
    asked = config(average=average, balance=balance)
    gates: dict[int, Any] = make_gates(loaded.model, asked)
    attach(loaded.model.requires_grad_(False).train(), gates)
    nll, per_row = [], []
    for record, b in [(r, None) for r in data] + [(r, balance) for r in trusted]:
        e = loaded.encoder(2048).encode(record)
        logits = loaded.model(torch.tensor([e.ids]), use_cache=False).logits[0]
        ((start, end),) = e.spans
        nll.append(F.cross_entropy(logits[start - 1 : end - 1], torch.tensor(e.ids[start:end]), reduction="none"))
        g = torch.stack([gate.z[0, start:end].sigmoid() for gate in gates.values()]).mean(0)
        per_row.append(g if balance is None else balance * g if b is None else (2 - b) * (1 - g))
    mean = torch.stack([g.mean() for g in per_row]).mean() if average == "sample" else torch.cat(per_row).mean()
    (torch.cat(nll).mean() + 0.3 * mean).backward()
    return [p.grad for gate in gates.values() for p in gate.parameters()]


def test_the_load_balancing_loss_is_the_models_own(make_tokenizer: Any, tmp_path: Path) -> None:
    loaded = base(make_tokenizer, "olmoe")
    model: Any = loaded.model
    model.config.router_aux_loss_coef = model.router_aux_loss_coef = 0.5
    rows = [(e, False) for e in loaded.encoder(99).encode_batch(sums(6))]
    losses = []
    for balancing in (False, True):
        asked = config(kind="linear", trainable="router", load_balancing=balancing, quality_loss_weight=0.0)
        gates = make_gates(loaded.model, asked)
        steps = lay_out(rows, asked)
        attach(loaded.model, gates)
        args = ratio._arguments(loaded, steps, asked, tmp_path)
        trainer = ratio.RatioTrainer(list(gates.values()), asked, model=loaded.model, args=args)
        losses.append(trainer.compute_loss(loaded.model, collate_weighed(steps[0], 0)).item())
        detach(loaded.model)
    batch = {k: v for k, v in collate_weighed(steps[0], 0).items() if k in ("input_ids", "attention_mask", "labels")}
    with torch.no_grad():
        own = loaded.model(**batch, output_router_logits=True)
        assert losses[0] == pytest.approx(loaded.model(**batch).loss.item(), rel=1e-5)
    assert losses[1] == pytest.approx(own.loss.item(), rel=1e-5)
    assert own.aux_loss > 0


# What learns

EVERY: list[tuple[str, dict[str, Any]]] = [
    ("qwen3", {"kind": "linear"}),
    ("qwen3", {"kind": "linear", "mode": "lora"}),
    ("qwen3", {"kind": "trash"}),
    ("qwen3", {"kind": "trash", "trash": "noise"}),
    ("qwen3", {"kind": "trash", "mode": "lora"}),
    ("qwen3_moe", {"kind": "linear", "trainable": "router"}),
    ("olmoe", {"kind": "linear", "trainable": "router", "mode": "lora", "load_balancing": True}),
    ("qwen3_moe", {"kind": "trash", "trainable": "router", "trash": "noise"}),
    ("olmoe", {"kind": "trash", "trainable": "router", "mode": "lora"}),
    ("qwen3_moe", {"kind": "trash", "mode": "lora"}),
]
every_kind = pytest.mark.parametrize(
    ("family", "settings"), EVERY, ids=lambda v: v if isinstance(v, str) else "-".join(map(str, v.values()))
)


@every_kind
def test_gates_learn_and_every_bit_of_the_base_stays(
    family: str, settings: dict[str, Any], make_tokenizer: Any, tmp_path: Path
) -> None:
    loaded = base(make_tokenizer, family)
    before = {n: p.clone() for n, p in loaded.model.state_dict().items()}
    torch.manual_seed(0)
    fresh = make_gates(loaded.model, config(**settings))
    warmed = warm_up_ratio(loaded, [], sums(20), config(**settings, learning_rate=1e-2), tmp_path)
    after = loaded.model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(p, before[n]) for n, p in after.items())
    assert list(warmed.gates) == list(fresh) == warmed.facts["layers"] == [0, 1]
    for n, gate in warmed.gates.items():
        assert type(gate) is type(fresh[n])
        assert not torch.equal(gate.weight, fresh[n].weight)  # type: ignore[arg-type]
    assert warmed.facts["trained_rows"] == 20
    assert 0 < warmed.facts["mean_gate"] < 1
    assert warmed.facts["lm_loss"] > 0
    adapter = settings.get("mode") == "lora" and settings.get("trainable") != "router"
    assert warmed.facts["reference"] == ({"method": "lora"} if adapter else None)
    assert [p.name for p in tmp_path.iterdir()] == (["reference"] if adapter else [])


@every_kind
def test_what_was_warmed_up_reads_the_same_from_its_files(
    family: str, settings: dict[str, Any], make_tokenizer: Any, tmp_path: Path
) -> None:
    loaded = base(make_tokenizer, family)
    warmed = warm_up_ratio(loaded, [], sums(20), config(**settings, learning_rate=1e-2), tmp_path)
    save_gates(warmed.gates, tmp_path)
    scores = []
    for gates in (warmed.gates, load_gates(tmp_path)):
        model: Any = base(make_tokenizer, family).model
        if warmed.facts["reference"]:
            bare = scores_of(loaded, gates)
            model = load_reference(model, tmp_path, warmed.facts["reference"])
        scores.append(scores_of(Loaded(model, loaded.tokenizer), gates))
        if warmed.facts["reference"]:
            assert not torch.allclose(scores[-1], bare, atol=1e-6), "the adapter changes what gates read"
    assert torch.equal(*scores)
    assert ((scores[0] > 0) & (scores[0] < 1)).all()


def scores_of(loaded: Loaded, gates: Any) -> Tensor:
    """Of rows the gates have not seen, the same alone and in a batch."""
    from sluicegate.scoring.forward import Reader

    rows, reader = loaded.encoder(99).encode_batch(sums(9, seed=5)), Reader(loaded, gates)
    together, alone = (torch.from_numpy(reader.see(rows, tokens, lambda n: None).gate) for tokens in (600, 1))
    detach(loaded.model)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-6)
    return together


def test_the_linear_gates_loss_pushes_every_gate_down(make_tokenizer: Any, tmp_path: Path) -> None:
    asked = config(kind="linear", epochs=20, learning_rate=1e-2)
    assert warm_up_ratio(base(make_tokenizer), [], sums(20), asked, tmp_path).facts["mean_gate"] < 0.4


def test_linear_gates_learn_the_same_with_the_base_in_the_loop(make_tokenizer: Any, tmp_path: Path) -> None:
    asked = config(kind="linear", epochs=2, weight_decay=0.0)
    beside = warm_up_ratio(base(make_tokenizer), [], sums(20), asked, tmp_path)
    loaded = base(make_tokenizer)
    rows = ratio._encoded(loaded, [], sums(20), asked)
    loaded.model.requires_grad_(False)
    torch.manual_seed(0)
    gates = make_gates(loaded.model, asked)
    course = ratio._learn_in_the_loop(loaded, gates, lay_out(rows, asked), asked, tmp_path)
    assert course[-1].tolist() == pytest.approx([beside.facts["lm_loss"], beside.facts["mean_gate"]], rel=1e-4)
    for n, gate in gates.items():
        torch.testing.assert_close(gate.state_dict(), beside.gates[n].state_dict(), rtol=1e-3, atol=1e-5)


def test_balance_opens_gates_for_trusted_rows(make_tokenizer: Any, tmp_path: Path) -> None:
    loaded = base(make_tokenizer)
    data = [make_record([{"role": "user", "content": "?"}, {"role": "assistant", "content": "x" * n}], "x", "en")
            for n in range(5, 25)]  # fmt: skip
    asked = config(kind="linear", balance=1.0, epochs=30, learning_rate=1e-2)
    gates = warm_up_ratio(loaded, sums(20), data, asked, tmp_path).gates
    held_out = scores_of(loaded, gates)
    assert held_out.min() > 0.5, "rows like the trusted ones"


def test_the_same_seed_gives_the_same_gates_whatever_the_order_of_the_rows(make_tokenizer: Any, tmp_path: Path) -> None:
    one, two = (
        warm_up_ratio(base(make_tokenizer), [], rows, config(trash="noise"), tmp_path).gates
        for rows in (sums(20), sums(20)[::-1])
    )
    for n, gate in one.items():
        assert all(torch.equal(p, two[n].state_dict()[name]) for name, p in gate.state_dict().items())


def test_only_layers_with_a_router_are_chosen() -> None:
    model = tiny_architecture("qwen3_moe", num_hidden_layers=4, mlp_only_layers=[1])
    routed = [n for n in range(len(decoder_layers(model))) if router_of(mlp_of(model, n))]
    assert routed == [0, 2, 3]
    gates: dict[int, Gate] = make_gates(model, config(trainable="router", layers=2))
    assert list(gates) == [2, 3]
    assert {type(g) for g in make_gates(model, config(kind="linear")).values()} == {LinearGate}


# What is refused


@pytest.mark.parametrize("asked", [{"trainable": "router"}, {"load_balancing": True}])
def test_a_base_without_routers_is_told(asked: dict[str, Any], make_tokenizer: Any, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="needs a mixture of experts, and Qwen3ForCausalLM has no routers"):
        warm_up_ratio(base(make_tokenizer), [], sums(4), config(**asked), tmp_path)


@pytest.mark.parametrize(("trusted", "data"), [(4, 0), (0, 4)])
def test_balance_needs_both(trusted: int, data: int, make_tokenizer: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="balance weighs `data` against `trusted`, and one is missing"):
        warm_up_ratio(base(make_tokenizer), sums(trusted), sums(data), config(balance=1.0), tmp_path)


@pytest.mark.parametrize("max_length", [2048, 4])
def test_rows_without_label_tokens_are_left_out_and_none_are_refused(
    max_length: int, make_tokenizer: Any, tmp_path: Path, capsys: Any
) -> None:
    rows = sums(6 if max_length == 4 else 0)
    with pytest.raises(DataError, match="a trash gate has no rows to learn from"):
        warm_up_ratio(base(make_tokenizer), [], rows, config(max_length=max_length), tmp_path)
    silent = make_record([{"role": "user", "content": "?"}], "x", "en")
    facts = warm_up_ratio(base(make_tokenizer), [], [*sums(6), silent], config(), tmp_path).facts
    assert facts["trained_rows"] == 6
    assert "1 of 7 rows have no label tokens and are left out" in capsys.readouterr().err


def test_many_processes_are_refused_before_they_wait_for_each_other(
    make_tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="one process warms a trash gate up, and 2 run"):
        warm_up_ratio(base(make_tokenizer), [], sums(4), config(), tmp_path)
    assert warm_up_ratio(base(make_tokenizer), [], sums(4), config(kind="linear"), tmp_path).gates


def test_a_warm_up_that_diverges_stops(make_tokenizer: Any, tmp_path: Path) -> None:
    asked = config(mode="lora", learning_rate=1e38, epochs=3)
    with pytest.raises(SluiceError, match="diverged: its loss is no number at step"):
        warm_up_ratio(base(make_tokenizer), [], sums(20), asked, tmp_path)


@pytest.mark.parametrize("settings", [{"kind": "trash"}, {"kind": "linear", "trainable": "router"}])
def test_a_base_in_half_precision_keeps_its_own(settings: dict[str, Any], make_tokenizer: Any, tmp_path: Path) -> None:
    loaded = base(make_tokenizer, "qwen3_moe")
    loaded.model.to(torch.bfloat16)  # type: ignore[arg-type]  # transformers' wrapper hides the signature of `to`
    warmed = warm_up_ratio(loaded, [], sums(20), config(**settings, learning_rate=1e-4), tmp_path)
    fresh = make_gates(loaded.model, config(**settings))
    assert loaded.dtype == torch.bfloat16
    for n, gate in warmed.gates.items():
        assert gate.weight.dtype == torch.float32, "steps as small as these are lost on bfloat16"
        assert not torch.equal(gate.weight, fresh[n].weight)  # type: ignore[arg-type]
