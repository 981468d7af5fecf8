"""Config is written once, as a typed class; YAML, overrides, docs and the fingerprint are read off it."""

from __future__ import annotations

import os
import re
import reprlib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from sluicegate.errors import ConfigError, UnknownName
from sluicegate.registry import did_you_mean


class Config(BaseModel):
    """Base of every config block. Frozen; unknown keys are errors; the docstring under a field is its help."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @field_validator("*", mode="before")
    @classmethod
    def _names_a_file(cls, value: Any, info: ValidationInfo) -> Any:
        """An empty text would be read as the path of the working directory."""
        if value == "" and Path in _types_in(cls.model_fields[str(info.field_name)].annotation):
            raise ValueError("is empty, where a path is needed")
        return value


def _types_in(annotation: Any) -> set[Any]:
    """A type, or those of a union."""
    return {annotation, *get_args(annotation)}


C = TypeVar("C", bound=Config)


def runtime(default: Any, **kw: Any) -> Any:
    """A field that changes how fast a stage runs but not what it makes: left out of the fingerprint."""
    return Field(default, json_schema_extra={"runtime": True}, **kw)


def is_runtime(info: FieldInfo) -> bool:
    """Whether a field was declared with `runtime(...)`."""
    extra = info.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("runtime"))


def result_fields(block: Any) -> Any:
    """The part of a block that decides its stage's result, as plain values; a field with `exclude` is in others."""
    if isinstance(block, Config):
        told = (n for n, info in type(block).model_fields.items() if not (is_runtime(info) or info.exclude))
        return {n: result_fields(getattr(block, n)) for n in told}
    if isinstance(block, Mapping):
        return {str(k): result_fields(v) for k, v in block.items()}
    if isinstance(block, list | tuple):
        return [result_fields(v) for v in block]
    return str(block) if isinstance(block, Path) else block


def build(cls: type[C], tree: Mapping[str, Any], where: str = "") -> C:
    """Validate a tree into `cls`; every problem is reported at once, each with its dotted key."""
    try:
        return cls.model_validate(dict(tree))
    except UnknownName as err:
        key = next((k for k, v in tree.items() if err.name in (v if isinstance(v, list | dict) else [v])), "")
        at = ".".join(filter(None, [where, str(key)]))
        raise ConfigError(f"{at}: {err.message}" if at else err.message, err.hint) from None
    except ValidationError as err:
        lines = list(_problems(cls, err, where))
    told = lines[0] if len(lines) == 1 else "config is not valid:\n  " + "\n  ".join(lines)
    raise ConfigError(told, "see every key with: sluice docs")


def build_inside(cls: type[C], tree: Any) -> C:
    """`build` for a validator of another block, whose own problems then hold those of `cls` too.

    For a block whose class hangs on a sibling key, as the options of a rule hang on the rule's name.
    """
    try:
        return cls.model_validate(tree)
    except ValidationError as err:
        raise _InnerError(cls, err) from None


class _InnerError(ValueError):
    def __init__(self, cls: type[Config], err: ValidationError) -> None:
        super().__init__(str(err))
        self.cls = cls
        self.err = err


def _problems(cls: type[Config], err: ValidationError, where: str) -> Iterator[str]:
    """One line per problem, each with its dotted key."""
    for problem in err.errors():
        key = ".".join(filter(None, [where, *map(str, problem["loc"])]))
        inner = problem.get("ctx", {}).get("error")
        if isinstance(inner, _InnerError):
            yield from _problems(inner.cls, inner.err, key)
        elif problem["type"] == "extra_forbidden":
            siblings = _block_at(cls, problem["loc"][:-1]).model_fields
            near = did_you_mean(str(problem["loc"][-1]), siblings)
            yield f"{key}: no such key, {near or 'known: ' + (', '.join(siblings) or 'none')}"
        else:
            yield f"{key}: {_reason(problem)}"


def _reason(problem: Any) -> str:
    text = problem["msg"].removeprefix("Value error, ")
    given = "" if problem["type"] in ("missing", "value_error") else f" (got {reprlib.repr(problem['input'])})"
    return f"{text[0].lower()}{text[1:]}{given}"


