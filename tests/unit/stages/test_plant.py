from __future__ import annotations

import json
from pathlib import Path

import pytest

from sluicegate.artifacts import write_table
from sluicegate.config import build
from sluicegate.errors import ConfigError
from sluicegate.schema import Record
from sluicegate.stages.plant import Plant
from sluicegate.testing import check_stage, sealed, tiny_pool


def test_the_contract(tmp_path: Path) -> None:
    data = sealed(
        tmp_path, "messages", lambda out: {"rows": write_table(out / "messages.parquet", tiny_pool(), Record)}
    )
    made = check_stage(Plant, {"faults": ["truncate"], "share": 0.5}, {"data": data}, tmp_path / "made")
    faults = [json.loads(row["meta"])["fault"] for row in made.rows("messages", ["meta"])]
    assert made.stats == {"rows": 24, "damaged": 12, "faults": {"clean": 12, "truncate": 12}}
    assert faults.count("truncate") == 12


def test_an_unknown_fault_is_told_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match="no corruption named 'truncat'"):
        build(Plant.Config, {"faults": ["truncat"]})
