"""Finding the decoder stack."""

from __future__ import annotations

import pytest
from torch import nn

from sluicegate.errors import ArtifactError
from sluicegate.models.layers import decoder_layers, spaced_layers


def test_layers_are_spaced_evenly_and_the_last_is_among_them() -> None:
    assert spaced_layers(3, 8) == [0, 1, 2]
    assert spaced_layers(28, 4) == [6, 13, 20, 27]


def test_a_model_without_decoder_layers_is_told() -> None:
    with pytest.raises(ArtifactError, match="no list of decoder layers"):
        decoder_layers(nn.Sequential(nn.Linear(2, 2)))
