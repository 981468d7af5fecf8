"""What the reference says of a pair is computed once, whatever happens to the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, tensor

from sluicegate.training.preference.reference import Reference

ALL = np.arange(7)
N_TOKENS = np.array([9, 30, 12, 8, 31, 10, 7])


def teller(asked: list[int], dies_after: int = 99) -> Callable[[Sequence[int]], tuple[Tensor, Tensor]]:
    """Says -n and -10 n of pair n, keeps account of what it was asked, and is killed after some pairs."""

    def log_probs(pairs: Sequence[int]) -> tuple[Tensor, Tensor]:
        if len(asked) >= dies_after:
            raise KeyboardInterrupt
        asked.extend(pairs)
        return tensor([-1.0 * n for n in pairs]), tensor([-10.0 * n for n in pairs])

    return log_probs


def test_every_pair_gets_its_own(tmp_path: Path) -> None:
    reference, asked = Reference(tmp_path / "deep" / "r.npy", 7), list[int]()
    assert np.isnan(reference.values).all()
    assert reference.fill(teller(asked), ALL, N_TOKENS, batch_size=2) == 7
    assert reference.values.tolist() == [[-n, -10 * n] for n in range(7)]
    assert asked[:2] == [4, 1], "the longest first"


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    path, first, second, third = tmp_path / "r.npy", list[int](), list[int](), list[int]()
    with pytest.raises(KeyboardInterrupt):
        Reference(path, 7).fill(teller(first, dies_after=4), ALL, N_TOKENS, batch_size=2)
    Reference(path, 7).fill(teller(second), ALL, N_TOKENS, batch_size=2)
    assert sorted(first + second) == list(range(7))
    assert [first[n : n + 2] for n in (0, 2)] == [[4, 1], [2, 5]], "the same batches as if it had not been killed"
    assert Reference(path, 7).fill(teller(third), ALL, N_TOKENS, batch_size=2) == 0
    assert third == []
    assert [p.name for p in tmp_path.iterdir()] == ["r.npy"]


def test_only_pairs_that_are_asked_for_are_computed(tmp_path: Path) -> None:
    reference, asked = Reference(tmp_path / "r.npy", 7), list[int]()
    reference.fill(teller(asked), np.array([1, 5]), N_TOKENS, batch_size=2)
    assert sorted(asked) == [1, 2, 4, 5], "with those that share a batch with them"
    assert reference.fill(teller(asked), ALL, N_TOKENS, batch_size=2) == 3


def test_ranks_share_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = [[], []]
    files = [Reference(tmp_path / "r.npy", 7) for _ in range(2)]
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        files[rank].fill(lambda pairs, rank=rank: teller(asked[rank])(pairs), ALL, N_TOKENS, batch_size=2)
    assert files[0].values.tolist() == [[-n, -10 * n] for n in range(7)]
    assert sorted(asked[0] + asked[1]) == list(range(7))
    assert min(map(len, asked)) == 3
