"""The packaged recipe `sft_then_dpo` on a user's own model and file, and DPO and ORPO on real pairs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM

from sluicegate.cli import main
from sluicegate.testing import tiny_config, tiny_model
from tiny_pairs import tiny_pairs

pytestmark = pytest.mark.slow

REAL = Path(__file__).parents[3] / "shared" / "data" / "preference"
STAGES = ("sft", "dpo", "orpo")
QUICK = [*(f"{stage}.max_steps=3" for stage in STAGES), *(f"{stage}.total_batch=4" for stage in STAGES)]
QUICK += ["vars.max_new_tokens=4", "vars.share={zh: 0.7}"]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def told(out: Path, step: str) -> Any:
    return json.loads((out / step / "training.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("method", ["full", "lora"])
def test_both_roads_from_one_file_of_pairs(method: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, out = tiny_model(tmp_path / "base", "qwen3"), tmp_path / "run"
    pairs = [{side: pair[side] for side in ("prompt", "chosen", "rejected")} for pair in tiny_pairs(20)]  # type: ignore[literal-required]
    asked = write(tmp_path / "test.jsonl", [{"question": f"Say {n}, would you?", "answer": f"{n}"} for n in range(5)])
    file = write(tmp_path / "pairs.jsonl", pairs)
    argv = ["run", "sft_then_dpo", f"out={out}", f"vars.base={base}", f"vars.pairs={file}", f"vars.test={asked}"]
    argv += [*QUICK, f"vars.method={method}"]
    assert main(argv) == 0
    assert [told(out, step)["method"] for step in STAGES] == [method] * 3
    assert [told(out, step)["rows"] for step in STAGES] == [20] * 3
    assert told(out, "dpo")["settings"]["length_penalty"] == 0.02
    assert told(out, "dpo")["mix"]["by"]["lang"]["zh"] >= 8
    assert (out / "report").exists()
    capsys.readouterr()
    assert main(argv) == 0, "all of it stands"
    assert "fine-tune" not in capsys.readouterr().err


@pytest.mark.skipif(not REAL.is_dir(), reason="the real pairs are not here")
@pytest.mark.parametrize("stage", ["dpo", "orpo"])
def test_the_loss_falls_on_real_pairs(stage: str, tmp_path: Path) -> None:
    base = tiny_model(tmp_path / "base", "qwen3")
    config = tiny_config("qwen3", vocab_size=258, pad_token_id=0, eos_token_id=1, max_position_embeddings=2048)
    AutoModelForCausalLM.from_config(config).save_pretrained(base)
    names = {"hh": "hh_rlhf_harmless_base_test.jsonl.gz", "oasst_zh": "oasst_zh_pairs.json"}
    pairs = {
        "stage": "prepare",
        "make": "pairs",
        "sources": [{"path": str(REAL / path), "name": name} for name, path in names.items()],
        "max_chars": 300,
        "max_bad_share": 1.0,
        "sample": {"rows": 64, "by": "source"},
    }
    training = {"stage": stage, "model": str(base), "data": "pairs", "method": "full", "max_steps": 40}
    training |= {"total_batch": 8, "learning_rate": 0.01, "sampler": {"share": "zh"}}
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(json.dumps({"steps": {"pairs": pairs, "model": training}}), encoding="utf-8")
    assert main(["run", str(recipe), f"out={tmp_path / 'run'}"]) == 0
    found = told(tmp_path / "run", "model")
    first, last = found["curve"][0], found["curve"][-1]
    assert last["loss"] < 0.9 * first["loss"]
    assert last["rewards/margins"] > first["rewards/margins"]
    assert found["mix"]["by"]["lang"]["zh"] >= 0.7 * 320 - 8
