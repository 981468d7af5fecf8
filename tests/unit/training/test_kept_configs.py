from __future__ import annotations

from pathlib import Path

from sluicegate.models.load import load
from sluicegate.testing import tiny_model
from sluicegate.training.kept_configs import kept_configs


def test_what_a_trainer_writes_is_taken_back(tmp_path: Path) -> None:
    model = load(tiny_model(tmp_path)).model
    before = model.config.to_dict(), model.generation_config.to_dict()
    with kept_configs(model):
        model.config.use_cache = False
        model.generation_config.pad_token_id = 7
    assert (model.config.to_dict(), model.generation_config.to_dict()) == before