def _block_at(cls: type[Config], loc: tuple[int | str, ...]) -> type[Config]:
    """The Config class a location inside `cls` belongs to; list positions and unions are stepped over."""
    for key in loc:
        info = cls.model_fields.get(str(key))
        cls = next(iter(_blocks_in(info.annotation)), cls) if info else cls
    return cls


def _blocks_in(annotation: Any) -> Iterator[type[Config]]:
    if isinstance(annotation, type) and issubclass(annotation, Config):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _blocks_in(part)


# Recipes ------------------------------------------------------------------------------------------------------------

BLOCKS = ("bench", "tune")
GROUPS = ("vars", "steps", *BLOCKS)


def recipe_names() -> list[str]:
    """The packaged recipes."""
    return sorted(p.name.removesuffix(".yaml") for p in _packaged().iterdir() if p.name.endswith(".yaml"))


def load_recipe(name: str, overrides: list[str] | None = None) -> dict[str, Any]:
    """A recipe by packaged name or path, with `extends`, overrides, interpolation and `for` resolved.

    An override names a step as the recipe writes it, `pick-{arm}`, or one of those its `for` makes, `pick-gate`.

    Returns:
        `{"vars": {...}, "steps": {step: {"stage": ..., ...}}}` in plain Python values; a block only where there is one.

    Raises:
        ConfigError: no such recipe, broken YAML, an override of a step that is not there, a missing variable.
    """
    from omegaconf import OmegaConf

    tree = _read_with_parents(name, seen=[])
    made = [item for item in overrides or [] if _is_made(tree, item)]
    for item in [one for one in overrides or [] if one not in made]:
        _apply(tree, item)
    plain = _plain(tree, f"recipe {name}")
    if not plain["steps"] and not plain["bench"]:
        raise ConfigError(f"recipe {name} has no steps", "write them under `steps:` as `name: {stage: ...}`")
    written: Any = OmegaConf.to_container(tree["steps"], resolve=False)
    steps = _expand(plain["steps"], {str(step): body for step, body in written.items()})
    whole = OmegaConf.create({**plain, "steps": steps})
    for item in made:
        _apply(whole, item)
    return {k: v for k, v in _plain(whole, f"recipe {name}").items() if v or k not in BLOCKS}


def parse_overrides(items: list[str]) -> dict[str, Any]:
    """`["a.b=1", "c=[x, y]"]` as a nested tree; values are YAML (`1e-4` is a number)."""
    from omegaconf import OmegaConf

    tree = OmegaConf.create({})
    for item in items:
        _update(tree, item, "")
    return _plain(tree, "overrides")


def _packaged() -> Any:
    return files("sluicegate").joinpath("recipes")


def _read_with_parents(name: str, seen: list[str]) -> Any:
    """The recipe merged over the one it extends; a child's step replaces single keys of the parent's."""
    from omegaconf import OmegaConf

    if name in seen:
        raise ConfigError(f"recipes extend each other in a ring: {' > '.join([*seen, name])}", "end it in one of them")
    tree = _read_yaml(name)
    parent = tree.pop("extends", None)
    if parent is None:
        return tree
    if _is_path(str(parent)):  # seen from the child, wherever the command is given
        parent = os.path.normpath(Path(name).parent / parent)
    return OmegaConf.merge(_read_with_parents(str(parent), [*seen, name]), tree)


def _is_path(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))


def _read_yaml(name: str) -> Any:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    path: Any = Path(name) if _is_path(name) else _packaged().joinpath(f"{name}.yaml")
    if not path.is_file():
        near = did_you_mean(name, recipe_names())
        raise ConfigError(f"no recipe '{name}'", near or f"packaged: {', '.join(recipe_names())}; or a path to a .yaml")
    try:
        return OmegaConf.create(_groups(name, _from_yaml(path.read_text(encoding="utf-8"))))
    except (yaml.YAMLError, OmegaConfBaseException, UnicodeDecodeError) as err:
        mark = getattr(err, "problem_mark", None)
        place = f"{name} line {mark.line + 1}" if mark else name
        what = getattr(err, "problem", None) or str(err).splitlines()[0]
        hint = "texts with ': ', '#', '{' or '$' in them need quotes"
        raise ConfigError(f"{place} is not valid YAML: {what}", hint) from None


