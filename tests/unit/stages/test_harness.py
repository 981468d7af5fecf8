"""The harness says of a model what it says by itself."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from sluicegate.artifacts import Artifact, read_rows
from sluicegate.config import build
from sluicegate.errors import ConfigError, MissingError
from sluicegate.evaluation.harness import ask_harness
from sluicegate.evaluation.harness_config import HarnessConfig
from sluicegate.models.load import Loaded, load
from sluicegate.stages.harness import Harness
from sluicegate.testing import check_config, sealed, tiny_model

pytest.importorskip("lm_eval")
NAMES = ("Sarah", "Maria", "Tom", "Li")


def hellaswag(n: int) -> dict[str, Any]:
    endings = [f"goes {way} with {NAMES[n % 4]}." for way in ("home", "away again", "to the river bank", "up")]
    ctx_a, ctx_b = f"A person number {n} stands up.", "then she"
    return {
        "ind": n,
        "activity_label": "Walking",
        "ctx_a": ctx_a,
        "ctx_b": ctx_b,
        "ctx": f"{ctx_a} {ctx_b}",
        "endings": endings,
        "label": str(n % 4),
    }


def winogrande(n: int) -> dict[str, Any]:
    one, two = NAMES[n % 4], NAMES[(n + 1) % 4]
    return {"sentence": f"{one} thanked {two} because _ had helped.", "option1": one, "option2": two, "answer": "2"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name, row, split in (("hellaswag", hellaswag, "validation"), ("winogrande", winogrande, "validation")):
        (folder / name).mkdir()
        lines = "".join(json.dumps(row(n)) + "\n" for n in range(12))
        (folder / name / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    root = tmp_path_factory.mktemp("store")
    return sealed(root, "model", lambda out: {"n": len(str(tiny_model(out)))})


def bare(loaded: Loaded, data: Path, work: Path) -> dict[str, Any]:
    """What a run of lm_eval without us gives: its own YAML over a folder of the data."""
    import lm_eval
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    tasks = Path(lm_eval.__file__).parent / "tasks"
    for name, packaged in (("hellaswag", "hellaswag/hellaswag.yaml"), ("winogrande", "winogrande/default.yaml")):
        told = f"include: {tasks / packaged}\ntask: {name}\ndataset_path: json\ndataset_name: null\n"
        told += (
            f"training_split: null\ndataset_kwargs: {{data_files: {{validation: {data / name}/validation.jsonl}}}}\n"
        )
        (work / f"{name}.yaml").write_text(told, encoding="utf-8")
    folders = [tasks / "hellaswag", tasks / "winogrande", work]
    manager = TaskManager(include_path=folders, include_defaults=False)
    lm: Any = HFLM(pretrained=loaded.model, tokenizer=loaded.tokenizer, backend="causal", batch_size=16)
    return lm_eval.simple_evaluate(lm, tasks=["hellaswag", "winogrande"], task_manager=manager)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_its_numbers_are_those_of_a_bare_run(model: Artifact, data: Path, tmp_path: Path) -> None:
    (out := tmp_path / "out").mkdir()
    config = Harness.Config(tasks=["harness:hellaswag", "winogrande"], data_dir=data)
    stats = Harness().fill(out, config, {"model": model})
    results = json.loads((out / "results.json").read_text())["results"]
    (work := tmp_path / "work").mkdir()
    expected = bare(load(model.path, device="cpu"), data, work)["results"]
    for task, metrics in (("hellaswag", ("acc", "acc_norm")), ("winogrande", ("acc",))):
        for metric in metrics:
            assert results[task][f"{metric},none"] == expected[task][f"{metric},none"]
            assert results[task][f"{metric}_stderr,none"] == pytest.approx(expected[task][f"{metric}_stderr,none"])
        assert stats[task] == expected[task]["acc,none"]
    rows = list(read_rows(out / "predictions.parquet"))
    right = [row["correct"] for row in rows if row["source"] == "hellaswag"]
    assert sum(right) / len(right) == expected["hellaswag"]["acc,none"]
    assert stats["n"] == len(rows) == 24
    with (out / "results.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [(line["task"], line["metric"], line["n"]) for line in lines] == [
        ("hellaswag", "acc", "12"),
        ("hellaswag", "acc_norm", "12"),
        ("winogrande", "acc", "12"),
    ]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_misspelt_task_is_told_with_a_hint(model: Artifact, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no task 'helaswag'") as err:
        ask_harness(load(model.path, device="cpu"), HarnessConfig(tasks=["helaswag"], data_dir=data), tmp_path)
    assert "hellaswag" in err.value.hint


def test_data_that_change_make_another_evaluation(data: Path, tmp_path: Path) -> None:
    config = build(Harness.Config, {"tasks": ["hellaswag"], "data_dir": str(data)})
    pins = Harness().pins(config)
    assert sorted(pins) == ["hellaswag/validation.jsonl", "winogrande/validation.jsonl"]
    with pytest.raises(MissingError, match="is no folder"):
        Harness().pins(config.model_copy(update={"data_dir": tmp_path / "none"}))


def test_every_key_has_its_help() -> None:
    check_config(Harness.Config)
