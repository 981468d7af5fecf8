"""Random signs that keep inner products (Johnson and Lindenstrauss; Achlioptas, JCSS 2003), made anew whenever used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

BLOCK = 2**22
"""Signs in memory at once: 16 MB as float32."""
STEP, FIRST, SECOND = -0x61C8864680B583EB, -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15
"""The constants of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) as signed integers."""


@dataclass(frozen=True)
class Projection:
    """x R of vectors x (B, N), R (N, W) of independent ±1/√W: ⟨x R, y R⟩ is ⟨x, y⟩ give or take ‖x‖ ‖y‖ / √W.

    R is never stored: a sign is a bit of a hash of the seed and of its place, so it is the same on every device,
    whatever is projected with it. A vector may come in parts.
    """

    width: int
    """W."""
    seed: int = 0

    def part(self, vectors: Tensor, start: int = 0) -> Tensor:
        """What the entries `start` to `start + n` of vectors, given as (B, n), add to their projection: (B, W)."""
        total = torch.zeros(len(vectors), self.width, device=vectors.device)
        rows = max(1, BLOCK // self.width)
        for at, block in enumerate(vectors.split(rows, dim=1)):
            first = start + at * rows
            total += block @ self._signs(first, first + block.shape[1], vectors.device)
        return total / self.width**0.5

    def signs(self, start: int, stop: int) -> Tensor:
        """The rows `start` to `stop` of √W R: (stop - start, W) of ±1."""
        return self._signs(start, stop, torch.device("cpu"))

    def _signs(self, start: int, stop: int, device: torch.device) -> Tensor:
        n_words = -(-self.width // 64)
        place = torch.arange(start * n_words, stop * n_words, device=device)
        octets = _hash(place + _hash(torch.tensor(self.seed, device=device))).view(torch.uint8)
        signs = _signs_of_octets(device).index_select(0, octets.int())  # ((stop - start) * n_words * 8, 8)
        return signs.view(stop - start, -1)[:, : self.width]


@cache
def _signs_of_octets(device: torch.device) -> Tensor:
    """The eight signs of every octet: (256, 8). Looked up they come three times as fast as from shifts."""
    bits = torch.arange(256, device=device)[:, None] >> torch.arange(8, device=device) & 1
    return 2.0 * bits - 1


def _hash(number: Tensor) -> Tensor:
    """SplitMix64 of 64-bit integers; products wrap around."""
    z = (number + 1) * STEP
    z = (z ^ _shifted(z, 30)) * FIRST
    z = (z ^ _shifted(z, 27)) * SECOND
    return z ^ _shifted(z, 31)


def _shifted(number: Tensor, by: int) -> Tensor:
    """To the right with zeros coming in, where torch brings in the sign."""
    return (number >> by) & ((1 << (64 - by)) - 1)
