from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from sluicegate.models.size import count_parameters
from sluicegate.testing import tiny_model


@pytest.mark.parametrize("shard", ["50KB", "1GB"])
def test_parameters_are_those_of_the_model_in_one_file_or_many(tmp_path: Path, shard: str) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model(tmp_path / "one"))
    model.save_pretrained(tmp_path / "out", max_shard_size=shard)
    assert len(list((tmp_path / "out").glob("*.safetensors"))) == {"50KB": 2, "1GB": 1}[shard]
    assert count_parameters(tmp_path / "out") == model.num_parameters()


def test_a_folder_without_weights_has_none(tmp_path: Path) -> None:
    assert count_parameters(tmp_path) == 0
