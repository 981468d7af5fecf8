from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from sluicegate.errors import MissingError, SluiceError
from sluicegate.models.export_gguf import CONVERTER, GGUF, convert, find_converter

FAKE = """\
#!{python}
import json, pathlib, sys
if "--fail" in {flags!r}:
    print("some warning", file=sys.stderr)
    sys.exit("NotImplementedError: Architecture not supported")
pathlib.Path(sys.argv[sys.argv.index("--outfile") + 1]).write_text(json.dumps(sys.argv[1:]))
"""


def fake_converter(folder: Path, monkeypatch: pytest.MonkeyPatch, flags: str = "") -> Path:
    """A converter on the PATH that writes down what it was told."""
    path = folder / CONVERTER
    path.write_text(FAKE.format(python=sys.executable, flags=flags), encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return path


def test_without_a_converter_it_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match=r"not on the PATH\nhint: get it with: git clone .*llama\.cpp"):
        find_converter()


def test_it_is_told_the_folder_the_dtype_and_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_converter(tmp_path, monkeypatch)
    model = tmp_path / "model"
    model.mkdir()
    convert(find_converter(), model, "Tiny-sft", "bfloat16")
    told = json.loads((model / GGUF).read_text(encoding="utf-8"))
    assert told == [str(model), "--outfile", str(model / GGUF), "--outtype", "bf16", "--model-name", "Tiny-sft"]


def test_what_the_converter_says_last_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_converter(tmp_path, monkeypatch, flags="--fail")
    with pytest.raises(SluiceError, match="failed: NotImplementedError: Architecture not supported"):
        convert(find_converter(), tmp_path, "x", "float32")
