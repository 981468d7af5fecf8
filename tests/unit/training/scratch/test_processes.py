"""tests/pipeline/test_pretrain_ranks.py has processes that join, and join again."""

from __future__ import annotations

from typing import Any

import pytest
import torch.distributed as dist

from sluicegate.errors import ConfigError
from sluicegate.training.scratch import processes
from sluicegate.training.scratch.processes import check_shares, joined


def test_what_a_group_left_in_the_store_is_not_seen_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, made = dist.HashStore(), []

    def join(backend: str, store: Any, rank: int, world_size: int) -> None:
        made.append((backend, rank, world_size))
        assert not store.check(["address"])
        store.set("address", "of one that will be gone")

    monkeypatch.setattr(processes, "world_size", lambda: 2)
    monkeypatch.setattr(dist, "rendezvous", lambda url: iter([(kept, 1, 2)]))
    monkeypatch.setattr(dist, "init_process_group", join)
    monkeypatch.setattr(dist, "destroy_process_group", lambda: None)
    for device in ("cpu", "cuda:1"):
        with joined(device):
            pass
    assert made == [("gloo", 1, 2), ("nccl", 1, 2)]


def test_one_process_joins_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dist, "init_process_group", None)
    with joined("cpu"):
        assert not dist.is_initialized()


def test_rows_that_cannot_be_shared_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "world_size", lambda: 4)
    check_shares(8)
    with pytest.raises(ConfigError, match="4 processes cannot share batches of 6 rows"):
        check_shares(6)
