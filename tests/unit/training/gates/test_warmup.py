"""Warming a gate up: what it learns, what it leaves alone, and that a seed repeats it."""

from __future__ import annotations

import random
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sluicegate.config import build
from sluicegate.errors import ConfigError, DataError
from sluicegate.models.encode import Encoder
from sluicegate.models.load import Loaded
from sluicegate.models.reference import load_reference
from sluicegate.schema import Record, make_record
from sluicegate.training.gates.features import read_features
from sluicegate.training.gates.fit import fit, row_logits
from sluicegate.training.gates.reference import mean_loss
from sluicegate.training.gates.warmup import check_enough, cross_fit, warm_up
from sluicegate.training.gates.warmup_config import ReferenceConfig, WarmupConfig

OFF = ReferenceConfig(method="off")
TUNED = ReferenceConfig(method="full", steps=10, learning_rate=2e-2)


def sums(n: int, seed: int = 0) -> list[Record]:
    rng = random.Random(seed)
    rows = []
    for _ in range(n):
        a, b = rng.randrange(10, 60), rng.randrange(10, 40)
        turns = [{"role": "user", "content": f"{a}+{b}?"}, {"role": "assistant", "content": f"The sum is {a + b}."}]
        rows.append(make_record(turns, "sums", "en", str(a + b)))  # type: ignore[arg-type]
    return rows


Base = Callable[..., Loaded]


@pytest.fixture
def base(make_model: Any, make_tokenizer: Any) -> Callable[..., Loaded]:
    def make(architecture: str = "Qwen3") -> Loaded:
        tokenizer = make_tokenizer()
        return Loaded(make_model(architecture, len(tokenizer)), tokenizer)

    return make


@pytest.mark.slow
def test_a_gate_learns_to_tell_trusted_rows_from_damage_and_leaves_the_base_as_it_was(
    base: Base, tmp_path: Path
) -> None:
    loaded = base()
    before = {n: p.clone() for n, p in loaded.model.state_dict().items()}
    warmed = warm_up(loaded, sums(80), WarmupConfig(reference=OFF), tmp_path)
    told = warmed.facts["auroc_by_kind"]
    assert min(told[kind] for kind in ("truncate", "swap", "replace")) > 0.8, "even a random base tells broken text"
    assert told["gibberish"] > 0.8, "and so it does where it was never taught to"
    assert warmed.facts["auroc"] > 0.65
    assert set(told) >= {"mismatch", "number", "truncate", "swap", "replace", "gibberish", "repeat"}
    assert list(warmed.gates) == [0, 1]
    assert all(torch.equal(p, before[n]) for n, p in loaded.model.state_dict().items())


def test_the_same_seed_gives_the_same_gate_whatever_the_order_of_the_rows(base: Base, tmp_path: Path) -> None:
    config = WarmupConfig(reference=OFF, epochs=1, copies=2)
    rows = sums(24)
    one = warm_up(base(), rows, config, tmp_path).gates
    two = warm_up(base(), rows[::-1], config, tmp_path).gates
    assert all(torch.equal(p, q) for p, q in zip(one[1].parameters(), two[1].parameters(), strict=True))


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_reference_that_helps_is_kept_and_loads_as_it_was(method: str, base: Base, tmp_path: Path) -> None:
    loaded = base("Llama")
    settings = ReferenceConfig(method=method, steps=20, learning_rate=2e-2)  # type: ignore[arg-type]
    config = WarmupConfig(reference=settings, epochs=1, copies=2)
    rows = sums(40)
    facts = warm_up(loaded, rows, config, tmp_path).facts
    assert facts["gate_rows"] == 20, "the gate learns on the half the copy never saw"
    told = facts["reference"]
    assert told["loss_after"] < 0.95 * told["loss_before"]
    again = load_reference(base("Llama").model, tmp_path, told)
    ordered = sorted(rows, key=lambda r: r["id"])
    random.Random(config.seed).shuffle(ordered)
    held_out = Encoder(loaded.tokenizer).encode_batch(ordered[20:])
    assert mean_loss(again, held_out, 0, 8192) == pytest.approx(told["loss_after"], abs=1e-4)


def test_a_reference_that_does_not_help_is_dropped_and_the_base_restored(base: Base, tmp_path: Path) -> None:
    loaded = base()
    before = {n: p.clone() for n, p in loaded.model.state_dict().items()}
    settings = ReferenceConfig(method="full", steps=10, learning_rate=1e-9)
    facts = warm_up(loaded, sums(40), WarmupConfig(reference=settings, epochs=1, copies=2), tmp_path).facts
    assert facts["reference"] is None
    assert facts["gate_rows"] == 40
    assert all(torch.equal(p, before[n]) for n, p in loaded.model.state_dict().items())
    assert not (tmp_path / "reference").exists()


