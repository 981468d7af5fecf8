"""docs/gpt.md shows what the script prints and the models have."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sluicegate.models.gpt_shape import PRESETS, GPTShape

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "gpt.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src" / "sluicegate"
MODEL = [SOURCE / "models" / f"{name}.py" for name in ("gpt", "gpt_attention", "gpt_config", "rope")]
LOOP = [SOURCE / "training" / "scratch" / f"{name}.py" for name in ("pretrain", "objectives")]
WALK = PAGE.partition("## What it is made of")[0]


def test_every_line_shown_is_printed_in_this_order() -> None:
    script = ROOT / "examples" / "gpt_shapes.py"
    printed = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout
    assert "".join(re.findall(r"```text\n(.*?)```", WALK, re.DOTALL)) == printed


@pytest.mark.parametrize("preset", PRESETS)
def test_the_presets_are_as_the_table_tells(preset: str) -> None:
    layers, width, heads, context, told = re.search(rf"\| `{preset}` \|(.*)\|", PAGE)[1].split("|")
    shape = GPTShape(preset=preset)
    kv_heads = f", key-value {shape.kv_heads}" if shape.kv_heads else ""
    assert [int(layers), int(width), int(context)] == [shape.layers, shape.width, shape.context]
    assert heads.strip() == f"{shape.heads}{kv_heads}"
    parameters, vocabulary = (int(number.replace(",", "")) for number in re.findall(r"[\d,]+", told))
    with torch.device("meta"):
        assert shape.model(vocabulary).num_parameters() == parameters


def test_every_file_named_is_there() -> None:
    named = set(re.findall(r"`((?:src|tests|examples|benchmarks)/[\w/.]+)`", PAGE))
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_model_and_loop_can_be_read_in_one_sitting() -> None:
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (*MODEL, *LOOP)) < 700
