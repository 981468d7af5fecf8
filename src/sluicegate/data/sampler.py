"""Batches that hold a share of a language, turn over sources and length buckets, and follow a curriculum."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import Field, field_validator, model_validator

from sluicegate import config
from sluicegate.data.buckets import BOUNDS, Bounds, bucket_names, buckets_of
from sluicegate.data.curriculum import Phase, phase_ends, weigh
from sluicegate.data.labels import Labels
from sluicegate.data.language_share import Groups
from sluicegate.data.realised_mix import TOLD, realised_mix
from sluicegate.data.turns import SLACK, divide, hold, merge, take_turns
from sluicegate.errors import ConfigError
from sluicegate.schema import Lang

Columns: TypeAlias = Mapping[str, np.ndarray]
"""What is known of every row, each (N,): `lang`, `source` and `n_tokens`, and what the phases weigh by."""

USUAL_SHARE = 0.7
"""Of a language that is named without a number."""
WINDOW = 8
"""Batches of one bucket among which rows are sorted by length."""


class MixedBucketSampler:
    """Batches of row numbers for a whole run, laid out before it starts, so that the order hangs on the seed alone.

    Iterate over it, or give it to a `DataLoader` as its `batch_sampler`. Every batch is full, and holds rows of one
    length bucket, but for the few that lie across the border of two. At the end of any batch a language of `share` is
    at most one batch short of its share; with several such languages it is as near as their batches allow, see `mix`.
    No row comes up again before all were seen that the phase takes of its language, or of the languages without a
    share; only the batches near the end of such a round may already hold rows of the next.

    Args:
        columns: what is known of the rows.
        batch_size: rows of a batch, over all processes.
        steps: batches of the run; None: as many as `epochs` takes.
        epochs: times every row is seen, where `steps` is not given.
        rank: of this process, which gets every `world_size`-th row of each batch.

    Raises:
        ConfigError: processes cannot share a batch, a phase has no steps or weighs by an unknown column.
        DataError: no rows, or none of a language that has a share.
    """

    class Config(config.Config):
        share: dict[Lang, Annotated[float, Field(gt=0, le=1)]] = {}
        """Language to the least share of the rows it gets, `{zh: 0.7}`; `zh` alone is short for that. A language that
        has a larger share of the data keeps it."""
        when_short: Literal["repeat", "end"] = "repeat"
        """What an epoch is where a language has too few rows for its share: `repeat` shows them again until all others
        were seen too; `end` ends it when they were seen, and the next epoch goes on with the others."""
        alternate: Literal["source", "lang"] | None = None
        """Batches of one source, or language, each, which take turns; one with more rows comes up more often, so that
        all end together. Null: every batch is a mixture."""
        bounds: Bounds = list(BOUNDS)
        """Tokens up to which each length bucket reaches; a last one holds what is longer."""
        phases: list[Phase] = []
        """A curriculum, one phase after the other; none: all rows alike."""

        @field_validator("share", mode="before")
        @classmethod
        def _usual(cls, given: Any) -> Any:
            return {given: USUAL_SHARE} if isinstance(given, str) else given

        @model_validator(mode="after")
        def _fits(self) -> MixedBucketSampler.Config:
            if sum(self.share.values()) > 1 + SLACK:
                raise ValueError("shares add up to more than 1")
            if self.share and self.alternate:
                raise ValueError("batches that alternate cannot each hold a share: leave out `share` or `alternate`")
            if any((phase.until is None) != (phase is self.phases[-1]) for phase in self.phases):
                raise ValueError("every phase but the last needs an `until`, and the last has none")
            return self

        def columns(self) -> list[str]:
            """What the phases weigh by that a sampler does not know of every row anyway."""
            named = {name: None for phase in self.phases for name in phase.weights}
            return [name for name in named if name not in TOLD]

        def steps(self, rows: float, batch_size: int) -> int:
            """Batches in `rows`: a last one is filled up, or left out where no row should be seen again."""
            batches = rows / batch_size
            return max(1, math.floor(batches + SLACK) if self.when_short == "end" else math.ceil(batches - SLACK))

    def __init__(
        self,
        columns: Columns,
        config: Config,
        batch_size: int,
        *,
        steps: int | None = None,
        epochs: float = 1.0,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if batch_size % world_size:
            what = f"{world_size} processes cannot share batches of {batch_size} rows"
            raise ConfigError(what, f"make batch_size a multiple of {world_size}")
        self.config, self.batch_size, self.rank, self.world_size = config, batch_size, rank, world_size
        self.n_tokens = columns["n_tokens"]
        self.labels = {name: Labels.of(column) for name, column in columns.items() if name != "n_tokens"}
        self.labels["bucket"] = Labels(bucket_names(config.bounds), buckets_of(self.n_tokens, config.bounds))
        self.groups = Groups.of(self.labels["lang"], config.share)
        self.phases = config.phases or [Phase()]
        self.ends = phase_ends(self.phases, steps or self._steps(epochs))
        self.batches = np.concatenate(list(self._lay_out(np.random.default_rng(seed))))  # (steps, batch_size)
        self.step = 0

    def __len__(self) -> int:
        """Batches of the run, the same for every rank."""
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        """This rank's rows of each batch, from where it stands to the end of the run."""
        while self.step < len(self):
            self.step += 1
            yield self.batches[self.step - 1, self.rank :: self.world_size].tolist()

    def mix(self, steps: int | None = None) -> dict[str, Any]:
        """What the run, or its first `steps`, is made of, see `realised_mix`."""
        return realised_mix(self.batches[:steps], self.ends, self.labels, self.groups, self.n_tokens)

    # Where it stands

    def state_dict(self) -> dict[str, Any]:
        """How many batches were handed out, and of which run.

        A `DataLoader` with workers takes batches ahead of the training: there, put the steps taken for `step`.
        """
        return {"step": self.step, "run": self._name()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on behind the batches that were handed out then.

        Raises:
            ConfigError: the state is of other rows, another config, batch size or seed.
        """
        if state["run"] != self._name():
            raise ConfigError(
                "the sampler's state is of another run", "keep its rows, settings and seed, or start anew"
            )
        self.step = state["step"]

    def _name(self) -> str:
        return hashlib.sha256(self.batches.tobytes()).hexdigest()[:12]

    # How the run is laid out

    def _steps(self, epochs: float) -> int:
        rates = self.groups.rates(np.ones(len(self.n_tokens), dtype=bool))
        epoch = self.groups.epoch(rates, whole=self.config.when_short == "repeat")
        return self.config.steps(epochs * epoch, self.batch_size)

    def _lay_out(self, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """The batches of each phase, (steps of the phase, batch_size)."""
        seen = np.zeros(len(self.n_tokens), dtype=bool)
        due = np.zeros(len(self.groups.names))  # rows by which each group should come up, of all phases so far
        drawn = np.zeros(len(self.groups.names), dtype=np.int64)
        for phase, (start, end) in zip(self.phases, pairwise([0, *self.ends]), strict=True):
            weights = weigh(self.labels, phase.weights, len(seen))
            rates, n = self.groups.rates(weights > 0), (end - start) * self.batch_size
            ahead = drawn - due
            due += rates * n
            draws = divide(due - drawn, n, first=self.groups.least > 0)
            drawn += draws
            stream = merge([self._draw(group, k, weights, seen, rng) for group, k in enumerate(draws.tolist())])
            batches = self._cut(stream)
            yield self._alternate(batches) if self.config.alternate else self._hold_share(batches, rates, ahead)

    def _draw(self, group: int, n: int, weights: np.ndarray, seen: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """`n` rows of a group, those not yet `seen` first; when all were seen, a new round of them begins."""
        rows = np.flatnonzero(self.groups.member == group)
        taken, drawn = rows[weights[rows] > 0], [rows[:0]]
        while n:
            unseen = taken[~seen[taken]]
            if not len(unseen):
                seen[rows] = False
                continue
            turn = unseen[take_turns(self._cells(unseen, weights), weights[unseen], rng)][:n]
            seen[turn] = True
            drawn.append(turn)
            n -= len(turn)
        return np.concatenate(drawn)

    def _cells(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The cell of each row: rows alike in language, source, bucket and weight."""
        cell = np.unique(weights[rows], return_inverse=True)[1]
        for name in ("lang", "source", "bucket"):
            cell = cell * len(self.labels[name].values) + self.labels[name].member[rows]
        return cell

    def _cut(self, stream: np.ndarray) -> np.ndarray:
        """Batches of one kind and like length, (m, batch_size), in the order in which their rows come on average."""
        kind = self._kind(stream)
        by_kind = np.argsort(kind, kind="stable")
        sizes = np.bincount(kind)
        place = np.empty(len(stream), dtype=np.int64)  # of a row within its kind
        place[by_kind] = np.arange(len(stream)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        window = place // (WINDOW * self.batch_size)
        order = np.lexsort((self.n_tokens[stream], window, kind)).reshape(-1, self.batch_size)
        return stream[order[np.argsort(order.mean(axis=1), kind="stable")]]

    def _kind(self, rows: np.ndarray) -> np.ndarray:
        """What rows of one batch have in common: the bucket, and what batches alternate by."""
        bucket = self.labels["bucket"]
        if not self.config.alternate:
            return bucket.member[rows]
        return self.labels[self.config.alternate].member[rows] * len(bucket.values) + bucket.member[rows]

    def _alternate(self, batches: np.ndarray) -> np.ndarray:
        """Those of one source and of another by turns; one that lies across their border counts for its first row's."""
        of = self.labels[str(self.config.alternate)].member[batches[:, 0]]  # (m,)
        return batches[merge([np.flatnonzero(of == one) for one in np.unique(of)])]

    def _hold_share(self, batches: np.ndarray, rates: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """The batches in an order that never falls more than one batch behind a share."""
        named = np.flatnonzero(self.groups.least)
        groups = self.groups.member[batches]  # (m, batch_size)
        counts = np.stack([(groups == group).sum(axis=1) for group in range(len(rates))], axis=1)  # (m, G)
        drift = counts - rates * self.batch_size
        return batches[hold(drift[:, named], ahead[named], self.batch_size)]
