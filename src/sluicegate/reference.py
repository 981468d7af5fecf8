"""The reference of every config key, as Markdown, read off the Config classes; nothing of it is written by hand."""

from __future__ import annotations

import inspect
import json
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from sluicegate.bake_off import BakeOff
from sluicegate.config import Config, is_runtime
from sluicegate.data.presets import PRESETS
from sluicegate.errors import UnknownName
from sluicegate.registry import CLEANERS, CORRUPTIONS, RULES, SHAPES, SIGNALS, STAGES, Registry, did_you_mean
from sluicegate.search.settings import Search

GROUPS = {
    STAGES: "A step of a recipe names its stage, its inputs, and any of the keys of the stage.",
    SIGNALS: "Columns of scores. A signal's keys go under `options.SIGNAL` of a `score` step.",
    RULES: "How a `select` step chooses. A rule's keys go under the `options` of the step.",
    CORRUPTIONS: "Kinds of damage a `warmup` step learns from, named under its `corruptions`. They have no keys.",
    SHAPES: "How rows are laid out. A shape's keys go under the `options` of a source that names it as its `shape`.",
    CLEANERS: "What a `prepare` step does to every row, named with their keys under its `clean`.",
}
INTRO = """\
# Configuration

Every key of every stage, signal and rule, made by `make docs` from the classes that read them: do not edit.
`sluice docs NAME` prints one of them. In a recipe a key stands under its step; on the command line it is
`step.key=value` for `sluice run`, and `key=value` for the verb of the stage. A key of a block has its block's name
before it (`lora.rank`). Keys marked *speed only* change how fast a stage runs but not what it makes, so changing one
remakes nothing."""
BLOCKS: dict[str, tuple[type[Config], str]] = {
    "bench": (BakeOff, "What `sluice bench` sets against what"),
    "tune": (Search, "What `sluice tune` tries, and by what it judges"),
}
"""The blocks a recipe may have beside its steps: their class, and what they say."""
ABOUT_PRESETS = """\
Published sets by a short name: `{preset: gsm8k}` as a source is short for what stands below the name, and whatever is
said beside it wins. With a `path` the rows are read from there, in the same shape."""
WIDTH = 110
WORDS = {int: "integer", float: "number", str: "text", bool: "true or false", Path: "path", NoneType: "null"}
BOUNDS = {"gt": "> {}", "ge": "≥ {}", "lt": "< {}", "le": "≤ {}", "min_length": "(at least {})"}


def reference(name: str | None = None) -> str:
    """The Markdown of everything registered, plug-ins included, or of what is registered as `name` alone.

    Raises:
        UnknownName: nothing has this name.
    """
    if name is None:
        presets = ["## Presets", _wrapped(ABOUT_PRESETS), *map(_preset, PRESETS)]
        blocks = ["## Blocks", *map(_block, BLOCKS)]
        return "\n\n".join([INTRO, *map(_group, GROUPS), *blocks, *presets])
    found = [_entry(registry, name) for registry in GROUPS if name in registry.names()]
    found += [_preset(name)] if name in PRESETS else []
    found += [_block(name)] if name in BLOCKS else []
    if not found:
        known = [*(n for registry in GROUPS for n in registry.names()), *PRESETS, *BLOCKS]
        raise UnknownName(f"nothing is registered as '{name}'", did_you_mean(name, known) or "see them with: sluice ls")
    return "\n\n".join(found)


def _group(registry: Registry) -> str:
    entries = (_entry(registry, name) for name in registry.names())
    return "\n\n".join([f"## {registry.noun.capitalize()}s", _wrapped(GROUPS[registry]), *entries])


def _entry(registry: Registry, name: str) -> str:
    """One heading with what it says of itself, the command line of a stage, and its keys."""
    made = registry.get(name)
    parts = [f"### {name} ({registry.noun})", inspect.getdoc(made) or ""]
    if registry is STAGES:
        parts.append(_usage(made))
    if keys := list(_keys(made.Config, "", 0)) if hasattr(made, "Config") else []:
        parts.append("\n".join(keys))
    return "\n\n".join(parts)


