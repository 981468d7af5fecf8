"""From rows to a folder that is given away: what its card tells is what was done, and its snippets run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from sluicegate.cli import main
from sluicegate.testing import tiny_model, tiny_pool

pytestmark = pytest.mark.slow

RECIPE: dict[str, Any] = {
    "pool": {"stage": "prepare", "sources": [{"path": "???", "name": "sums", "licence": "mit", "warning": "toy"}]},
    "test": {"stage": "prepare", "sources": "???"},
    "scores": {"stage": "score", "data": "pool", "model": "???", "signals": ["length", "random"]},
    "pick": {"stage": "select", "scores": "scores", "by": "length", "options": {"fraction": 0.75}},
    "pick-random": {"stage": "select", "scores": "scores", "rule": "random", "options": {"fraction": 0.75}},
    "model": {
        "stage": "sft", "model": "???", "data": "pool", "selection": "pick", "method": "lora", "max_steps": 3,
        "learning_rate": 0.05,
    },
    "model-random": {
        "stage": "sft", "model": "???", "data": "pool", "selection": "pick-random", "method": "lora", "max_steps": 3,
    },
    "result": {"stage": "evaluate", "model": "model", "data": "test", "max_new_tokens": 2},
    "result-random": {"stage": "evaluate", "model": "model-random", "data": "test", "max_new_tokens": 2},
    "report": {"stage": "report", "arms": {"length": ["result"], "random": ["result-random"]}},
    "bundle": {
        "stage": "export", "model": "model", "evaluation": "result", "control": "result-random", "report": "report",
        "name": "Tiny-sums", "base": "tiny/base", "licence": "apache-2.0", "dtype": "bfloat16",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole run."""
    root = tmp_path_factory.mktemp("export")
    for name, rows in (("pool", tiny_pool(24)), ("asked", tiny_pool(30)[24:])):
        lines = (json.dumps({"messages": r["messages"], "answer": r["answer"]}) for r in rows)
        (root / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    base = str(tiny_model(root / "base", "qwen3"))
    steps = json.loads(json.dumps(RECIPE))
    steps["pool"]["sources"][0]["path"], steps["test"]["sources"] = str(root / "pool.jsonl"), str(root / "asked.jsonl")
    for name in ("scores", "model", "model-random"):
        steps[name]["model"] = base
    (root / "recipe.yaml").write_text(json.dumps({"steps": steps}), encoding="utf-8")
    assert main(["run", str(root / "recipe.yaml"), f"out={root / 'run'}"]) == 0
    return root / "run"


@pytest.fixture(scope="module")
def bundle(run: Path) -> Path:
    return run / "bundle" / "Tiny-sums"


@pytest.fixture(scope="module")
def card(bundle: Path) -> str:
    return (bundle / "README.md").read_text(encoding="utf-8")


def stats(run: Path, step: str) -> dict[str, Any]:
    return json.loads((run / step / "manifest.json").read_text(encoding="utf-8"))["stats"]


def artifact(run: Path, step: str) -> str:
    return json.loads((run / "lock.json").read_text(encoding="utf-8"))[step]


def test_the_hub_reads_its_front_matter(bundle: Path) -> None:
    told = ModelCard.load(bundle / "README.md").data
    assert (told.base_model, told.license, told.library_name) == ("tiny/base", "apache-2.0", "transformers")
    assert told.language == ["en", "zh"]
    assert told.tags == ["sluicegate", "sft"]
    assert [result.metric_type for result in told.eval_results or []] == ["accuracy"] * len(told.eval_results or [])
    assert told.eval_results


def test_the_card_tells_rows_licence_and_warning_of_the_data(run: Path, card: str) -> None:
    counts = {lang: int(n) for lang, n in re.findall(r"\| sums \| mit \| (\w+) \| (\d+) \|", card)}
    assert set(counts) == {"en", "zh"}
    assert sum(counts.values()) == stats(run, "model")["rows"] == 18
    assert "Mind of sums: toy." in card


def test_the_card_tells_rule_budget_and_the_random_control(run: Path, card: str) -> None:
    assert f"Rule top\\_k by length, fraction 0.75: 18 of 24 rows were kept (`{artifact(run, 'pick')}`)" in card
    loss = {step: stats(run, step)["loss"] for step in ("result", "result-random")}
    row = r"\| {} \| 18 rows, \d+ label tokens \| {:.3f} \[[\d.]+, [\d.]+\] \| 6 \|"
    assert re.search(row.format("this model", loss["result"]), card)
    assert re.search(row.format("control", loss["result-random"]), card)
    assert f"The control is `{artifact(run, 'result-random')}` (Rule random, fraction 0.75)." in card
    headline = stats(run, "report")["headline"]
    assert headline.partition(":")[0] in card.replace("\\", "")


def test_the_card_names_every_ancestor(run: Path, card: str) -> None:
    lineage = card.partition("## Lineage")[2]
    for step in ("pool", "scores", "pick", "model", "result", "result-random", "report"):
        assert f"`{artifact(run, step)}`" in lineage


def test_nothing_of_the_machine_is_in_the_bundle(run: Path, bundle: Path) -> None:
    for path in bundle.rglob("*"):
        assert str(run.parent).encode() not in path.read_bytes(), path.name


def test_the_transformers_snippet_runs_in_the_folder(bundle: Path, card: str, tmp_path: Path) -> None:
    """Where the bundle is copied to, and without this package."""
    folder = shutil.copytree(bundle, tmp_path / "elsewhere")
    snippet = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert snippet is not None
    assert "sluicegate" not in snippet[1]
    code = snippet[1].replace("max_new_tokens=256", "max_new_tokens=4")
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\n")


def test_an_adapter_runs_by_its_snippet_where_its_base_is_found(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    asked = ["export", f"model={run / 'model'}", "form=adapter", "base=tiny/base", "name=Ours", f"out={out}"]
    assert main(asked) == 0
    folder = out / "export" / "Ours"
    assert str(folder) in capsys.readouterr().err.replace(str((out / "export").resolve()), str(out / "export"))
    shutil.copytree(run.parent / "base", folder / "tiny" / "base")  # where the snippet looks before it asks the hub
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert ModelCard(text).data.to_dict()["base_model_relation"] == "adapter"
    assert "vllm serve tiny/base --enable-lora --max-lora-rank 16 --lora-modules Ours=." in text
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0].replace("max_new_tokens=256", "max_new_tokens=4")
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_bundle_is_a_model_like_any_other(run: Path, bundle: Path, tmp_path: Path) -> None:
    """Exported in float32, it has the loss of the adapter that it was made of."""
    asked = ["export", f"model={run / 'model'}", "name=Whole", f"out={tmp_path}"]
    assert main(asked) == 0
    argv = ["evaluate", f"model={tmp_path / 'export' / 'Whole'}", f"data={run / 'test'}", "max_new_tokens=2"]
    assert main([*argv, f"out={tmp_path}"]) == 0
    assert stats(tmp_path, "evaluate")["loss"] == pytest.approx(stats(run, "result")["loss"], abs=1e-5)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["control=result-random"], "a control has nothing to stand beside"),
        (["evaluation=result-random"], "is not an evaluation of model-"),
        (["form=adapter", "dtype=bfloat16"], "an adapter is exported as it was trained"),
        (["form=adapter"], "is a folder of this machine"),
        (["shard_size=5"], "shard_size"),
    ],
)
def test_what_does_not_fit_is_refused(
    more: list[str], said: str, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copied = run.parent / "refused"
    if not copied.is_dir():
        shutil.copytree(run, copied, symlinks=True)
    assert main(["export", "model=model", *more, f"out={copied}"]) != 0
    assert said in capsys.readouterr().err
