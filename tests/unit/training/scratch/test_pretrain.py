from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from packed_text import counting, write
from sluicegate.errors import ConfigError
from sluicegate.models.gpt import GPTConfig, GPTForCausalLM
from sluicegate.training.scratch import compiling, processes, speed
from sluicegate.training.scratch import pretrain as module
from sluicegate.training.scratch.objectives import Batch, language_model
from sluicegate.training.scratch.packed import PackedDocuments, packed
from sluicegate.training.scratch.pretrain import Course, train
from sluicegate.training.scratch.schedule import Schedule

SETTINGS = {"steps": 30, "batch_rows": 4, "row_tokens": 16, "warmup_steps": 4, "learning_rate": 1e-2}


@pytest.fixture(autouse=True)
def on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "pick_device", lambda: "cpu")


def plan(**changes: Any) -> Schedule:
    return Schedule(**{**SETTINGS, "checkpoint_every": 10, **changes})


def tiny(dropout: float = 0.0) -> GPTForCausalLM:
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    return GPTForCausalLM(GPTConfig(vocab_size=30, **shape, dropout=dropout))


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """`run(model, name, **changes)`: train on documents that count."""
    tokens = write(tmp_path, counting())

    def run(model: GPTForCausalLM, name: str = "run", death: int = -1, **changes: Any) -> Course:
        schedule = plan(**changes)
        data, held_out = packed(tokens, schedule)
        return train(model, language_model, Dying(data, death), schedule, tmp_path / name, held_out)

    return run


class Killed(Exception):
    """Stands in for SIGKILL."""


class Dying:
    """Data that ends a run before a step."""

    def __init__(self, data: PackedDocuments, death: int) -> None:
        self.data, self.death = data, death

    def batch(self, step: int) -> Batch:
        if step == self.death:
            raise Killed
        return self.data.batch(step)


def weights(model: GPTForCausalLM) -> list[Tensor]:
    return [p.detach().clone() for p in model.parameters()]


def apart(a: GPTForCausalLM, b: GPTForCausalLM) -> float:
    return max((x - y).abs().max().item() for x, y in zip(weights(a), weights(b), strict=True))


@pytest.mark.parametrize("changes", [{}, {"optimizer": "adamw", "schedule": "cosine", "mask_documents": True}])
def test_the_loss_falls(changes: dict[str, Any], run: Any) -> None:
    losses = run(tiny(), **changes).losses
    assert losses.shape == (30,)
    assert losses[-5:].mean() < 0.5 * losses[0]


@pytest.mark.parametrize("death", [3, 10, 17, 29])
def test_a_killed_run_ends_in_the_very_bytes_of_an_uninterrupted_one(death: int, run: Any) -> None:
    settings = {"held_out": 0.2, "evaluate_every": 6, "optimizer": ("muon", "adamw")[death % 2]}
    whole, killed, again = (tiny(dropout=0.2) for _ in range(3))
    course = run(whole, "whole", **settings)
    with pytest.raises(Killed):
        run(killed, "killed", death, **settings)
    torch.manual_seed(99)  # a new process starts from the seeded weights, and from other random numbers
    resumed = run(again, "killed", **settings)
    assert torch.equal(resumed.losses, course.losses)
    assert torch.equal(resumed.held_out.nan_to_num(), course.held_out.nan_to_num())
    assert all(map(torch.equal, weights(again), weights(whole)))


def test_a_half_written_checkpoint_is_never_read(run: Any, tmp_path: Path) -> None:
    whole, again = tiny(), tiny()
    run(whole, "a")
    (tmp_path / "b.draft").write_bytes(b"half of a checkp")
    run(again, "b")
    assert apart(whole, again) == 0


@pytest.mark.parametrize("mask", [False, True])
def test_accumulated_passes_are_one_large_batch(mask: bool, run: Any) -> None:
    whole, parts = tiny(), tiny()
    course = run(whole, "whole", mask_documents=mask, optimizer="adamw")
    again = run(parts, "parts", mask_documents=mask, optimizer="adamw", device_rows=3)
    torch.testing.assert_close(again.losses, course.losses, rtol=1e-4, atol=1e-5)
    assert apart(whole, parts) < 1e-4


def test_held_out_rows_are_measured_and_change_nothing(run: Any, tmp_path: Path) -> None:
    measured, not_measured = tiny(dropout=0.1), tiny(dropout=0.1)
    course = run(measured, "a", held_out=0.3, evaluate_every=8)
    assert course.held_out.isfinite().nonzero().flatten().tolist() == [7, 15, 23, 29]
    assert course.held_out[29] < 0.7 * course.held_out[7]
    run(not_measured, "b", held_out=0.3, evaluate_every=30)
    assert apart(measured, not_measured) == 0