def _block(name: str) -> str:
    """The keys of a block that a recipe has beside its steps."""
    block, about = BLOCKS[name]
    told = f"{about}: the keys of a recipe's `{name}` block, `{name}.key=value` on the command line."
    return "\n\n".join([f"### {name} (block of a recipe)", _wrapped(told), "\n".join(_keys(block, "", 0))])


def _preset(name: str) -> str:
    """What a source is that names the preset, and under which terms."""
    preset = PRESETS[name]
    keys = {key: value for key, value in vars(preset).items() if value and key not in ("licence", "warning")}
    source = ", ".join(f"{key}: {value}" for key, value in keys.items()).replace("'", "")
    warning = f" Mind: {preset.warning}." if preset.warning else ""
    return f"### {name} (preset)\n\n    {{{source}}}\n\n" + _wrapped(f"Licence: {preset.licence}.{warning}")


def _usage(stage: Any) -> str:
    inputs = [f"{name}={kind.upper()}" for name, kind in stage.takes.items()]
    inputs += [f"[{name}={kind.upper()}]" for name, kind in stage.may_take.items()]
    return f"    sluice {' '.join([stage.name, *inputs])} [key=value ...]  # makes: {stage.makes}"


def _keys(block: type[Config], prefix: str, depth: int) -> Iterator[str]:
    """A bullet per key, the keys of a nested block below its own."""
    for name, info in block.model_fields.items():
        key = prefix + name
        inner = block_in(info.annotation)
        kind = _type(info.annotation)
        listed, mapped = "list" in kind, kind == "mapping"
        said = [f"`{key}` — {_type(info.annotation, info)}; {_default(info)}.", info.description or ""]
        if inner and listed:  # the key's own help is of the list, that of the block of one of its items
            said.append(f"Each: {vars(inner).get('__doc__') or ''}")
        said.append("*Speed only.*" if is_runtime(info) else "")
        yield _wrapped(" ".join(" ".join(said).split()), "  " * depth + "- ")
        if inner:
            yield from _keys(inner, f"{key}{'[]' if listed else '.NAME' if mapped else ''}.", depth + 1)


def block_in(annotation: Any) -> type[Config] | None:
    """The Config class of a key that is a block, a list of blocks, or perhaps a block."""
    if inspect.isclass(annotation) and issubclass(annotation, Config):
        return annotation
    return next(filter(None, map(block_in, get_args(annotation))), None)


def _type(annotation: Any, info: FieldInfo | None = None) -> str:
    """What YAML value a key takes, in words: `integer > 0 or null`, `list of text`."""
    origin, args = get_origin(annotation), get_args(annotation)
    bounds = _bounds(info.metadata) if info else ""
    if origin is Annotated:
        limits = [limit for said in args[1:] for limit in getattr(said, "metadata", [said])]
        return _type(args[0]) + _bounds(limits)
    if origin is Literal:
        return _either([f"`{value}`" for value in args])
    if origin in (Union, UnionType):
        first, *others = [_type(arg) for arg in args]
        return _either([first + bounds, *others])
    if origin is list:
        return f"list of {_type(args[0]).replace('block', 'blocks')}{bounds}"
    if origin is dict:
        return "mapping"
    return ("block" if block_in(annotation) else WORDS.get(annotation, "anything")) + bounds


def _either(words: list[str]) -> str:
    *others, last = [word for words_of_one in words for word in words_of_one.split(" or ")]
    return f"{', '.join(others)} or {last}" if others else last


def _bounds(limits_of: Sequence[Any]) -> str:
    """The limits of a number, and of the length of a list."""
    found = [(text, getattr(limit, name, None)) for limit in limits_of for name, text in BOUNDS.items()]
    limits = " and ".join(text.format(value) for text, value in found if value is not None)
    return limits and f" {limits}"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, Config):
        return "default as below"
    return f"default `{value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)}`"


def _wrapped(text: str, bullet: str = "") -> str:
    """Lines short enough for a terminal, all but the first of a bullet indented below its text."""
    hang = " " * len(bullet)
    return textwrap.fill(text, WIDTH, initial_indent=bullet, subsequent_indent=hang, break_on_hyphens=False)
