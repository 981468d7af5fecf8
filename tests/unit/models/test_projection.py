"""Projected vectors keep their angles, and the signs are the same whatever is projected with them."""

from __future__ import annotations

import pytest
import torch

from sluicegate.models import projection
from sluicegate.models.projection import Projection


def test_a_projection_is_the_product_with_its_signs() -> None:
    random = Projection(width=100, seed=3)
    vectors = torch.randn(4, 57, generator=torch.Generator().manual_seed(0))
    signs = random.signs(0, 57)  # (57, 100)
    assert set(signs.flatten().tolist()) == {-1.0, 1.0}
    torch.testing.assert_close(random.part(vectors), vectors @ signs / 10, atol=1e-5, rtol=1e-5)


def test_signs_are_balanced_and_independent() -> None:
    signs = Projection(width=256).signs(0, 4096)
    assert abs(signs.mean()) < 4 / (256 * 4096) ** 0.5
    assert signs.mean(0).abs().max() < 5 / 4096**0.5
    between = signs.T @ signs / 4096 - torch.eye(256)
    assert between.abs().max() < 6 / 4096**0.5
    assert abs(between.std() * 4096**0.5 - 1) < 0.02


def test_another_seed_gives_other_signs() -> None:
    one, other = (Projection(64, seed).signs(0, 1000) for seed in (0, 1))
    assert abs((one * other).mean()) < 4 / 64_000**0.5


def test_inner_products_are_kept_as_closely_as_promised() -> None:
    x, y = torch.randn(2, 50, 3000, generator=torch.Generator().manual_seed(0))
    x, y = torch.nn.functional.normalize(x), torch.nn.functional.normalize(0.3 * x + y)
    random = Projection(width=2048)
    off = (random.part(x) * random.part(y)).sum(1) - (x * y).sum(1)
    assert off.abs().max() < 4 / 2048**0.5
    assert abs(off.mean()) < 4 / (50 * 2048) ** 0.5, "it leans to neither side"


@pytest.mark.parametrize("block", [1, 700, 2**22])
def test_parts_and_blocks_add_up_to_the_whole(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Projection(width=70, seed=5)
    vectors = torch.randn(3, 40, generator=torch.Generator().manual_seed(0))
    whole = vectors @ random.signs(0, 40) / 70**0.5
    monkeypatch.setattr(projection, "BLOCK", block)
    parts = random.part(vectors[:, :13]) + random.part(vectors[:, 13:], start=13)
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-5)


def test_hashes_are_those_of_splitmix64() -> None:
    """The first outputs of the published generator seeded with 0, whose n-th state is n steps from its seed."""
    known = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    found = projection._hash(torch.arange(3)).tolist()
    assert [n % 2**64 for n in found] == known
