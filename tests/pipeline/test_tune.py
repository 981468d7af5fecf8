"""The packaged search over the rank of every quarter of a model's layers, on a model as deep as it is written for."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from sluicegate.cli import main
from sluicegate.testing import tiny_config, tiny_model, tiny_pool

pytestmark = pytest.mark.slow

LAYERS = 28
QUARTERS = ("first", "second", "third", "last")
QUICK = ["tune.trials=2", "tune.rungs.values=[1, 2]", "tune.sampler=random", "vars.max_new_tokens=2"]
QUICK += [f"tune.space.vars.rank.{name}=[2, 4]" for name in QUARTERS]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The variables that the recipe leaves open."""
    root = tmp_path_factory.mktemp("tune")
    base = tiny_model(root / "base", "qwen3")
    sizes = {"num_hidden_layers": LAYERS, "vocab_size": 258, "pad_token_id": 0, "eos_token_id": 1}
    AutoModelForCausalLM.from_config(tiny_config("qwen3", **sizes)).save_pretrained(base)
    for name, rows in (("rows", tiny_pool(40)), ("test", tiny_pool(46)[40:])):
        lines = (json.dumps({"messages": row["messages"], "answer": row["answer"]}) for row in rows)
        (root / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    files = [f"vars.{name}={root / name}.jsonl" for name in ("rows", "test")]
    return [f"vars.base={base}", *files, f"out={root / 'run'}"]


def test_the_ranks_that_came_out_best_are_trained_and_exported(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = Path(asked[-1].removeprefix("out="))
    assert main(["tune", "tune_lora", *asked, *QUICK]) == 0
    with (out / "study" / "trials.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] in ("whole", "pruned") for row in rows] == [True] * 2
    assert not list((out / "artifacts").glob("model-*")), "trials keep no weights"
    command = shlex.split(capsys.readouterr().out.splitlines()[1])
    assert main(command[1:]) == 0

    best = min((row for row in rows if row["state"] == "whole"), key=lambda row: float(row["trial.loss"]))
    quarters = [int(best[f"vars.rank.{name}"]) for name in QUARTERS]
    settings = json.loads((out / "model" / "adapter_config.json").read_text(encoding="utf-8"))
    assert list(settings["rank_pattern"].values()) == quarters
    from safetensors.torch import load_file

    weights = load_file(out / "model" / "adapter_model.safetensors")
    ranks = [
        weights[f"base_model.model.model.layers.{n}.self_attn.q_proj.lora_A.weight"].shape[0] for n in range(LAYERS)
    ]
    assert ranks == [rank for rank in quarters for _ in range(LAYERS // 4)]
    card = (out / "bundle" / "base-sft" / "README.md").read_text(encoding="utf-8")
    assert "lora.rank_pattern" in card
