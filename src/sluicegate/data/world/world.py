"""The built-in world itself: clean rows, damaged pools and a corpus, each repeated by its seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from sluicegate.config import Config
from sluicegate.data.world import chinese, english
from sluicegate.data.world.answers import answer_of
from sluicegate.data.world.corpus import draw_document
from sluicegate.data.world.families import draw_task
from sluicegate.data.world.faults import CLEAN, DUP, FAULTS, MAKERS
from sluicegate.data.world.setting import Setting, invent
from sluicegate.data.world.task import Task
from sluicegate.errors import ConfigError, UnknownName
from sluicegate.registry import did_you_mean
from sluicegate.schema import Message, Record, make_record

LEXICONS = {
    "one": {"en": english.ONE, "zh": chinese.ONE},
    "two": {"en": english.TWO, "zh": chinese.TWO},
    "three": {"en": english.THREE, "zh": chinese.THREE},
}


class World:
    """A small world that can be asked for data. Equal configs and seeds give equal rows, on every machine."""

    class Config(Config):
        """Which world."""

        seed: int = 0
        """Seed of what is true in the world: its countries and their attributes."""
        lexicon: Literal["one", "two", "three"] = "one"
        """Vocabulary, phrasings and answer layouts. `three` is kept for confirming: nothing is ever tuned on it."""
        languages: list[Literal["en", "zh"]] = Field(["en"], min_length=1)
        """Languages its rows are in, in equal shares. Each tells of countries of its own."""

    def __init__(self, config: Config) -> None:
        self.config = config
        lexicons = LEXICONS[config.lexicon]
        self.settings = [invent(self._rng("setting", lang), lexicons[lang]) for lang in config.languages]

    def clean(self, rows: int, seed: int) -> list[Record]:
        """Undamaged rows."""
        rng = self._rng("clean", seed)
        return [_record(task, task.response, CLEAN) for task in self._tasks(rng, rows)]

    def pool(self, rows: int, seed: int, bad_share: float = 0.6, faults: Sequence[str] = FAULTS) -> list[Record]:
        """Rows of which `bad_share` are damaged, in equal parts by each fault.

        `meta` tells the fault; `answer` is what the response states, right or wrong, so nothing but `meta` does.
        A `dup` is an exact copy, id included, and stands behind the clean row it copies. Questions of knowledge are
        few, so some clean ones come up twice by chance; those stay `clean`.

        Raises:
            UnknownName: a fault that is not one of `FAULTS`.
            ConfigError: `bad_share` is not a share; or no row would stay clean for duplicates to copy.
        """
        _check(rows, bad_share, faults)
        rng = self._rng("pool", seed)
        plan = _plan(rng, rows, bad_share, faults)
        tasks = self._tasks(rng, rows)
        holds, labels = _place_copies(rng, plan)
        responses = [_answered(rng, task, fault) for fault, task in zip(plan, tasks, strict=True)]
        return [_record(tasks[held], responses[held], label) for held, label in zip(holds, labels, strict=True)]

    def corpus(self, documents: int, seed: int) -> list[Record]:
        """Short plain-text documents to pretrain on: one assistant turn each, with no prompt."""
        rng = self._rng("corpus", seed)
        return [_document(rng, rng.choice(self.settings)) for _ in range(documents)]

    def _rng(self, *purpose: object) -> random.Random:
        """Own numbers for every use, so that equal seeds of two uses do not give the same rows."""
        return random.Random("/".join(map(str, (self.config.lexicon, self.config.seed, *purpose))))

    def _tasks(self, rng: random.Random, rows: int) -> list[Task]:
        return [draw_task(rng, rng.choice(self.settings)) for _ in range(rows)]


def _check(rows: int, bad_share: float, faults: Sequence[str]) -> None:
    for fault in faults:
        if fault not in FAULTS:
            raise UnknownName(f"no fault '{fault}'", did_you_mean(fault, FAULTS) or f"known: {', '.join(FAULTS)}")
    if not 0 <= bad_share <= 1:
        raise ConfigError(f"bad_share is {bad_share}", "it is a share of the rows, between 0 and 1")
    if DUP in faults and round(rows * bad_share) == rows > 0:
        raise ConfigError("a pool with duplicates needs clean rows to copy", "lower bad_share, or leave out `dup`")


def _plan(rng: random.Random, rows: int, bad_share: float, faults: Sequence[str]) -> list[str]:
    """A fault or `clean` for every row, in random order."""
    bad = round(rows * bad_share) if faults else 0
    plan = [faults[i % len(faults)] for i in range(bad)] + [CLEAN] * (rows - bad)
    rng.shuffle(plan)
    return plan


def _place_copies(rng: random.Random, plan: Sequence[str]) -> tuple[list[int], list[str]]:
    """For every row, the row whose content it holds, and its label.

    Of a clean row and its copies the first to stand in the pool is the clean one: it is what deduplication keeps.
    """
    originals = [row for row, fault in enumerate(plan) if fault == CLEAN]
    holds = [rng.choice(originals) if fault == DUP else row for row, fault in enumerate(plan)]
    labels, seen = [], set()
    for fault, held in zip(plan, holds, strict=True):
        labels.append(fault if fault in MAKERS else DUP if held in seen else CLEAN)
        seen.add(held)
    return holds, labels


def _answered(rng: random.Random, task: Task, fault: str) -> str:
    return MAKERS[fault](rng, task) if fault in MAKERS else task.response


def _record(task: Task, response: str, fault: str) -> Record:
    messages: list[Message] = [{"role": "user", "content": task.prompt}, {"role": "assistant", "content": response}]
    meta: dict[str, object] = {"family": task.family, "fault": fault}
    return make_record(messages, f"world/{task.family}", task.lexicon.lang, answer_of(response), meta)


def _document(rng: random.Random, setting: Setting) -> Record:
    text, kind = draw_document(rng, setting)
    messages: list[Message] = [{"role": "assistant", "content": text}]
    return make_record(messages, "world/corpus", setting.lexicon.lang, meta={"family": kind})
