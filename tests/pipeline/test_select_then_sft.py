"""The packaged recipe `select_then_sft` on a user's own model and files: three families, six shapes, two methods."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import read_rows
from sluicegate.cli import main
from sluicegate.pipeline import load_lock
from sluicegate.testing import Family, tiny_model

pytestmark = pytest.mark.slow

SHAPES: dict[str, Callable[[str, str, int], dict[str, Any]]] = {
    "messages": lambda q, a, n: {"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]},
    "prompt_completion": lambda q, a, n: {"prompt": q, "completion": a},
    "alpaca": lambda q, a, n: {"instruction": q.partition("? ")[0], "input": q.partition("? ")[2], "output": a},
    "sharegpt": lambda q, a, n: {"conversations": [{"from": "human", "value": q}, {"from": "gpt", "value": a}]},
    "gsm8k": lambda q, a, n: {"question": q, "answer": f"{a}\n#### {n}"},
    "math": lambda q, a, n: {"problem": q, "solution": f"{a} It is $\\boxed{{{n}}}$."},
}
USED: dict[Family, tuple[str, str]] = {
    "qwen2": ("messages", "prompt_completion"),
    "qwen3": ("alpaca", "sharegpt"),
    "llama": ("gsm8k", "math"),
}
"""Family to the shapes of its pool and of its trusted rows."""
QUICK = ("warmup.epochs=2", "warmup.copies=2", "vars.epochs=1", "vars.max_new_tokens=4")
ADAPTER = (*QUICK, "warmup.reference.steps=10", "vars.method=lora")
READ = {"trusted", "test", "pool", "warmup", "scores"}
CHOICE = READ | {"pick-gate", "pick-reference", "pick-random-0"}
LONG = 300
"""Characters that fill the tokens a row may have, at a token per byte."""


@dataclass
class Run:
    """A run in a folder of its own, made with adapters."""

    out: Path
    base: Path
    argv: list[str]
    answers: bool
    """Whether the trusted rows have final answers."""

    def again(self, *overrides: str) -> None:
        assert main([*self.argv, *overrides]) == 0

    def json(self, name: str) -> Any:
        return json.loads((self.out / name).read_text(encoding="utf-8"))

    def ids(self, name: str) -> set[str]:
        return {row["id"] for row in read_rows(self.out / name / "messages.parquet")}

    def kept(self, name: str) -> set[str]:
        return {row["id"] for row in read_rows(self.out / name / "selection.parquet") if row["kept"]}


def write(path: Path, shape: str, n_rows: int, seed: int) -> Path:
    rng = random.Random(seed)
    sums = [(rng.randint(1, 99), rng.randint(100, 999)) for _ in range(n_rows)]
    rows = (SHAPES[shape](f"What is the sum? {a} and {b}.", f"Adding {a} and {b}: {a + b}.", a + b) for a, b in sums)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=USED)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp(request.param)
    pool, trusted = USED[request.param]
    given = {
        "base": tiny_model(folder / "base", request.param),
        "pool": write(folder / "pool.jsonl", pool, 50, seed=1),
        "trusted": write(folder / "trusted.jsonl", trusted, 40, seed=2),
    }
    argv = ["run", "select_then_sft", *(f"vars.{k}={v}" for k, v in given.items()), *ADAPTER, f"out={folder / 'run'}"]
    found = Run(folder / "run", given["base"], argv, trusted == "math")
    found.again()
    return found


@pytest.fixture(scope="module")
def overlapping(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The trusted rows are in the pool too, beside prompts that leave a reply no room; the gate reads its base."""
    folder = tmp_path_factory.mktemp("overlapping")
    trusted = write(folder / "trusted.jsonl", "prompt_completion", 40, seed=2)
    own = write(folder / "own.jsonl", "prompt_completion", 40, seed=1).read_text(encoding="utf-8")
    long = "".join(json.dumps({"prompt": f"{n} " * LONG, "completion": "Yes."}) + "\n" for n in range(20))
    pool = folder / "pool.jsonl"
    pool.write_text(trusted.read_text(encoding="utf-8") + own + long, encoding="utf-8")
    given = {"base": tiny_model(folder / "base"), "pool": pool, "trusted": trusted, "seeds": [0, 1], "max_length": LONG}
    argv = ["run", "select_then_sft", *(f"vars.{k}={v}" for k, v in given.items()), *QUICK, f"out={folder / 'run'}"]
    found = Run(folder / "run", folder / "base", [*argv, "warmup.reference.method=off"], answers=False)
    found.again()
    return found


