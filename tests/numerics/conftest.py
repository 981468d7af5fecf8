"""Five of the promised architectures, as unlike each other as they get, and rows to read."""

from __future__ import annotations

from typing import Any

import pytest

from sluicegate.models.encode import Encoded
from tiny_architectures import some_rows, tiny_architecture


@pytest.fixture(params=["qwen3", "gemma2", "mixtral", "gpt2", "sluice_gpt"])
def model(request: pytest.FixtureRequest) -> Any:
    """Weights so large that a change of any of them shows in the logits."""
    return tiny_architecture(request.param)


@pytest.fixture(scope="session")
def rows() -> list[Encoded]:
    """Rows of unlike length, one with two replies, one a document."""
    return some_rows()
