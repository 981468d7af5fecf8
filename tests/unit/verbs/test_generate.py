"""What a model says, on standard output alone."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from sluicegate.cli import main
from sluicegate.models.sampling import Sampling
from sluicegate.testing import tiny_model
from sluicegate.verbs.replies import KEYS

FEW = ["max_new_tokens=8"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_model(tmp_path_factory.mktemp("model") / "tiny"))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_prompt_is_answered_in_plain_text(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", model, "Hi", *FEW]) == 0
    alone = capsys.readouterr().out
    assert main(["generate", model, "Hi", "Two and two?", *FEW]) == 0
    assert alone == f"{lines(capsys)[0]['reply']}\n"


def test_prompts_of_a_file_are_answered_a_line_each(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text('Hi\n\n"two\\nlines"\n你好\n', encoding="utf-8")
    assert main(["generate", model, "first", "--file", str(file), "--samples", "2", *FEW]) == 0
    found = lines(capsys)
    assert [line["prompt"] for line in found[::2]] == ["first", "Hi", "two\nlines", "你好"]
    assert all(line.keys() == {"prompt", "reply", "tokens", "ended"} for line in found)


def test_a_raw_prompt_has_no_template(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for extra in ([], ["--raw"], ["--system", "Be brief."]):
        assert main(["generate", model, "Hi there", *extra, "temperature=1", *FEW]) == 0
        said.append(capsys.readouterr().out)
    assert len(set(said)) == 3


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ([], "nothing to ask"),
        (["Hi", "top_p=3"], "top_p: input should be less than or equal to 1"),
        (["Hi", "temprature=1"], "temperature"),
        (["--file", "none.txt"], "none.txt cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_told(
    model: str, extra: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", model, *extra]) in (2, 3)
    assert told in capsys.readouterr().err


def test_standard_input_is_a_file_too(
    model: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Hi\nyou\n"))
    assert main(["generate", model, "--file", "-", *FEW]) == 0
    assert [line["prompt"] for line in lines(capsys)] == ["Hi", "you"]


def test_the_help_names_the_keys_there_are() -> None:
    assert set(re.findall(r"\w+", KEYS)) - {"and"} == set(Sampling.model_fields)
