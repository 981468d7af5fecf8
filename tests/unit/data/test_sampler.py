"""Batches keep their promises at every prefix, for any rows, and go on exactly where they stopped."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluicegate.config import build
from sluicegate.data.sampler import MixedBucketSampler
from sluicegate.errors import ConfigError, DataError
from sluicegate.testing import check_config

LANGS = ("zh", "en", "other")


def columns(rows: list[tuple[str, str, int]]) -> dict[str, np.ndarray]:
    lang, source, n_tokens = zip(*rows, strict=True) if rows else ((), (), ())
    return {"lang": np.array(lang, dtype=str), "source": np.array(source, dtype=str), "n_tokens": np.array(n_tokens)}


def sampler(rows: list[tuple[str, str, int]], batch_size: int = 4, /, **settings: Any) -> MixedBucketSampler:
    told = {name: settings.pop(name) for name in ("steps", "epochs", "seed", "rank", "world_size") if name in settings}
    extra = settings.pop("extra", {})
    config = build(MixedBucketSampler.Config, settings)
    return MixedBucketSampler({**columns(rows), **extra}, config, batch_size, **told)


def evenly(n: int, langs: tuple[str, ...] = ("zh", "en"), lengths: tuple[int, ...] = (100, 500, 1500)) -> list[Any]:
    return [(langs[i % len(langs)], f"s{i % 5}", lengths[i % len(lengths)] + i % 7) for i in range(n)]


row = st.tuples(st.sampled_from(LANGS), st.sampled_from("abc"), st.sampled_from([5, 30, 300, 1500, 4000]))
pools = st.lists(row, min_size=1, max_size=80)
sizes = st.integers(1, 9)
seeds = st.integers(0, 99)


# The share ----------------------------------------------------------------------------------------------------------


@given(pool=pools, least=st.floats(0.05, 1), size=sizes, steps=st.integers(1, 40), seed=seeds)
def test_a_share_is_held_within_one_batch_at_every_prefix(
    pool: list[Any], least: float, size: int, steps: int, seed: int
) -> None:
    pool = [("zh", "a", 40), *pool]
    made = sampler(pool, size, share={"zh": least}, steps=steps, seed=seed)
    lang, n = np.array([lang for lang, *_ in pool]), 0
    for batches, batch in enumerate(made, start=1):
        n += (lang[batch] == "zh").sum()
        assert n >= least * batches * size - size - 1e-6
    assert n >= least * steps * size - 1 - 1e-6, "and at the end within one row"


@given(pool=pools, first=st.floats(0.05, 0.6), second=st.floats(0.05, 0.4), steps=st.integers(1, 40), seed=seeds)
def test_two_shares_are_held_within_two_batches(
    pool: list[Any], first: float, second: float, steps: int, seed: int
) -> None:
    pool = [("zh", "a", 40), ("en", "b", 400), *pool]
    told = sampler(pool, 4, share={"zh": first, "en": second}, steps=steps, seed=seed).mix()
    assert all(behind <= 2 * 4 for behind in told["behind"].values())


@given(pool=pools, phases=st.integers(2, 4), least=st.floats(0.1, 0.9), seed=seeds)
def test_phases_hold_the_share_too(pool: list[Any], phases: int, least: float, seed: int) -> None:
    pool = [("zh", "a", 40), *pool]
    stretches: list[Any] = [{"until": 5 * (n + 1), "weights": {"source": {"b": n}}} for n in range(phases - 1)]
    told = sampler(pool, 3, share={"zh": least}, steps=5 * phases, phases=[*stretches, {}], seed=seed).mix()
    assert told["behind"]["zh"] <= 3 + 1e-6


def test_a_language_with_a_larger_share_keeps_it() -> None:
    told = sampler([("zh", "a", 9)] * 90 + [("en", "a", 9)] * 10, 10, share={"zh": 0.7}).mix()
    assert told["by"]["lang"] == {"zh": 90, "en": 10}


def test_a_language_alone_is_short_for_the_usual_share() -> None:
    assert build(MixedBucketSampler.Config, {"share": "zh"}).share == {"zh": 0.7}


# Repeats ------------------------------------------------------------------------------------------------------------


def seen(made: MixedBucketSampler) -> Counter[int]:
    return Counter(made.batches.ravel().tolist())


@given(pool=pools, size=sizes, passes=st.integers(1, 3), seed=seeds)
def test_every_row_comes_once_per_pass(pool: list[Any], size: int, passes: int, seed: int) -> None:
    counts = seen(sampler(pool, size, epochs=passes, seed=seed))
    fill = -passes * len(pool) % size  # what the last batch is filled up with
    assert set(counts) == set(range(len(pool)))
    assert sum(n - passes for n in counts.values()) == fill
    assert min(counts.values()) >= passes


def test_a_short_language_is_repeated_until_all_others_were_seen() -> None:
    pool = [("zh", "a", 9)] * 20 + [("en", "a", 9)] * 60
    made = sampler(pool, 10, share={"zh": 0.5}, when_short="repeat")
    counts = seen(made)
    assert {counts[i] for i in range(20)} == {3}
    assert {counts[i] for i in range(20, 80)} == {1}
    assert made.mix()["repeats"] == {"zh": 40}


def test_an_epoch_can_end_with_a_short_language_instead() -> None:
    pool = [("zh", "a", 9)] * 20 + [("en", "a", 9)] * 60
    one, three = (sampler(pool, 10, share={"zh": 0.5}, when_short="end", epochs=epochs) for epochs in (1, 3))
    told = one.mix()
    assert (told["rows"], told["repeats"], told["unseen"]) == (40, {}, 40)
    assert seen(three) == Counter(range(80)) | Counter(dict.fromkeys(range(20), 3)), (
        "the next goes on with other others"
    )


@given(pool=pools, size=sizes, least=st.floats(0.1, 0.9), seed=seeds)
def test_no_row_comes_twice_in_an_epoch_that_ends(pool: list[Any], size: int, least: float, seed: int) -> None:
    pool = [("zh", "a", 40), *pool]
    made = sampler(pool, size, share={"zh": least}, when_short="end", seed=seed)
    assert len(made) == 1 or max(seen(made).values()) == 1


# Buckets and sources ------------------------------------------------------------------------------------------------


@given(pool=pools, size=sizes, seed=seeds)
def test_rows_of_a_batch_are_of_one_bucket_but_at_the_borders(pool: list[Any], size: int, seed: int) -> None:
    made = sampler(pool, size, seed=seed)
    buckets = made.labels["bucket"].member[made.batches]
    assert (buckets.min(axis=1) != buckets.max(axis=1)).sum() <= len(np.unique(buckets)) - 1


def test_padding_is_saved() -> None:
    rng = np.random.default_rng(0)
    pool = [("zh", "a", int(n)) for n in rng.lognormal(5.5, 1, 2000) + 2]
    made = sampler(pool, 16, share={"zh": 0.7})
    lengths = made.n_tokens
    shuffled = lengths[rng.permutation(2000)].reshape(-1, 16)
    at_random = 1 - shuffled.sum() / (shuffled.max(axis=1).sum() * 16)
    assert made.mix()["padding"] < at_random / 3


def test_sources_and_buckets_take_turns() -> None:
    made = sampler(evenly(3000), 10, share={"zh": 0.5})
    for name in ("source", "bucket"):
        member = made.labels[name].member[made.batches]
        for value, n in made.labels[name].count(np.arange(3000)).items():
            so_far = (member == made.labels[name].values.index(value)).sum(axis=1).cumsum()
            expected = np.arange(1, len(made) + 1) * 10 * n / 3000
            assert abs(so_far - expected).max() < 8 * 10, f"{name} {value}"


def test_batches_of_two_sources_alternate() -> None:
    rows = [("en", "math" if n % 2 else "gsm8k", 40 + n % 30) for n in range(240)]
    made = sampler(rows, 8, alternate="source", epochs=2)
    sources = made.labels["source"].member[made.batches]  # (60, 8)
    assert (sources == sources[:, :1]).all(), "every batch is of one source"
    assert (np.diff(sources[:, 0]) != 0).all(), "and the next of the other"
    assert sorted(Counter(made.batches.ravel().tolist()).values()) == [2] * 240


@given(pool=pools, size=sizes, steps=st.integers(1, 40), seed=seeds)
def test_sources_that_alternate_all_end_together(pool: list[Any], size: int, steps: int, seed: int) -> None:
    made = sampler(pool, size, alternate="source", steps=steps, seed=seed)
    sources = made.labels["source"].member[made.batches]  # (steps, size)
    mixed = (sources != sources[:, :1]).any(axis=1).sum()
    assert mixed < len(made.labels["source"].values)
    first = sources[:, 0]
    for one in np.unique(first):
        so_far, n = (first == one).cumsum(), (first == one).sum()
        assert abs(so_far - np.arange(1, steps + 1) * n / steps).max() <= len(np.unique(first))


# The curriculum -----------------------------------------------------------------------------------------------------


def test_weights_bring_rows_forward_and_zero_leaves_them_out() -> None:
    level = np.array(["1", "2", "3"] * 100)
    phases = [
        {"until": 0.2, "weights": {"level": {1: 8, 3: 0}}},
        {"until": 24, "weights": {"level": {"1": 1}}},
        {},
    ]
    made = sampler(evenly(300), 10, phases=phases, extra={"level": level})
    assert made.ends == [6, 24, 30]
    early = Counter(level[made.batches[:6].ravel()].tolist())
    assert early["3"] == 0
    assert early["1"] > 6 * early["2"] > 0
    assert set(seen(made).values()) == {1}, "still every row once"


def test_numbers_are_weighed_by_quarters() -> None:
    loss = np.array([np.nan if i % 50 == 49 else i / 100 for i in range(400)])
    phases = [{"until": 5, "weights": {"loss": {"q1": 1, "q2": 0, "q3": 0, "q4": 0, "none": 0}}}, {}]
    made = sampler(evenly(400), 10, phases=phases, extra={"loss": loss})
    assert loss[made.batches[:5]].max() < 1.01
    assert set(seen(made).values()) == {1}


def test_a_phase_that_has_too_few_rows_repeats_those_it_has() -> None:
    phases = [{"until": 4, "weights": {"source": {f"s{i}": 0 for i in range(1, 5)}}}, {}]
    made = sampler(evenly(100), 10, steps=8, phases=phases)
    assert set(Counter(made.batches[:4].ravel().tolist()).values()) == {2}
    told = made.mix()
    assert [sum(phase["repeats"].values()) for phase in told["phases"]] == [20, 0]
    assert [phase["steps"] for phase in told["phases"]] == [[0, 4], [4, 8]]


# Processes and resuming ---------------------------------------------------------------------------------------------


@given(pool=pools, each=st.integers(1, 3), world=st.integers(1, 4), steps=st.integers(1, 6), seed=seeds)
def test_ranks_divide_every_batch(pool: list[Any], each: int, world: int, steps: int, seed: int) -> None:
    alone = list(sampler(pool, each * world, steps=steps, seed=seed))
    ranks = [list(sampler(pool, each * world, steps=steps, seed=seed, rank=r, world_size=world)) for r in range(world)]
    assert [len(rank) for rank in ranks] == [len(alone)] * world
    for batch, *parts in zip(alone, *ranks, strict=True):
        assert {len(part) for part in parts} == {each}
        assert sorted(chain(*parts)) == sorted(batch)


@settings(deadline=None)
@given(pool=pools, seed=seeds, rank=st.integers(0, 1))
def test_it_goes_on_at_the_exact_batch_from_every_boundary(pool: list[Any], seed: int, rank: int) -> None:
    def fresh() -> MixedBucketSampler:
        phases = [{"until": 3, "weights": {"bucket": {"0-256": 3}}}, {}]
        pool_with_zh = [("zh", "a", 40), *pool]
        return sampler(pool_with_zh, 4, steps=9, share="zh", phases=phases, seed=seed, rank=rank, world_size=2)

    whole = list(fresh())
    for cut in range(10):
        first, second = fresh(), fresh()
        before = [batch for _, batch in zip(range(cut), first, strict=False)]
        second.load_state_dict(first.state_dict())
        assert before + list(second) == whole


def test_a_state_tells_how_many_batches_were_handed_out() -> None:
    made = sampler(evenly(40))
    batches = iter(made)
    next(batches), next(batches)
    assert made.state_dict()["step"] == 2
    assert len(list(batches)) == 8
    assert list(made) == []


@pytest.mark.parametrize("other", [{"seed": 1}, {"share": "zh"}, {"steps": 9}])
def test_a_state_of_another_run_is_refused(other: dict[str, Any]) -> None:
    state = sampler(evenly(40)).state_dict()
    with pytest.raises(ConfigError, match="of another run"):
        sampler(evenly(40), **other).load_state_dict(state)


def test_the_seed_decides_the_order() -> None:
    one, two, other = (sampler(evenly(60), seed=seed).batches for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_it_feeds_a_data_loader_of_torch() -> None:
    from torch.utils.data import DataLoader

    made = sampler(evenly(40))
    loader: Any = DataLoader(list(range(40)), batch_sampler=made, collate_fn=list)
    assert list(loader) == made.batches.tolist()


# What it is told, and what it tells ---------------------------------------------------------------------------------


@given(pool=pools, size=sizes, epochs=st.integers(1, 3), seed=seeds)
def test_the_mix_adds_up(pool: list[Any], size: int, epochs: int, seed: int) -> None:
    made = sampler(pool, size, epochs=epochs, seed=seed)
    told = made.mix()
    assert told["rows"] == told["steps"] * size
    for name, counts in told["by"].items():
        assert sum(counts.values()) == told["rows"], name
    assert told["rows"] == sum(told["repeats"].values()) + len(pool) - told["unseen"]
    assert 0 <= told["padding"] < 1


def test_the_mix_of_a_run_that_stopped_is_of_what_it_saw() -> None:
    made = sampler(evenly(100), 10, phases=[{"until": 3}, {"until": 6}, {}])
    told = made.mix(steps=5)
    assert (told["steps"], told["rows"], told["unseen"]) == (5, 50, 50)
    assert [phase["steps"] for phase in told["phases"]] == [[0, 3], [3, 5]]


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"share": {"zh": 0.7, "en": 0.4}}, "more than 1"),
        ({"share": {"cn": 0.7}}, "share.cn"),
        ({"share": "zh", "alternate": "source"}, "cannot each hold a share"),
        ({"phases": [{}, {}]}, "every phase but the last needs an `until`"),
        ({"phases": [{"until": 4}]}, "the last has none"),
        ({"phases": [{"weights": {"lang": {"zh": -1}}}]}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(config: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        build(MixedBucketSampler.Config, config)


@pytest.mark.parametrize("until", [(5, 5), (40, 50), (0.001, 0.5)])
def test_a_phase_without_steps_is_refused(until: tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match="has no steps in a run of 10"):
        sampler(evenly(40), phases=[{"until": until[0]}, {"until": until[1]}, {}])


def test_an_unknown_column_is_refused_with_a_hint() -> None:
    with pytest.raises(ConfigError, match="'sorce'") as err:
        sampler(evenly(40), phases=[{"weights": {"sorce": {"s1": 2}}}])
    assert "source" in err.value.hint


def test_an_unknown_value_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    sampler(evenly(40), phases=[{"weights": {"source": {"s9": 2}}}])
    assert "no row has 's9' for source; there are s0, s1" in capsys.readouterr().err


def test_rows_that_are_not_there_cannot_have_a_share() -> None:
    with pytest.raises(DataError, match="there are no zh rows"):
        sampler([("en", "a", 5)], share="zh")
    with pytest.raises(DataError, match="there are no zh rows"):
        sampler(evenly(40), share="zh", phases=[{"weights": {"lang": {"zh": 0}}}])
    with pytest.raises(DataError, match="no rows to sample from"):
        sampler([])


def test_processes_must_share_a_batch() -> None:
    with pytest.raises(ConfigError, match="3 processes cannot share batches of 4 rows"):
        sampler(evenly(40), world_size=3)


def test_every_key_has_its_help() -> None:
    check_config(MixedBucketSampler.Config)
