"""McNemar's exact test (Psychometrika 12, 1947): two models on the questions that only one of them gets right."""

from __future__ import annotations


def mcnemar(wins: int, losses: int) -> float:
    """Two-sided p: the chance that a fair coin splits the questions that only one gets right at least as unevenly.

    Questions that both get right, or neither, tell nothing and do not count; 1 where no other is left.
    """
    n, tail, ways = wins + losses, 0, 1
    for k in range(min(wins, losses) + 1):
        tail += ways  # of n questions, k to the one model
        ways = ways * (n - k) // (k + 1)
    return min(1.0, 2 * tail / 2**n)