def opens(folder: Path, base: Path, adapter: bool) -> None:
    """With what everybody has installed, and the answers of a model that trained."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokens = AutoTokenizer.from_pretrained(folder)("What is the sum?", return_tensors="pt")
    before = AutoModelForCausalLM.from_pretrained(base)(**tokens).logits
    inner = AutoModelForCausalLM.from_pretrained(base if adapter else folder)
    model: Any = PeftModel.from_pretrained(inner, folder) if adapter else inner
    after = model(**tokens).logits
    assert torch.isfinite(after).all()
    assert not torch.equal(after, before), "the saved weights are not the base's"


def test_every_arm_has_equal_pool_rows_and_the_same_trusted_rows(made: Run) -> None:
    arms = {row["arm"]: row for row in made.json("report/summary.json")["arms"]}
    assert set(arms) == {"gate", "reference", "random"}
    assert {row["pool_rows"] for row in arms.values()} == {10}, "20 % of 50 rows"
    trusted = {row["trusted_rows"] for row in arms.values()}
    assert len(trusted) == 1
    assert 20 < min(trusted) < 40, "some of the 40 judge the arms"
    inputs = [made.json(f"model-{arm}-0/manifest.json")["inputs"] for arm in arms]
    assert {found["trusted"] for found in inputs} == {load_lock(made.out)["trusted"]}
    assert all((row["accuracy"] is not None) == made.answers for row in arms.values())
    assert all(row["loss"] > 0 and row["label_tokens"] > 0 for row in arms.values())


def test_no_arm_trains_on_what_judges_it(overlapping: Run) -> None:
    test, trusted, pool = map(overlapping.ids, ("test", "trusted", "pool"))
    assert len(test) > 0
    assert len(test | trusted) == 40
    assert not pool & (test | trusted)
    reasons = overlapping.json("pool/manifest.json")["stats"]["by_reason"]
    assert reasons == {"in the test rows": len(test), "in the trusted rows": len(trusted)}


def test_overlong_prompts_kill_no_arm_and_leave_all_of_them_equal(overlapping: Run) -> None:
    lock = load_lock(overlapping.out)
    trained = [overlapping.json(f"{step}/manifest.json")["stats"] for step in lock if step.startswith("model-")]
    assert len(trained) == 6
    for key in ("rows", "pool_rows", "trusted_rows", "steps"):
        assert len({stats[key] for stats in trained}) == 1, key
    assert trained[0]["pool_rows"] == 12, "20 % of 60 rows"
    unscored = {step: overlapping.json(f"{step}/manifest.json")["stats"]["unscored"] for step in lock if "pick" in step}
    assert set(unscored.values()) == {20}, "every arm chooses among the same rows"


def test_every_seed_draws_its_own_random_rows(overlapping: Run) -> None:
    assert overlapping.kept("pick-random-0") != overlapping.kept("pick-random-1")
    inputs = [overlapping.json(f"model-random-{seed}/manifest.json")["inputs"] for seed in (0, 1)]
    assert [found["selection"] for found in inputs] == [load_lock(overlapping.out)[f"pick-random-{s}"] for s in (0, 1)]


def test_a_second_run_has_everything(made: Run, capfd: pytest.CaptureFixture[str]) -> None:
    before = load_lock(made.out)
    made.again()
    told = [line.split() for line in capfd.readouterr().err.splitlines()]
    assert [line[:3] for line in told[: len(before)]] == [[step, "have", before[step]] for step in before]


def test_the_trained_folder_opens_as_adapter_and_as_whole_model(made: Run) -> None:
    before = load_lock(made.out)
    opens(made.out / "model-gate-0", made.base, adapter=True)
    made.again("vars.method=full", "vars.epochs=2")
    after = load_lock(made.out)
    assert {step for step in before if before[step] == after[step]} == CHOICE, "only training is made again"
    opens(made.out / "model-gate-0", made.base, adapter=False)
