"""The code of docs/extend.md is run, its own tests included."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "extend.md").read_text(encoding="utf-8")
CODE = "\n\n".join(re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL))
TESTS = re.findall(r"^def (test_\w+)", CODE, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The code of the page as one module: pydantic reads the help of keys from its file."""
    path = tmp_path_factory.mktemp("docs") / "extension_of_the_docs.py"
    path.write_text(CODE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_kind_of_extension_has_its_test() -> None:
    assert TESTS == [
        "test_alternate",
        "test_bits",
        "test_typical",
        "test_sample",
        "test_stutter",
        "test_riddle",
        "test_shouting",
        "test_sources",
    ]


@pytest.mark.parametrize("name", TESTS)
def test_the_code_of_the_page_works(
    name: str, extension: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = getattr(extension, name)
    known = {"tmp_path": tmp_path, "capsys": capsys}
    test(**{fixture: known[fixture] for fixture in inspect.signature(test).parameters})


def test_the_entry_points_are_valid() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert list(tomllib.loads(block)["project"]["entry-points"]) == ["sluicegate.rules"]