def _groups(name: str, found: Any) -> dict[str, Any]:
    """What stands in a recipe's file, with every group in any case."""
    found = {} if found is None else found
    if not isinstance(found, dict) or set(found) - {"extends", *GROUPS}:
        raise ConfigError(f"{name} is not a recipe", f"its top-level keys: extends, {', '.join(GROUPS)}")
    groups = {group: {} if found.get(group) is None else found[group] for group in GROUPS}
    for group, values in groups.items():
        if not isinstance(values, dict):
            raise ConfigError(f"{name}: `{group}` is not a mapping", "write it as `name: value` lines")
    return found | groups


def _apply(tree: Any, item: str) -> None:
    """One override of a recipe; what it names, a variable or a step, has to be there."""
    group, name = _named(tree, item)
    known = [str(k) for k in tree[group]]  # `in` is false of a variable left open
    if "=" in item and name not in known and group not in BLOCKS:
        noun = {"vars": "variable", "steps": "step"}[group]
        raise ConfigError(f"override '{item}' names no {noun} of this recipe", _meant(tree, item, group, name))
    _update(tree, item, "" if item.startswith(f"{group}.") else "steps.")


def _meant(tree: Any, item: str, group: str, name: str) -> str:
    """What an override that names nothing may have been meant for."""
    known = [str(k) for k in tree[group]]
    if item.partition("=")[0] in map(str, tree["vars"]):
        return f"did you mean 'vars.{item}'?"
    if longer := [k for k in known if k.startswith(f"{name}-")]:
        return f"did you mean '{longer[0]}'?" if len(longer) == 1 else f"steps that begin so: {', '.join(longer)}"
    return did_you_mean(name, known) or f"{group}: {', '.join(known)}"


def _named(tree: Any, item: str) -> tuple[str, str]:
    """The group and the name in it that an override is about; a step's needs no group, and may be called as a block."""
    head, _, rest = item.partition("=")[0].partition(".")
    return (head, rest.partition(".")[0]) if head in GROUPS and (tree[head] or head not in BLOCKS) else ("steps", head)


def _is_made(tree: Any, item: str) -> bool:
    """Whether an override is about a step that a `for` has yet to make, as far as its name's beginning tells."""
    group, name = _named(tree, item)
    beginnings = [str(step).partition("{")[0] for step in tree["steps"] if "{" in str(step)]
    return group == "steps" and name not in tree["steps"] and name.startswith(tuple(beginnings))


def _update(tree: Any, item: str, prefix: str) -> None:
    """Put the value of `key=value`, read as YAML, where `prefix` and key say."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    key, eq, text = item.partition("=")
    if not eq or not all(key.split(".")):
        raise ConfigError(f"override '{item}' is not of the form key=value", "write it as step.key=value")
    try:
        OmegaConf.update(tree, prefix + key, _value(text), force_add=True)
    except (OmegaConfBaseException, ValueError) as err:
        hint = "positions in a list are counted from 0: sources.0.path=FILE"
        raise ConfigError(f"override '{item}' cannot be set: {str(err).splitlines()[0]}", hint) from None


def _value(text: str) -> Any:
    """What YAML reads in a text (`1e-4` is a number), or else the text."""
    try:
        return _from_yaml(f"value: {text or repr(text)}")["value"]
    except yaml.YAMLError:
        return text


def _from_yaml(text: str) -> Any:
    return yaml.load(text, _Yaml)


class _Yaml(yaml.SafeLoader):
    """YAML as 1.2 reads it: `off`, `no` and dates are texts, `1e-4` is a number, and no key stands twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys: set[str] = set()
        for key in [key for key, _ in node.value if key.tag == _PLAIN]:
            if key.value in keys:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key.value}' stands twice", key.start_mark)
            keys.add(key.value)
        return super().construct_mapping(node, deep)


