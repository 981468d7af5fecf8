"""What a rule is: score columns in, one decision per record out. No model and no torch."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from pydantic import Field, model_validator

from sluicegate.config import Config
from sluicegate.errors import ConfigError
from sluicegate.registry import did_you_mean
from sluicegate.schema import Decision, content_id
from sluicegate.selection.order import by_id, in_turns
from sluicegate.selection.shares import proportional

TOKENS = "n_label_tokens"
BUDGETS = "`fraction`, `rows`, `tokens` or `token_fraction`"


@dataclass(frozen=True)
class Pool:
    """A light view of a scores table: ids, and one NumPy array of the same length per column."""

    ids: np.ndarray
    """(N,) of str; any sequence of them may be given."""
    columns: Mapping[str, np.ndarray]
    by: str = ""
    """The signal to rank by: higher is better, NaN is no score and `<by>_why` says why."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", np.asarray(self.ids, dtype=str))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def by_id(self) -> np.ndarray:
        """Rows in the order of their ids, (N,)."""
        return by_id(self.ids)

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
        return Pool(self.ids[rows], {name: column[rows] for name, column in self.columns.items()}, self.by)

    def unscored(self) -> np.ndarray:
        """The reason why a row has no score to rank by, "" for one that has: (N,) str objects."""
        reason = np.full(len(self), "", dtype=object)
        if self.by:
            missing = np.flatnonzero(np.isnan(self.score))
            known = self.columns.get(f"{self.by}_why")
            why = ["NaN"] * len(missing) if known is None else known[missing].tolist()
            said = {one: f"no {self.by} score: {one}" for one in set(why)}
            reason[missing] = [said[one] for one in why]
        return reason

    def copies(self) -> dict[int, str]:
        """Row to the reason it is a copy: of rows with one content, only the first by id is no copy."""
        marked = np.flatnonzero(np.strings.find(self.ids, ".") >= 0)  # every copy is, and few others
        ids = self.ids[marked].tolist()
        contents = [content_id(one) for one in ids]
        place = np.searchsorted(self.ids, np.array(contents, dtype=str), sorter=self.by_id)
        first = dict(sorted(zip(contents, ids, strict=True), reverse=True))
        first |= {content: content for content in set(contents) & set(self.ids[self.by_id[place]].tolist())}
        copies = zip(marked.tolist(), ids, contents, strict=True)
        return {row: f"copy of {first[content]}" for row, one, content in copies if first[content] != one}


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

    ids: np.ndarray
    """(N,) of str."""
    kept: np.ndarray
    """(N,) bool."""
    rank: np.ndarray
    """(N,) 0 to N - 1, each once; 0 is best and every kept record comes before every other."""
    reason: np.ndarray
    """(N,) str objects."""

    def rows(self) -> Iterator[Decision]:
        """One `Decision` per record."""
        columns = zip(self.ids.tolist(), self.kept.tolist(), self.rank.tolist(), self.reason, strict=True)
        return ({"id": i, "kept": kept, "rank": rank, "reason": why} for i, kept, rank, why in columns)


