"""raw files, sets of the hub, or the built-in world → messages or pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, ClassVar

from pydantic import Field, ValidationInfo, create_model, field_validator

from sluicegate.artifacts import Artifact, file_hash, write_table
from sluicegate.config import Config, build_inside, runtime
from sluicegate.data.account import Account
from sluicegate.data.buckets import BOUNDS, Bounds
from sluicegate.data.card import card
from sluicegate.data.clean.tokens import Tokens, tokenizer_file
from sluicegate.data.decontaminate import NGRAM, Contaminated, Contamination
from sluicegate.data.dedup import DedupName, build_dedup
from sluicegate.data.draw import drawn
from sluicegate.data.exclude import Exclude
from sluicegate.data.intake import Made, Parcel
from sluicegate.data.lengths import chars_of, guessed_tokens
from sluicegate.data.mix import Mix, Sample
from sluicegate.data.near import Near
from sluicegate.data.parallel import cores, ordered
from sluicegate.data.sift import Sift, until
from sluicegate.data.sources import Source
from sluicegate.data.split import Split
from sluicegate.data.steps import STEPS
from sluicegate.data.tally import Licence, Tally
from sluicegate.data.tidy import Tidy
from sluicegate.errors import DataError
from sluicegate.registry import CLEANERS
from sluicegate.reporting.data_card import lengths_svg
from sluicegate.runtime import track, warn
from sluicegate.schema import Dropped, Kind, Lang, Pair, Record
from sluicegate.stages.base import Sizes, Stage

ESTIMATE_ROWS = 200
FIRST_HERE = 8
"""Parcels that are opened in this very process: so few rows are done before another one has started."""
LENGTHS = "lengths.svg"


class Prepare(Stage):
    """Reads rows of any known shape into one tidy table, and accounts for every row it leaves out.

    `exclude` maps a name, which the reason tells, to messages whose conversations are left out: those that judge the
    arms must not train them. They are known by content id, so the same prompt with another response stays.
    `decontaminate` goes further: of the messages it names no question may stand in a row, nor a part of one. What was
    found is in `contaminated.parquet`.
    """

    name = "prepare"
    makes: ClassVar[Kind] = "messages"
    may_take: ClassVar[dict[str, Kind]] = {"exclude": "messages", "decontaminate": "messages"}
    grouped = frozenset({"exclude", "decontaminate"})
    version = 2

    class Config(Stage.Config):
        presets: list[str] = Field([], exclude=True)
        """Published sets by name (sluice ls presets), read after `sources`: `[gsm8k, math]` is short for sources
        `{preset: gsm8k}` and `{preset: math}`."""
        sources: list[Source] = Field([], validate_default=True)
        """Files, sets of the hub, presets and worlds, read in this order; one alone needs no list, and none is needed
        beside `presets`."""
        make: Made = "messages"
        """`pairs` of a prompt with a better and a worse answer, or `messages`: conversations."""
        clean: dict[str, Any] = {}
        """Steps of cleaning, each with its keys or the value of the one that is meant most (sluice ls cleaners):
        `clean: {unicode: nfkc, repetition: 0.3, languages: [zh, en], mask: true}`."""
        dedup: DedupName = "exact"
        """`exact` keeps the first of equal conversations, `near` also the first of those that are nearly equal; `none`
        keeps all, later ones under ids that end in .2, .3. `near` takes 0.4 kB of memory for every row kept."""
        near: Near = Near()
        """What nearly equal is."""
        decontaminate_ngram: int = Field(NGRAM, ge=5)
        """So many words in a row (characters of Chinese) that stand in a question of an evaluation set are a hit."""
        split: Split.Config | None = None
        """Keep only the train, the valid or the test part."""
        sample: Sample | None = None
        """Keep some rows of every group only, as `{rows: 5000, by: level}`."""
        mix: Mix | None = None
        """Keep rows of the groups in proportion to weights, as `{weights: {gsm8k: 1, math: 2}}`."""
        max_rows: int | None = Field(None, gt=0)
        """Stop reading after so many rows that may be kept; a sample and a mix are drawn from these."""
        min_share: dict[Lang, Annotated[float, Field(ge=0, le=1)]] = {}
        """Least share of a language among the kept rows, as `{zh: 0.3}`: with fewer it is an error."""
        allow_fallback: bool = False
        """Where `min_share` is not met, take what there is and say so."""
        max_bad_share: float = Field(0.1, ge=0, le=1)
        """Stop with an error where more of one source's rows than this cannot be used; what `clean` takes out is not
        counted."""
        max_chars: int = Field(100_000, gt=0)
        """Longer conversations are set aside."""
        buckets: Bounds = list(BOUNDS)
        """Tokens up to which each length bucket reaches, for the account."""
        workers: int = runtime(0, ge=0)
        """Processes that read; 0 is one for every core, and this one alone where there are few rows."""

        @field_validator("presets", "sources", mode="before")
        @classmethod
        def _as_list(cls, given: Any) -> Any:
            return [given] if isinstance(given, str | Path | Mapping) else given

        @field_validator("sources")
        @classmethod
        def _with_presets(cls, sources: list[Source], info: ValidationInfo) -> list[Source]:
            found = [*sources, *(Source.model_validate({"preset": name}) for name in info.data.get("presets", []))]
            if not found:
                raise ValueError("nothing to read: name files, sets of the hub or presets")
            return found

        @field_validator("clean")
        @classmethod
        def _as_the_steps_say(cls, given: dict[str, Any]) -> dict[str, Any]:
            asked = {name: options for name, options in given.items() if options is not False and options is not None}
            fields: dict[str, Any] = {name: (CLEANERS.get(name).Config, ...) for name in asked}
            steps = build_inside(create_model("Steps", __base__=Config, **fields), asked)
            return {name: getattr(steps, name) for name in asked}

        @property
        def tokenizer(self) -> Path | None:
            """Who counts the tokens."""
            counted = self.clean.get(Tokens.name)
            return counted.tokenizer if counted else None

        def draws(self) -> list[Sample | Mix]:
            """Those that are asked for, in the order they are made."""
            return [draw for draw in (self.sample, self.mix) if draw]

        def parcels(self) -> Iterator[Parcel]:
            """All rows of all sources."""
            return chain.from_iterable(source.parcels(self.make, self.max_chars) for source in self.sources)

    def made(self, config: Prepare.Config) -> Kind:
        """Messages or pairs."""
        return config.make

    def pins(self, config: Prepare.Config) -> dict[str, str]:
        """The hash of every file, the commit of every set."""
        found = {key: pin for source in config.sources for key, pin in source.pins().items()}
        return found | ({"tokenizer": file_hash(tokenizer_file(config.tokenizer))} if config.tokenizer else {})

    def estimate(self, config: Prepare.Config, inputs: Mapping[str, Sizes]) -> dict[str, int]:
        """Rows, and tokens guessed from the characters of each source's first rows.

        Raises:
            DataError: too many of them cannot be used.
        """
        rows, tokens = 0, 0.0
        for source in config.sources:
            found, head = source.count(), Tally()
            guessed = _head_tokens(source, config, head)
            rows, tokens = rows + found, tokens + found * guessed / head.made
        asked = min(n for n in (rows, config.max_rows, *(draw.rows for draw in config.draws())) if n)
        share = min(config.split.share if config.split else 1.0, asked / rows)
        return {"rows": round(rows * share), "tokens": round(tokens * share)}

    def fill(self, out: Path, config: Prepare.Config, inputs: dict[str, Any]) -> dict[str, Any]:
        """Write the table, the rows left out, the hits in evaluation sets, and the card."""
        tidy = Tidy(config.clean, config.near if config.dedup == "near" else None, _contamination(config, inputs))
        batches = ordered(tidy, config.parcels(), config.workers or cores(), 0 if config.workers else FIRST_HERE)
        sift, short = _sift(config, inputs.get("exclude", {})), dict[str, tuple[int, int]]()
        with closing(batches), TemporaryFile("w+", encoding="utf-8", dir=out) as aside:
            account = Account(_tally(config, inputs), config.buckets, aside)
            verdicts = until(track(sift(batches), "reading rows"), config.max_rows)
            for draw in config.draws():
                verdicts = drawn(verdicts, draw, out, short)
            write_table(out / f"{config.make}.parquet", account.kept(verdicts), _ROW[config.make])
            account.tally.check(config.max_bad_share)
            aside.seek(0)
            write_table(out / "dropped.parquet", map(json.loads, aside), Dropped)
        if tidy.contamination:
            write_table(out / "contaminated.parquet", sift.hits, Contaminated)
        account.tally.changes = sift.counts
        told = _check_shares(account, config) | _tell_shortfall(short, account.tally)
        (out / LENGTHS).write_text(lengths_svg(account.tally), encoding="utf-8")
        (out / "card.md").write_text(card(account.tally, LENGTHS), encoding="utf-8")
        return account.tally.stats() | {"by_bucket": account.by_bucket(), "cleaned": dict(sift.counts)} | told


_ROW = {"messages": Record, "pairs": Pair}


def _head_tokens(source: Source, config: Prepare.Config, tally: Tally) -> int:
    """Tokens of a source's first rows, which the tally counts; raises `DataError` where too many cannot be used."""
    first, worker, tokens = islice(source.parcels(config.make, config.max_chars), 1), Tidy(config.clean)(), 0
    for candidate in islice((c for parcel in first for c in worker(parcel).candidates), ESTIMATE_ROWS):
        if candidate.fit and (row := candidate.record):
            tally.keep(candidate, row)
            tokens += guessed_tokens(chars_of(row), row["lang"])
        else:
            tally.drop(candidate, candidate.reason)
    tally.check(config.max_bad_share)
    return tokens