_PLAIN, _BOOL, _FLOAT, _DATE = (f"tag:yaml.org,2002:{name}" for name in ("str", "bool", "float", "timestamp"))
_Yaml.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in forms if tag not in (_BOOL, _FLOAT, _DATE)]
    for first, forms in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Yaml.add_implicit_resolver(_BOOL, re.compile(r"(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Yaml.add_implicit_resolver(
    _FLOAT,
    re.compile(r"([-+]?(\d[\d_]*\.[\d_]*|\.\d[\d_]*|\d[\d_]*(?=[eE]))([eE][-+]?\d+)?|[-+]?\.inf|\.nan)$"),
    list("-+0123456789."),
)


def _plain(tree: Any, what: str) -> dict[str, Any]:
    """An OmegaConf tree as plain Python values, its interpolations resolved."""
    from omegaconf import OmegaConf
    from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

    try:
        plain = OmegaConf.to_container(tree, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as err:
        if isinstance(err, MissingMandatoryValue):
            raise _left_open(what, list(_open_keys(OmegaConf.to_container(tree)))) from None
        raise ConfigError(f"{what}: {str(err).splitlines()[0]}", f"look at {err.full_key}") from None
    assert isinstance(plain, dict)
    return {str(k): v for k, v in plain.items()}


def _open_keys(node: Any, at: str = "") -> Iterator[str]:
    """The dotted keys of every `???`."""
    if node == "???":
        yield at
    for key, value in _items(node):
        yield from _open_keys(value, f"{at}.{key}" if at else str(key))


def _items(node: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, Mapping | list):
        yield from node.items() if isinstance(node, Mapping) else enumerate(node)


def _left_open(what: str, keys: list[str]) -> ConfigError:
    told = " ".join(f"{key}=..." for key in keys)
    return ConfigError(f"{what}: no value for {', '.join(keys)}", f"set on the command line: {told}")


def _expand(steps: dict[str, Any], written: Any) -> dict[str, Any]:
    """Repeat each step that has a `for: {name: [values]}`, filling `{name}` into its own name and its texts.

    Args:
        written: the same steps with their interpolations as they stand in the recipe, for what is told of them.
    """
    out: dict[str, Any] = {}
    for name, step in steps.items():
        if not isinstance(step, dict):
            raise ConfigError(f"steps.{name} is not a mapping", "write it as `name: {stage: ..., key: value}`")
        body = {k: v for k, v in step.items() if k != "for"}
        loops = step.get("for") or {}
        if not isinstance(loops, dict):
            raise ConfigError(f"steps.{name}.for is not a mapping of lists", "write it as `for: {seed: [0, 1, 2]}`")
        for key, value in loops.items():
            if not isinstance(value, list):
                hint = f"write {_origin(written[name]['for'], key)}=[{value}]"
                raise ConfigError(f"steps.{name}.for: '{key}' is {value!r}, not a list", hint)
        for chosen in product(*loops.values()):
            values = dict(zip(loops, chosen, strict=True))
            filled = str(_fill(str(name), values))
            if filled in out:
                raise ConfigError(f"steps.{name} is '{filled}' twice", "put what its `for` counts in its name: {seed}")
            out[filled] = _fill(body, values)
    return out


def _origin(written: Any, key: str) -> str:
    """The variable a value comes from, or its own key."""
    variable = re.fullmatch(r"\$\{([\w.]+)\}", str(written[key])) if isinstance(written, dict) else None
    return variable[1] if variable else str(key)


def _fill(node: Any, values: dict[str, Any]) -> Any:
    """`{seed}` alone keeps its type; inside a longer text it becomes text."""
    if isinstance(node, dict):
        return {_fill(k, values): _fill(v, values) for k, v in node.items()}
    if isinstance(node, list):
        return [_fill(v, values) for v in node]
    if not isinstance(node, str):
        return node
    if node.startswith("{") and node.endswith("}") and node[1:-1] in values:
        return values[node[1:-1]]
    for name, value in values.items():
        node = node.replace(f"{{{name}}}", str(value))
    return node