class Rule:
    """Subclass it and write `groups`; budget, order of rows, ranks and reasons are settled here."""

    needs_score: ClassVar[bool] = True
    """Whether the rule ranks by a signal, so that `by` must name one."""

    class Config(Config):
        fraction: float | None = Field(None, gt=0, le=1)
        """Keep this share of all records, those counted that cannot be kept; give one of the four budgets."""
        rows: int | None = Field(None, gt=0)
        """Keep this many records."""
        tokens: int | None = Field(None, gt=0)
        """Keep records of at most this many label tokens together, and at least one."""
        token_fraction: float | None = Field(None, gt=0, le=1)
        """The same, as a share of the label tokens of all records, those counted that cannot be kept."""

        @model_validator(mode="after")
        def _one_budget(self) -> Rule.Config:
            if len(self._budgets()) != 1:
                raise ValueError(f"give exactly one budget, {BUDGETS}")
            return self

        def _budgets(self) -> list[str]:
            return [name for name in Rule.Config.model_fields if getattr(self, name) is not None]

        def budget(self, total: int) -> int:
            """How many of `total` records to keep at most; at least one where there is any."""
            if self.fraction is not None:
                return max(1, round(self.fraction * total))
            return self.rows or total

        def token_budget(self, total: int) -> int | None:
            """How many of `total` label tokens to keep at most, one record apart; None where records are counted."""
            return self.tokens if self.token_fraction is None else round(self.token_fraction * total)

    def __init__(self, config: Any) -> None:
        self.config = config

    def reads(self) -> tuple[str, ...]:
        """The columns `groups` reads, that of the signal apart; `{by}` in a name stands for the signal's."""
        return ()

    def columns(self, by: str = "") -> tuple[str, ...]:
        """The columns the rule needs, that of the signal `by` apart: those it reads, and what its budget counts."""
        names = [name.replace("{by}", by) for name in self.reads()]
        counted = [] if self.config.token_budget(0) is None else [TOKENS]
        return tuple(dict.fromkeys(names + counted))

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
        reason = pool.unscored()
        for row, why in (barred or {}).items():
            reason[row] = why
        shut = reason.astype(bool)[pool.by_id]  # a row with a reason so early
        candidates = pool.by_id[~shut]
        budget = min(self.config.budget(len(pool)), len(candidates))
        groups = list(self.groups(pool.take(candidates), budget)) if budget else []
        if sum(len(g.order) for g in groups) != len(candidates) * bool(budget):
            raise ValueError(f"{type(self).__name__}.groups must place every row of its pool, the kept and the others")
        groups = [replace(g, order=candidates[g.order]) for g in groups]
        return _decide(pool, groups, self._keep(groups, pool, budget), reason, pool.by_id[shut])

    def _keep(self, groups: Sequence[Group], pool: Pool, budget: int) -> list[int]:
        """How many rows each group keeps."""
        most = min(budget, sum(g.size for g in groups))
        if not most:
            return [0] * len(groups)
        if self.config.token_budget(0) is not None:
            most = self._rows_within_tokens(groups, pool.column(TOKENS).astype(np.int64), most)
        return self.shares(groups, most).tolist()

    def _rows_within_tokens(self, groups: Sequence[Group], tokens: np.ndarray, most: int) -> int:
        """The most rows, at least one, that the groups share and whose label tokens (N,) the budget has room for."""
        so_far = [np.concatenate([[0], np.cumsum(tokens[g.order])]) for g in groups]

        def cost(rows: int) -> int:
            return sum(int(own[keep]) for own, keep in zip(so_far, self.shares(groups, rows), strict=True))

        room = self.config.token_budget(int(tokens.sum()))
        return max(1, bisect_right(range(1, most + 1), room, key=cost))


def _decide(
    pool: Pool, groups: Sequence[Group], keep: Sequence[int], reason: np.ndarray, last: np.ndarray
) -> Decisions:
    """Groups take turns in proportion to their size: kept rows first, then the others, then those `last` by id.

    `reason` has that of each of the last, and is given those of the others.
    """
    kept, rank = np.zeros(len(pool), dtype=bool), np.empty(len(pool), dtype=np.int64)
    for group, n in zip(groups, keep, strict=True):
        kept[group.order[:n]] = True
        why = group.why.replace("{keep}", str(n))
        reason[group.order[:n]] = f"among {why}"
        reason[group.order[n:]] = f"not among {why}"
    orders = [group.order for group in groups]
    first, then = in_turns(orders, [slice(n) for n in keep]), in_turns(orders, [slice(n, None) for n in keep])
    rank[np.concatenate([first, then, last])] = np.arange(len(pool))
    return Decisions(pool.ids, kept, rank, reason)