def _contamination(config: Prepare.Config, inputs: Mapping[str, Any]) -> Contamination | None:
    """What the rows must not hold."""
    sets: Mapping[str, list[Artifact]] = inputs.get("decontaminate", {})
    asked = {
        name: (r["messages"] for a in held for r in a.rows("messages", ["messages"])) for name, held in sets.items()
    }
    return Contamination.of(asked, config.decontaminate_ngram) if asked else None


def _sift(config: Prepare.Config, held: Mapping[str, list[Artifact]]) -> Sift:
    """Of the tables to exclude only the ids are read."""
    ids = {name: (r["id"] for a in artifacts for r in a.rows("messages", ["id"])) for name, artifacts in held.items()}
    return Sift(build_dedup(config.dedup, config.near), Exclude(ids), Split(config.split) if config.split else None)


def _tally(config: Prepare.Config, inputs: Mapping[str, Any]) -> Tally:
    """An empty one, that knows which steps are taken, who counts tokens, and under which terms rows may be used."""
    left_out = {
        "dedup": config.dedup == "none",
        "exclude": "exclude" not in inputs,
        "decontaminate": "decontaminate" not in inputs,
        "split": not config.split,
        "mix": not (config.mix or config.sample),
    }
    licences = {s.title: Licence(s.licence, s.warning) for s in config.sources if s.licence or s.warning}
    tokenizer = tokenizer_file(config.tokenizer).resolve().parent.name if config.tokenizer else ""
    return Tally(tokenizer, tuple(step for step in STEPS if not left_out.get(step)), licences)


def _check_shares(account: Account, config: Prepare.Config) -> dict[str, Any]:
    """Raise `DataError` where a language has too few rows, unless those there are will do."""
    short = account.check_share(config.min_share)
    if short and not config.allow_fallback:
        hint = "add rows of it, set weights with `mix: {by: lang, weights: …}`, or take these with allow_fallback: true"
        raise DataError(short, hint)
    if short:
        warn(short)
        account.tally.notes.append(short)
    return {"below_min_share": short} if short else {}


def _tell_shortfall(short: dict[str, tuple[int, int]], tally: Tally) -> dict[str, Any]:
    for group, (has, asked) in short.items():
        tally.notes.append(f"{group} has {has:,} of the {asked:,} rows asked for: all of them are taken")
        warn(tally.notes[-1])
    return {"shortfall": {group: asked - has for group, (has, asked) in short.items()}} if short else {}
