"""Fine-tuning: what it learns from, that its batches may be split, and that a seed repeats it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tune_ranks
from sluicegate.config import build
from sluicegate.data.sampler import MixedBucketSampler
from sluicegate.errors import ConfigError, SluiceError
from sluicegate.models.encode import Encoded, Encoder, collate
from sluicegate.models.load import Loaded, load
from sluicegate.models.token_cache import TokenCache
from sluicegate.testing import tiny_model, tiny_pool
from sluicegate.training.sft import Tuned, lay_out, tune
from sluicegate.training.sft_config import SftConfig
from token_processes import one_by_one


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("base"))


def rows_for(loaded: Loaded, n: int = 24) -> list[Encoded]:
    return Encoder(loaded.tokenizer).encode_batch(tiny_pool(n))


def tuned_from(folder: Path, out: Path, n_rows: int = 24, **config: Any) -> Tuned:
    loaded = load(folder, device="cpu")
    return tune(loaded, rows_for(loaded, n_rows), SftConfig(**{"method": "full", **config}), out)


def weights(tuned: Tuned) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in tuned.model.named_parameters()}


@pytest.mark.parametrize("family", ["qwen2", "qwen3", "llama"])
@pytest.mark.parametrize("method", ["full", "lora"])
def test_the_loss_falls(family: Any, method: Any, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base", family)
    (tmp_path / "out").mkdir()
    tuned = tuned_from(base, tmp_path / "out", method=method, max_steps=40, learning_rate=2e-2)
    # An adapter leaves the random head as it is, so its loss cannot fall far.
    assert tuned.loss < {"full": 0.75, "lora": 0.99}[method] * tuned.curve[0]["loss"]
    assert tuned.steps == 40
    assert not tuned.model.training
    assert list((tmp_path / "out").iterdir()) == [], "the Trainer leaves nothing behind"


def test_the_loss_is_the_mean_over_label_tokens_and_over_no_others(folder: Path, tmp_path: Path) -> None:
    loaded = load(folder, device="cpu")
    batch = collate(rows_for(loaded, 6), loaded.tokenizer.pad_token_id)
    everything = torch.where(batch["attention_mask"].bool(), batch["input_ids"], -100)
    with torch.no_grad():
        expected, wrong = (loaded.model(**{**batch, "labels": x}).loss.item() for x in (batch["labels"], everything))
    (first,) = tuned_from(folder, tmp_path, n_rows=6, max_steps=1, total_batch=6).curve
    assert first["loss"] == pytest.approx(expected, abs=1e-5)
    assert abs(first["loss"] - wrong) > 1e-4


def test_tokens_outside_the_spans_teach_nothing(folder: Path, tmp_path: Path) -> None:
    loaded = load(folder, device="cpu")
    start, end = 5, 9
    rows = [Encoded("a", list(range(10, 24)), [(start, end)], 0, 0)]
    changed = [Encoded("a", [*range(10, 10 + end), *range(90, 95)], [(start, end)], 0, 0)]
    one, other = (
        weights(tune(load(folder, device="cpu"), r, SftConfig(method="full", max_steps=3, total_batch=1), tmp_path))
        for r in (rows, changed)
    )
    assert all(torch.equal(one[name], other[name]) for name in one), "what stands behind a reply is not its loss"
    assert any(not torch.equal(one[name], p) for name, p in loaded.model.named_parameters())


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_batch_may_be_split_over_forward_passes(folder: Path, tmp_path: Path, method: Any) -> None:
    """Replies differ in length, so a mean of means over the parts would give other weights."""
    settings = {"method": method, "max_steps": 4, "total_batch": 8, "learning_rate": 1e-3}
    whole = weights(tuned_from(folder, tmp_path, **settings, device_batch_size=8))
    for size in (1, 2):
        parts = weights(tuned_from(folder, tmp_path, **settings, device_batch_size=size))
        for name in whole:
            torch.testing.assert_close(parts[name], whole[name], atol=2e-5, rtol=1e-4)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(folder: Path, tmp_path: Path) -> None:
    one, two, other = (
        weights(tuned_from(folder, tmp_path, method="lora", max_steps=3, total_batch=4, seed=seed))
        for seed in (0, 0, 1)
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_computing_activations_twice_changes_nothing(folder: Path, tmp_path: Path) -> None:
    for method in ("full", "lora"):
        one, two = (
            weights(tuned_from(folder, tmp_path, method=method, max_steps=2, checkpoint_activations=twice))
            for twice in (False, True)
        )
        for name in one:
            torch.testing.assert_close(one[name], two[name])


def test_one_step_is_a_step(folder: Path, tmp_path: Path) -> None:
    tuned = tuned_from(folder, tmp_path, max_steps=1, learning_rate=1e-3)
    before = dict(load(folder, device="cpu").model.named_parameters())
    assert any(not torch.equal(before[name], p) for name, p in weights(tuned).items()), "its rate is not 0"


def test_a_run_that_diverges_stops_with_an_error(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SluiceError, match="diverged: the loss is nan") as err:
        tuned_from(folder, tmp_path, max_steps=6, learning_rate=1e30)
    assert "learning_rate" in err.value.hint


def test_a_batch_must_be_divisible() -> None:
    with pytest.raises(ConfigError, match="total_batch 16 cannot be shared by a process at 3 rows a pass"):
        build(SftConfig, {"device_batch_size": 3})


def test_processes_must_share_the_batch(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluicegate.runtime.world_size", lambda: 3)
    with pytest.raises(ConfigError, match="total_batch 16 cannot be shared by 3 processes"):
        tuned_from(folder, tmp_path, max_steps=1)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_noise_on_the_embeddings_is_there_while_it_trains_and_then_no_more(
    folder: Path, tmp_path: Path, method: Any
) -> None:
    settings = {"method": method, "max_steps": 2, "learning_rate": 1e-3}
    plain, noisy = (tuned_from(folder, tmp_path, **settings, neftune_alpha=alpha) for alpha in (None, 5.0))
    assert any(not torch.equal(weights(plain)[name], p) for name, p in weights(noisy).items())
    ids = torch.arange(5, 15)[None]
    with torch.no_grad():
        noisy.model.train()
        assert torch.equal(noisy.model(ids).logits, noisy.model(ids).logits)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("linear", [0, 0.5, 1, 0.5]), ("cosine", [0, 0.5, 1, 0.5]), ("constant", [0, 0.5, 1, 1])],
)
def test_the_rate_rises_and_then_goes_as_the_schedule_says(
    schedule: Any, expected: list[float], folder: Path, tmp_path: Path
) -> None:
    settings = {"max_steps": 4, "warmup_share": 0.5, "learning_rate": 1e-3}
    curve = tuned_from(folder, tmp_path, schedule=schedule, **settings).curve
    assert [point["learning_rate"] for point in curve] == pytest.approx([1e-3 * share for share in expected])


def test_longer_gradients_are_cut(folder: Path, tmp_path: Path) -> None:
    settings = {"max_steps": 1, "weight_decay": 0.0, "warmup_share": 0, "hf": {"optim": "sgd"}, "learning_rate": 1.0}
    before = dict(load(folder, device="cpu").model.named_parameters())
    for most in (0.01, 1e6):
        made = tuned_from(folder, tmp_path, max_grad_norm=most, **settings)
        moved = torch.stack([(p - before[name]).norm() for name, p in weights(made).items()]).norm().item()
        assert moved == pytest.approx(min(most, made.curve[0]["grad_norm"]), rel=1e-3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_a_compiled_model_learns_the_same(folder: Path, tmp_path: Path) -> None:
    settings = {"max_steps": 2, "learning_rate": 1e-3, "total_batch": 4}
    one, two = (weights(tuned_from(folder, tmp_path, **settings, compile=way)) for way in (False, True))
    for name in one:
        torch.testing.assert_close(two[name], one[name], atol=2e-5, rtol=1e-4)


# Order --------------------------------------------------------------------------------------------------------------


def plain_rows(n: int) -> list[Encoded]:
    return [Encoded(str(i), [0] * (i * 7 % 11 + 2), [(1, 2)], 0, 0) for i in range(n)]


@given(n=st.integers(1, 60), total_batch=st.integers(1, 9), passes=st.integers(1, 3), seed=st.integers(0, 99))
def test_whole_epochs_show_every_row_equally_often(n: int, total_batch: int, passes: int, seed: int) -> None:
    config = SftConfig(epochs=passes, total_batch=total_batch, seed=seed)
    order = [row.id for row in lay_out(plain_rows(n), config)]
    assert set(Counter(order).values()) == {passes}
    assert order == [row.id for row in lay_out(plain_rows(n), config)]


@given(n=st.integers(1, 60), total_batch=st.integers(1, 9), steps=st.integers(1, 20))
def test_steps_fill_their_batches_and_no_row_is_two_passes_ahead(n: int, total_batch: int, steps: int) -> None:
    order = [row.id for row in lay_out(plain_rows(n), SftConfig(max_steps=steps, total_batch=total_batch))]
    assert len(order) == steps * total_batch
    seen = Counter(order)
    assert max(seen.values()) - min(seen[str(i)] for i in range(n)) <= 1


def test_rows_of_like_length_share_a_batch() -> None:
    rows = [Encoded(str(i), [0] * (i % 40 + 2), [(1, 2)], 0, 0) for i in range(400)]
    order = [len(row.ids) for row in lay_out(rows, SftConfig(epochs=1, total_batch=10))]
    batches = [order[i : i + 10] for i in range(0, len(order), 10)]
    padded = sum(max(batch) * len(batch) for batch in batches)
    assert padded < 1.15 * sum(order)
    assert batches != sorted(batches), "short batches do not all come first"


def test_a_seed_decides_the_order() -> None:
    orders = [[r.id for r in lay_out(plain_rows(40), SftConfig(epochs=1, seed=seed))] for seed in (0, 1)]
    assert orders[0] != orders[1]


def test_rows_on_disk_are_laid_out_as_those_in_memory(folder: Path, tmp_path: Path) -> None:
    pool, encoder = tiny_pool(50), load(folder, device="cpu").encoder(2048)
    on_disk = TokenCache(tmp_path, one_by_one).rows(encoder, [row["id"] for row in pool], lambda: pool, "rows")
    config = SftConfig(epochs=2, total_batch=4)
    assert list(lay_out(on_disk, config)) == list(lay_out(encoder.encode_batch(pool), config))


# Sampler ------------------------------------------------------------------------------------------------------------


def test_a_sampler_decides_what_is_trained_on_and_tells_its_mix(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, passes, told = tune_ranks.tuned(folder, tmp_path)
    columns = {name: np.array([row[name] for row in tune_ranks.POOL]) for name in ("lang", "source")}  # type: ignore[literal-required]
    n_tokens = np.array([len(row.ids) for row in Encoder(load(folder).tokenizer).encode_batch(tune_ranks.POOL)])
    config = build(SftConfig, tune_ranks.CONFIG)
    assert config.sampler
    sampler = MixedBucketSampler({**columns, "n_tokens": n_tokens}, config.sampler, 8, steps=6)
    assert passes == [[tune_ranks.POOL[row]["id"] for row in batch] for batch in sampler]
    assert told == sampler.mix()
    assert "mix: en 29.2%, zh 70.8%; rows seen again: 4 zh; rows not seen: 16" in capsys.readouterr().err
    assert weights


@pytest.mark.slow
def test_processes_share_the_batches_of_a_sampler_and_end_with_the_same_weights(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "alone").mkdir()
    expected, passes, _ = tune_ranks.tuned(folder, tmp_path / "alone")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    subprocess.run([*command, tune_ranks.__file__, str(folder), str(tmp_path)], check=True, timeout=300)
    ranks = [json.loads((tmp_path / f"rank{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1)]
    for batch, *parts in zip(passes, *ranks, strict=True):
        assert [len(part) for part in parts] == [4, 4]
        assert sorted(chain(*parts)) == sorted(batch)
    for name, weight in torch.load(tmp_path / "weights.pt", weights_only=True).items():
        torch.testing.assert_close(weight, expected[name], atol=2e-5, rtol=1e-4)


def test_a_tuned_model_generates_with_a_cache_as_it_came(folder: Path, tmp_path: Path) -> None:
    loaded = load(folder)
    assert loaded.model.config.use_cache
    tuned = tune(loaded, rows_for(loaded), build(SftConfig, {"method": "full", "max_steps": 1}), tmp_path)
    assert tuned.model.config.use_cache, "the Trainer turns it off for its own forward passes"
