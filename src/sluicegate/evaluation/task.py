"""How the questions of a set are put to a model: a YAML file per task, packaged here or the user's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import Field

from sluicegate.config import Config, build
from sluicegate.data.shapes.choice import LETTERS
from sluicegate.errors import ConfigError, UnknownName
from sluicegate.registry import did_you_mean
from sluicegate.schema import Message, Record

if TYPE_CHECKING:
    from jinja2 import Template

FOLDER = Path(__file__).with_name("tasks")


class Example(Config):
    """A question answered, to be shown before the one that is asked."""

    question: str
    """As a row of the set would have it."""
    thought: str
    """The steps, left out where the model is not to think."""
    answer: str
    """The last line, in the form the instruction asks for."""


class Task(Config):
    """How the questions of a set are put to a model."""

    about: str
    """What the set asks."""
    prompt: str = "{{ question }}"
    """What the user says: Jinja over the `question`, the `instruction`, the row's `meta` and `letters` for choices."""
    think: str = ""
    """The instruction where the model may write down its steps."""
    direct: str = ""
    """The instruction where it is to answer at once."""
    system: str = ""
    """What it is told before the conversation."""
    examples: list[Example] = []
    """From these the first ones are shown, as turns of the conversation."""
    stop: list[str] = []
    """Texts at which a reply ends."""
    max_new_tokens: int = Field(default=256, ge=1)
    """Tokens after which a reply that does not end is cut, if nothing else is asked for."""

    def fingerprint(self) -> str:
        """12 hex digits over all of it: the same questions put in another way are another evaluation."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def messages(self, record: Record, *, think: bool = True, shots: int = 0) -> list[Message]:
        """The turns before the reply; those before the last question of a conversation stay as they are."""
        *before, asked = _asked(record)
        instruction = self.think if think else self.direct
        fill = lambda question, meta: _template(self.prompt).render(  # noqa: E731
            **meta, question=question, instruction=instruction, letters=LETTERS
        )
        shown = [turn for example in self.examples[:shots] for turn in _turns(example, fill, think)]
        system: list[Message] = [{"role": "system", "content": self.system}] if self.system else []
        last: Message = {"role": "user", "content": fill(asked["content"], json.loads(record["meta"])).strip()}
        return [*system, *shown, *before, last]


def load_task(name: str) -> Task:
    """A packaged task by its name, or that of a file; one that `extends` another has its keys on top of that one's.

    Raises:
        UnknownName: neither of them.
        ConfigError: the file is no task.
    """
    tree = _tree(name)
    return build(Task, tree, where=name)


def task_file(name: str) -> Path:
    """Where a task stands."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if not path.is_file():
        hint = did_you_mean(name, tasks()) or f"a path to a .yaml file, or one of {', '.join(tasks())}"
        raise UnknownName(f"no task '{name}'", hint, name)
    return path


def _tree(name: str) -> dict[str, Any]:
    path = task_file(name)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path} is not YAML: {err}", f"see how one is written in {FOLDER}") from err
    if not isinstance(tree, Mapping):
        raise ConfigError(f"{path} holds no keys", f"see how a task is written in {FOLDER}")
    below = tree.get("extends")
    return {**(_tree(below) if below else {}), **{key: value for key, value in tree.items() if key != "extends"}}


@cache
def tasks() -> list[str]:
    """The names of the packaged tasks."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def _asked(record: Record) -> list[Message]:
    """The turns up to the last assistant's, which is the gold reply."""
    messages = record["messages"]
    last = max(i for i, message in enumerate(messages) if message["role"] == "assistant")
    return messages[:last]


def _turns(example: Example, fill: Any, think: bool) -> Iterator[Message]:
    yield {"role": "user", "content": fill(example.question, {}).strip()}
    yield {"role": "assistant", "content": f"{example.thought}\n{example.answer}" if think else example.answer}


@cache
def _template(text: str) -> Template:
    """In a sandbox: a task may come from anyone."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment().from_string(text)
