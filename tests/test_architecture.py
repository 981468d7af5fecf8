"""The house keeps its plan: layers, light modules, small files, and a docstring on everything public."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import sluicegate

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "sluicegate"
MODULES = {p.relative_to(PACKAGE).as_posix(): ast.parse(p.read_text()) for p in sorted(PACKAGE.rglob("*.py"))}
LAYERS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]

HEAVY = {"torch", "transformers", "trl", "peft", "datasets", "accelerate", "sklearn", "altair", "pyarrow", "vl_convert"}
TORCH_ROOMS = ("models/", "training/", "scoring/forward.py")
"""Only ever imported inside functions, so they may have torch and transformers at their top."""
MAX_LINES = 400

every_module = pytest.mark.parametrize("name", MODULES)


def room(name: str) -> str:
    """The room a module of the package is in: `data/split.py` is in `data`."""
    return name.split("/")[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[str]:
    """The full names of what a piece of code imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run when a module is imported, at any depth, those for the type checker apart."""
    todo: list[ast.stmt] = list(tree.body)
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            continue
        todo += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def rank_of() -> dict[str, int]:
    """Room to the number of its layer, 0 at the top."""
    return {name: n for n, layer in enumerate(LAYERS) for name in re.findall(r"\w+", layer)}


@every_module
def test_a_module_imports_only_from_layers_below(name: str) -> None:
    ranks, here = rank_of(), room(name)
    if here in ("__init__", "__main__"):
        return
    rooms = {full.split(".")[1] for full in imports(MODULES[name]) if full.startswith("sluicegate.")} - {here}
    for other in rooms & set(ranks):
        beside = any(re.search(rf"\b{here}\b", y) and re.search(rf"\b{other}\b", y) and ":" in y for y in LAYERS)
        assert ranks[here] < ranks[other] or beside, f"{here} must not import {other}"


def test_every_room_has_a_layer() -> None:
    assert {room(name) for name in MODULES} - {"__init__", "__main__"} == set(rank_of())


def test_the_package_tells_its_layers_as_they_are() -> None:
    told = sluicegate.__doc__ or ""
    assert " ".join(told.split("\n\n")[-1].split()) == " > ".join(LAYERS)


def test_import_linter_agrees() -> None:
    done = subprocess.run([Path(sys.executable).with_name("lint-imports")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@every_module
def test_heavy_libraries_wait_until_they_are_needed(name: str) -> None:
    allowed = {"torch", "transformers"} if name.startswith(TORCH_ROOMS) else set()
    tops = {full.split(".")[0] for node in at_import(MODULES[name]) for full in _own_imports(node)}
    assert not tops & HEAVY - allowed, f"import {', '.join(tops & HEAVY - allowed)} inside the functions that need it"


def _own_imports(node: ast.stmt) -> Iterator[str]:
    return imports(node) if isinstance(node, ast.Import | ast.ImportFrom) else iter(())


@pytest.mark.parametrize("verb", ["ls", "docs", "run demo --dry-run"])
def test_looking_around_loads_no_heavy_library(verb: str, tmp_path: Path) -> None:
    code = f"from sluicegate.cli import main; import sys; main({verb.split()!r}); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "sluicegate.cli" in done.stderr.split()
    assert not HEAVY - {"pyarrow"} & set(done.stderr.split())


@every_module
def test_names_say_what_a_module_is_about(name: str) -> None:
    assert not {"utils", "util", "common", "core", "helpers", "misc"} & set(re.split(r"[/.]", name))


@every_module
def test_files_stay_short(name: str) -> None:
    assert len((PACKAGE / name).read_text().splitlines()) <= MAX_LINES


@every_module
def test_everything_public_has_a_docstring(name: str) -> None:
    tree = MODULES[name]
    assert ast.get_docstring(tree), "the module itself"
    silent = [d.name for d in _public(tree) if not ast.get_docstring(d)]
    for cls in (d for d in _public(tree) if isinstance(d, ast.ClassDef)):
        silent += [f"{cls.name}.{d.name}" for d in _public(cls) if not ast.get_docstring(d) and not _told(name, cls, d)]
    assert not silent, f"no docstring: {', '.join(silent)}"


Definition = ast.FunctionDef | ast.ClassDef


def _public(owner: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Classes, functions and methods; a class called Config is told by the class it configures."""
    found = (node for node in owner.body if isinstance(node, Definition))
    return (node for node in found if not node.name.startswith("_") and node.name != "Config")


def _told(name: str, cls: ast.ClassDef, method: Definition) -> bool:
    """Whether a class it inherits from says what the method does."""
    module = import_module("sluicegate." + name.removesuffix(".py").replace("/", "."))
    return bool(inspect.getdoc(getattr(getattr(module, cls.name), method.name)))
