from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.models.hub_name import HubName, hub_name

COMMIT = "70d244cc86ccca08cf5af4e1e306ecf908b1ad5e"


@pytest.mark.parametrize(
    ("repository", "name"),
    [("models--Qwen--Qwen3-1.7B", "Qwen/Qwen3-1.7B"), ("models--gpt2", "gpt2"), ("models--a--b-c.d", "a/b-c.d")],
)
def test_a_snapshot_of_the_cache_is_known_by_its_repository(repository: str, name: str) -> None:
    assert hub_name(Path("/home/me/.cache/huggingface/hub", repository, "snapshots", COMMIT)) == HubName(name, COMMIT)


@pytest.mark.parametrize(
    "folder", ["/models/Qwen3", "runs/x/artifacts/model-1234", "/cache/datasets--a--b/snapshots/1"]
)
def test_any_other_folder_is_not(folder: str) -> None:
    assert hub_name(Path(folder)) is None