def test_scores_from_cached_features_and_from_attached_gates_are_one(base: Base, tmp_path: Path) -> None:
    from sluicegate.scoring.forward import Reader

    loaded = base()
    config = WarmupConfig(reference=OFF, epochs=1)
    rows = Encoder(loaded.tokenizer).encode_batch(sums(30))
    features = read_features(loaded.model, rows, [0, 1], True, 0, 8)
    gates = fit(features, torch.arange(30) % 2 == 0, torch.arange(30), config)
    with torch.no_grad():
        cached = row_logits(gates, features, torch.arange(30)).mean(0)
    seen = Reader(loaded, dict(enumerate(gates)), context_gain=True).see(rows, 300, lambda n: None)
    assert seen.gate is not None
    torch.testing.assert_close(torch.from_numpy(seen.gate), cached, atol=1e-4, rtol=1e-4)


def test_the_halves_of_a_cross_fitted_gate_read_copies_of_their_own(base: Base, tmp_path: Path) -> None:
    config, rows = WarmupConfig(reference=TUNED, epochs=1, copies=2), sums(40)
    opened: list[weakref.ref[Any]] = []

    def open_base() -> Loaded:
        assert not any(model() for model in opened), "a tuned copy is let go of before the base is opened again"
        loaded = base("Llama")
        opened.append(weakref.ref(loaded.model))
        return loaded

    encoder = base("Llama").encoder(512)
    one, two = (cross_fit(open_base, encoder, rows, config, tmp_path / name) for name in ("one", "two"))
    assert one.facts["members"] == list(one.members) == ["0", "1"]
    first, second = (one.members[name] for name in ("0", "1"))
    assert {x.lesson.of for x in first.judged}.isdisjoint(x.lesson.of for x in second.judged)
    assert one.facts["held_out_rows"] == one.facts["gate_rows"] == one.facts["trusted_rows"] == 40
    assert not torch.equal(first.gates[1].now, second.gates[1].now)  # type: ignore[arg-type]
    for name, member in one.members.items():
        again = two.members[name].gates[1]
        assert all(torch.equal(p, q) for p, q in zip(member.gates[1].parameters(), again.parameters(), strict=True))
    copies = [(tmp_path / "one" / name / "reference/model.safetensors").read_bytes() for name in ("0", "1")]
    assert copies[0] != copies[1]


def test_cross_fitting_without_a_copy_that_helps_is_a_plain_gate_on_all_rows(base: Base, tmp_path: Path) -> None:
    useless = ReferenceConfig(method="full", steps=1, check_every=1, learning_rate=1e-9)
    config = WarmupConfig(reference=useless, epochs=1, copies=2)
    rows = sums(40)
    crossed = cross_fit(base, base().encoder(512), rows, config, tmp_path)
    plain = warm_up(base(), rows, config, tmp_path)
    assert "members" not in crossed.facts
    assert crossed.facts == plain.facts
    assert torch.equal(crossed.gates[1].now, plain.gates[1].now)  # type: ignore[arg-type]


@pytest.mark.parametrize(("rows", "told"), [(1, "1 trusted row is too few"), (19, "19 trusted rows are too few")])
def test_too_few_trusted_rows_are_refused(rows: int, told: str) -> None:
    with pytest.raises(DataError, match=told):
        check_enough(sums(rows))
    check_enough(sums(20))


@pytest.mark.parametrize(
    ("kinds", "told"),
    [(["swp"], "no corruption named 'swp', did you mean 'swap'?"), (["zz"], "known: "), ([], "at least 1 item")],
)
def test_kinds_of_damage_are_checked_when_a_run_is_planned(kinds: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as err:
        build(WarmupConfig, {"corruptions": kinds})
    assert told in err.value.message


@pytest.mark.parametrize("word", ["off", "auto", "lora", "full"])
def test_the_reference_may_be_named_by_its_method_alone(word: str) -> None:
    from omegaconf import OmegaConf

    for text in (f"reference: {word}", f"reference: {{method: {word}}}"):  # YAML reads `off` as false
        tree: Any = OmegaConf.to_container(OmegaConf.create(text))
        assert build(WarmupConfig, tree).reference == ReferenceConfig(method=word)  # type: ignore[arg-type]


def test_a_kind_that_is_taught_is_not_unseen() -> None:
    config = build(WarmupConfig, {"corruptions": ["swap", "repeat"], "unseen": ["repeat", "negate"]})
    assert config.unseen_kinds == ["negate"]