def test_a_loss_that_is_no_number_stops_the_run_at_the_next_checkpoint(run: Any, tmp_path: Path) -> None:
    model = tiny()
    with torch.no_grad():
        model.model.norm.weight[0] = torch.nan
    with pytest.raises(ConfigError, match="step 0"):
        run(model)
    assert not (tmp_path / "run").exists()


@pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight")  # of a norm: slower, and right
def test_float16_is_refused_on_a_cpu_and_bfloat16_trains(run: Any) -> None:
    with pytest.raises(ConfigError, match="float16 needs a GPU"):
        run(tiny(), dtype="float16", optimizer="adamw")
    model = tiny()
    losses = run(model, dtype="bfloat16").losses
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert losses[-5:].mean() < 0.6 * losses[0]


def test_tensorboard_has_the_curves(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tokens = write(tmp_path, counting())
    schedule = plan(held_out=0.3, evaluate_every=10, log_every=5)
    data, held_out = packed(tokens, schedule)
    course = train(tiny(), language_model, data, schedule, tmp_path / "run", held_out, tmp_path / "events")
    events = EventAccumulator(str(tmp_path / "events"))
    events.Reload()
    told = {"loss", "held_out_loss", "learning_rate", "gradient_norm", "tokens_per_second"}
    assert set(events.Tags()["scalars"]) == told
    points = events.Scalars("loss")
    assert [point.step for point in points] == [5, 10, 15, 20, 25, 30]
    assert [point.value for point in points] == pytest.approx([course.losses[n - 1].item() for n in range(5, 31, 5)])
    assert [point.step for point in events.Scalars("held_out_loss")] == [10, 20, 30]


def test_what_cannot_be_compiled_says_why(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    monkeypatch.setattr(compiling.shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs a C\+\+ compiler"):
        run(tiny(), compile=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's own compiler
def test_a_compiled_model_trains_alike(run: Any) -> None:
    plain, compiled = tiny(), tiny()
    one = run(plain, "plain", steps=6)
    two = run(compiled, "compiled", steps=6, compile=True)
    torch.testing.assert_close(one.losses, two.losses, rtol=1e-4, atol=1e-4)


def test_the_operations_of_a_token_are_those_of_the_paper() -> None:
    model = tiny()
    assert speed.operations(model, 16) == 6 * model.num_parameters() + 12 * 2 * 32 * 16


def test_a_share_of_the_peak_is_told_where_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "mfu" not in speed.Speed(tiny(), 16).take()
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA H100 80GB HBM3")
    assert speed.peak(torch.device("cuda")) == 989e12
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA L40S")
    assert speed.peak(torch.device("cuda")) == 362e12
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Of Tomorrow")
    assert speed.peak(torch.device("cuda")) is None


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_two_processes_are_one(optimizer: str, tmp_path: Path) -> None:
    def started(processes: int, steps: int = 12) -> Any:
        out = tmp_path / f"{processes}"
        script = Path(__file__).parents[3] / "train_ranks.py"
        runner = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
        command = [*runner, str(script), str(out), optimizer, str(steps)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
        assert done.returncode == 0, done.stderr
        return torch.load(out / "made.pt"), sorted(path.name for path in out.iterdir())

    (one, _), (two, written) = started(1), started(2)
    torch.testing.assert_close(two["losses"], one["losses"], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(two["held_out"], one["held_out"], rtol=1e-4, atol=1e-5, equal_nan=True)
    atol = {"muon": 1e-3, "adamw": 1e-5}[optimizer]  # Muon turns its matrices in bfloat16
    for name, parameter in one["weights"].items():
        torch.testing.assert_close(two["weights"][name], parameter, rtol=1e-4, atol=atol)
    assert written == ["checkpoint", "events", "log", "made.pt", "rank0", "rank1"]
    assert sorted(path.name for path in (tmp_path / "2/log").iterdir()) == ["rank0.log", "rank1.log"]
    assert len(list((tmp_path / "2/events").iterdir())) == 1
    resumed, _ = started(2, steps=12)  # from its last checkpoint, of step 8
    assert all(map(torch.equal, resumed["weights"].values(), two["weights"].values()))


def test_processes_that_cannot_share_a_batch_are_refused(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    monkeypatch.setattr(processes, "world_size", lambda: 3)
    with pytest.raises(ConfigError, match="3 processes cannot share batches of 4 rows"):
        module.Run(tiny(), language_model, plan())
