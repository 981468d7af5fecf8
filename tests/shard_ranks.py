"""Under torchrun, a few steps of a model that is sharded, plain or with an adapter; then saved as one folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from sluicegate import runtime
from sluicegate.artifacts import external
from sluicegate.models.adapters import LoraSettings, attach
from sluicegate.models.load import load
from sluicegate.training.devices.sharded import shard
from sluicegate.training.devices.whole import save_whole


def stepped(base: Path, adapted: bool, split: bool) -> Any:
    """The model after three steps of AdamW over eight rows, of which each process sees its part."""
    loaded = load(base, device="cpu", dtype="float32")
    torch.manual_seed(0)
    model: Any = attach(loaded.model, LoraSettings(rank=4)) if adapted else loaded.model
    if split:
        shard(model, torch.device("cpu"))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2, eps=1e-3)
    rows = torch.randint(0, 64, (8, 12), generator=torch.Generator().manual_seed(1))  # (B, T)
    mine = rows.chunk(runtime.world_size())[runtime.rank()]
    for _ in range(3):
        model(input_ids=mine, labels=mine).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return model


if __name__ == "__main__":
    from torch.distributed import destroy_process_group, init_process_group

    init_process_group("gloo")
    base, out = map(Path, sys.argv[1:])
    tokenizer = load(base, device="cpu").tokenizer
    for adapted in (False, True):
        folder = out / ("adapted" if adapted else "whole")
        save_whole(stepped(base, adapted, split=True), tokenizer, folder, external(base, "model-base"))
    destroy_process_group()
