"""What several replies to a question come to: pass@k (arXiv 2107.03374) and maj@k (arXiv 2203.11171)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence


def pass_at_k(n: int, right: int, k: int) -> float:
    """The chance that one of k replies is right, as estimated without bias from n of which so many are.

    Of all ways to draw k of the n, the share that holds a right one: 1 - C(n - right, k) / C(n, k).
    """
    return 1 - math.comb(n - right, k) / math.comb(n, k)


def majority(answers: Sequence[str | None]) -> int | None:
    """The place of the first reply that gives the most frequent answer; None where none gives any.

    Case and spaces do not count. Of answers that are equally frequent, the one that came first.
    """
    bare = [None if answer is None else "".join(answer.split()).casefold() for answer in answers]
    counts = Counter(answer for answer in bare if answer is not None)
    return bare.index(counts.most_common(1)[0][0]) if counts else None
