"""What a rule is: score columns in, one decision per record out. No model and no torch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from sluicegate.config import Config
from sluicegate.errors import ConfigError
from sluicegate.registry import did_you_mean
from sluicegate.schema import Decision, content_id
from sluicegate.selection.shares import proportional

TOKENS = "n_label_tokens"


@dataclass(frozen=True)
class Pool:
    """A light view of a scores table: ids, and one NumPy array of the same length per column."""

    ids: Sequence[str]
    columns: Mapping[str, np.ndarray]
    by: str = ""
    """The signal to rank by: higher is better, NaN is no score and `<by>_why` says why."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def score(self) -> np.ndarray:
        """The column of the signal to rank by, (N,)."""
        return self.column(self.by)

    def column(self, name: str) -> np.ndarray:
        """A column by name, (N, ...); `ConfigError` where these scores do not have it."""
        if name not in self.columns:
            hint = did_you_mean(name, self.columns) or f"they have {', '.join(self.columns) or 'none'}"
            raise ConfigError(f"these scores have no column '{name}'", hint)
        return self.columns[name]

    def take(self, rows: np.ndarray) -> Pool:
        """The view of some rows, in the order given."""
        ids = np.asarray(self.ids, dtype=object)[rows]
        return Pool(ids, {name: column[rows] for name, column in self.columns.items()}, self.by)

    def unscored(self) -> dict[int, str]:
        """Row to the reason it has no score to rank by."""
        if not self.by:
            return {}
        why = self.columns.get(f"{self.by}_why")
        missing = np.flatnonzero(np.isnan(self.score)).tolist()
        return {row: f"no {self.by} score: {why[row] if why is not None else 'NaN'}" for row in missing}

    def copies(self) -> dict[int, str]:
        """Row to the reason it is a copy: of rows with one content, only the first by id is no copy."""
        first: dict[str, str] = {}
        for one in sorted(self.ids):
            first.setdefault(content_id(one), one)
        of = [first[content_id(one)] for one in self.ids]
        return {row: f"copy of {of[row]}" for row, one in enumerate(self.ids) if of[row] != one}


@dataclass(frozen=True)
class Group:
    """Records that compete with each other: all of them, one source, one cluster."""

    order: np.ndarray
    """Rows of the pool, best first, (n,)."""
    why: str
    """What the kept are among, for the reason of each: `the best {keep} of 100 in cluster 3`."""
    most: int | None = None
    """How many of them may be kept at most; all where there is no limit."""
    weight: float = 1.0
    """What the group's share of the budget goes by, for a rule that divides it so."""

    @property
    def size(self) -> int:
        """How many may be kept."""
        return len(self.order) if self.most is None else self.most


@dataclass(frozen=True)
class Decisions:
    """What a rule said, one entry per record in the order of the pool's ids."""

    ids: Sequence[str]
    kept: np.ndarray
    """(N,) bool."""
    rank: np.ndarray
    """(N,) 0 to N - 1, each once; 0 is best and every kept record comes before every other."""
    reason: np.ndarray
    """(N,) str objects."""

    def rows(self) -> Iterator[Decision]:
        """One `Decision` per record."""
        columns = zip(self.ids, self.kept.tolist(), self.rank.tolist(), self.reason, strict=True)
        return ({"id": i, "kept": kept, "rank": rank, "reason": why} for i, kept, rank, why in columns)


