from __future__ import annotations

import ast
import re
from dataclasses import replace

import pytest

from sluicegate.reporting.model_card import Usage

WHOLE = Usage("Tiny-sft", base="", rank=0, house_class=False, gguf=False)


def code(usage: Usage) -> str:
    (found,) = re.findall(r"```python\n(.*?)```", usage.transformers(), re.DOTALL)
    ast.parse(found)
    return found


def test_a_whole_model_is_opened_by_each_program() -> None:
    text = "\n".join(WHOLE.sections())
    assert "vllm serve . --served-model-name Tiny-sft" in text
    assert "ollama create tiny-sft -f Modelfile" in text
    assert "sluicegate" not in text
    assert "peft" not in text


def test_an_adapter_needs_peft_and_its_base() -> None:
    adapter = replace(WHOLE, base="a/b", rank=20)
    text = "\n".join(adapter.sections())
    assert "pip install torch transformers peft" in text
    assert "vllm serve a/b --enable-lora --max-lora-rank 32 --lora-modules Tiny-sft=." in text


@pytest.mark.parametrize(("rank", "room"), [(1, 8), (16, 16), (17, 32), (200, 256), (600, 600)])
def test_the_server_has_room_for_the_rank(rank: int, room: int) -> None:
    assert f"--max-lora-rank {room} " in replace(WHOLE, base="a/b", rank=rank).vllm()


def test_a_class_of_ours_is_imported_and_no_other_program_is_named() -> None:
    ours = replace(WHOLE, house_class=True)
    assert code(ours).startswith("import sluicegate")
    assert len(ours.sections()) == 1


def test_gguf_is_told_where_it_is() -> None:
    assert "from `model.gguf`" in replace(WHOLE, gguf=True).ollama()
    assert "gguf" not in WHOLE.ollama()
