"""Under torchrun, train from scratch with accumulation; the first rank leaves the weights and the losses."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from packed_text import counting, write
from sluicegate import runtime
from sluicegate.models.gpt import GPTConfig, GPTForCausalLM
from sluicegate.training.scratch.objectives import language_model
from sluicegate.training.scratch.packed import packed
from sluicegate.training.scratch.pretrain import train
from sluicegate.training.scratch.schedule import Schedule

SETTINGS = {"batch_rows": 8, "row_tokens": 16, "warmup_steps": 4, "learning_rate": 1e-2, "mask_documents": True}
SETTINGS |= {"held_out": 0.2, "evaluate_every": 5, "checkpoint_every": 8, "device_rows": 2, "log_every": 2}

if __name__ == "__main__":
    out, optimizer, steps = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    runtime.open_log(out / "log")
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    model = GPTForCausalLM(GPTConfig(vocab_size=30, **shape))
    schedule = Schedule(**{**SETTINGS, "optimizer": optimizer, "steps": steps})  # type: ignore[arg-type]
    data, held_out = packed(write(out / f"rank{runtime.rank()}", counting(60)), schedule)
    course = train(model, language_model, data, schedule, out / "checkpoint", held_out, out / "events")
    if runtime.rank() == 0:
        weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
        torch.save({"weights": weights, "losses": course.losses, "held_out": course.held_out}, out / "made.pt")