class Rule:
    """Subclass it and write `groups`; budget, order of rows, ranks and reasons are settled here."""

    needs_score: ClassVar[bool] = True
    """Whether the rule ranks by a signal, so that `by` must name one."""

    class Config(Config):
        fraction: float | None = Field(None, gt=0, le=1)
        """Keep this share of all records, those counted that cannot be kept; give one of the three budgets."""
        rows: int | None = Field(None, gt=0)
        """Keep this many records."""
        tokens: int | None = Field(None, gt=0)
        """Keep records of at most this many label tokens together, and at least one."""

        @model_validator(mode="after")
        def _one_budget(self) -> Rule.Config:
            if len(self._budgets()) != 1:
                raise ValueError("give exactly one budget, `fraction`, `rows` or `tokens`")
            return self

        def _budgets(self) -> list[str]:
            return [name for name in ("fraction", "rows", "tokens") if getattr(self, name) is not None]

        def budget(self, total: int) -> int:
            """How many of `total` records to keep at most; at least one where there is any."""
            if self.fraction is not None:
                return max(1, round(self.fraction * total))
            return self.rows or total

    def __init__(self, config: Any) -> None:
        self.config = config

    def reads(self) -> tuple[str, ...]:
        """The columns `groups` reads, that of the signal apart."""
        return ()

    def columns(self) -> tuple[str, ...]:
        """The columns the rule needs, that of the signal apart: those `groups` reads, and what its budget counts."""
        return (*self.reads(), *([TOKENS] if self.config.tokens and TOKENS not in self.reads() else []))

    def groups(self, pool: Pool, budget: int) -> Iterable[Group]:
        """Split the rows of `pool` into groups of rows that compete with each other, best first.

        The pool holds only rows that may be kept, at least one, sorted by id: a stable sort breaks ties by id, and
        the order of the rows in their file cannot matter. All groups together keep at most `budget` rows.
        """
        raise NotImplementedError

    def shares(self, groups: Sequence[Group], budget: int) -> np.ndarray:
        """How many rows each group keeps, (G,), `budget` together: in proportion to how many of its rows may be."""
        return proportional(np.array([g.size for g in groups]), budget)

    def select(self, pool: Pool, barred: Mapping[int, str] | None = None) -> Decisions:
        """A decision for every record.

        Rows without a score to rank by are never kept, nor are those of `barred`, which holds the reason by row.
        """
        barred = {**pool.unscored(), **(barred or {})}
        by_id = np.argsort(np.asarray(pool.ids, dtype=str), kind="stable")  # (N,)
        shut = np.isin(by_id, list(barred))
        candidates = by_id[~shut]
        budget = min(self.config.budget(len(pool)), len(candidates))
        groups = list(self.groups(pool.take(candidates), budget)) if budget else []
        if sum(len(g.order) for g in groups) != len(candidates) * bool(budget):
            raise ValueError(f"{type(self).__name__}.groups must place every row of its pool, the kept and the others")
        groups = [replace(g, order=candidates[g.order]) for g in groups]
        return _decide(pool, groups, self._keep(groups, pool, budget), barred, by_id[shut])

    def _keep(self, groups: Sequence[Group], pool: Pool, budget: int) -> list[int]:
        """How many rows each group keeps."""
        most = min(budget, sum(g.size for g in groups))
        if not most:
            return [0] * len(groups)
        if self.config.tokens is not None:
            tokens = [np.cumsum([0, *pool.column(TOKENS)[g.order].astype(np.int64)]) for g in groups]

            def cost(rows: int) -> int:
                return sum(int(t[keep]) for t, keep in zip(tokens, self.shares(groups, rows), strict=True))

            most = max(1, bisect_right(range(1, most + 1), self.config.tokens, key=cost))
        return self.shares(groups, most).tolist()


def best_first(score: np.ndarray) -> np.ndarray:
    """Rows from the highest score to the lowest; equal scores stay in order, which is by id."""
    return np.argsort(-score, kind="stable")


def _decide(
    pool: Pool, groups: Sequence[Group], keep: Sequence[int], barred: Mapping[int, str], last: np.ndarray
) -> Decisions:
    """Groups take turns in proportion to their size: kept rows first, then the others, then the barred by id."""
    kept = np.zeros(len(pool), dtype=bool)
    place = np.full(len(pool), np.inf)  # of a record within its group, 0 to 1
    reason = np.full(len(pool), "", dtype=object)
    for group, n in zip(groups, keep, strict=True):
        kept[group.order[:n]] = True
        place[group.order] = np.arange(len(group.order)) / len(group.order)
        why = group.why.replace("{keep}", str(n))
        reason[group.order[:n]] = f"among {why}"
        reason[group.order[n:]] = f"not among {why}"
    reason[list(barred)] = list(barred.values())
    rows = np.concatenate([*(g.order for g in groups), last]).astype(int)
    rank = np.empty(len(pool), dtype=np.int64)
    rank[rows[np.lexsort((place[rows], ~kept[rows]))]] = np.arange(len(pool))
    return Decisions(pool.ids, kept, rank, reason)
