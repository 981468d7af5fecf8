"""The steps that only judge: repetition, languages, tokens; and the forms of Unicode."""

from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.data.clean.languages import Languages
from sluicegate.data.clean.repetition import Repetition
from sluicegate.data.clean.tokens import Tokens
from sluicegate.data.clean.unicode import Unicode
from sluicegate.errors import MissingError
from sluicegate.schema import Message


def said(text: str) -> list[Message]:
    return [Message(role="user", content="q"), Message(role="assistant", content=text)]


@pytest.mark.parametrize("loop", ["I do not know. ", "我不知道。"])
def test_a_response_that_repeats_itself_is_set_aside(loop: str) -> None:
    step = Repetition(Repetition.Config())
    assert step.reason(said(loop * 40), "en").startswith("repetition: 0.9")
    assert step.reason(said(loop), "en") == "", "too short to tell"
    different = " ".join(f"word{n}" for n in range(100)) + "".join(map(chr, range(0x4E00, 0x4E80)))
    assert step.reason(said(different), "en") == ""
    half = " ".join(f"word{n % 50}" for n in range(100))
    assert step.reason(said(half), "en") == ""
    assert Repetition(Repetition.Config(max_share=0.4)).reason(said(half), "en")


def test_a_prompt_may_repeat_itself() -> None:
    turns = [Message(role="user", content="again " * 99), Message(role="assistant", content="ok")]
    assert Repetition(Repetition.Config()).reason(turns, "en") == ""


def test_languages() -> None:
    step = Languages(Languages.Config(keep=["zh", "en"]))
    assert [step.reason(said("x"), lang) for lang in ("zh", "en", "other")] == ["", "", "language: other"]


def test_tokens_are_guessed_by_language_and_said_to_be() -> None:
    step = Tokens(Tokens.Config(min=10, max=20))
    assert step.reason(said("x" * 59), "en") == ""
    assert step.reason(said("x" * 20), "en") == "too short: 6 tokens by a guess, min is 10"
    assert step.reason(said("字" * 59), "zh") == "too long: 33 tokens by a guess, max is 20"


def test_tokens_are_counted_where_a_tokenizer_is_named(tiny_tokenizer_file: Path) -> None:
    for named in (tiny_tokenizer_file, tiny_tokenizer_file.parent):
        step = Tokens(Tokens.Config(tokenizer=named, max=2))
        assert step.count(said("a b"), "en") > 2
        assert step.reason(said("a b"), "en").startswith("too long: ")
        assert "guess" not in step.reason(said("a b"), "en")


def test_a_tokenizer_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"no tokenizer .*tokenizer\.json"):
        Tokens(Tokens.Config(tokenizer=tmp_path)).count(said("a"), "en")


@pytest.fixture
def tiny_tokenizer_file(tmp_path: Path) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {token: n for n, token in enumerate(["[UNK]", "a", "b", "q"])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.enable_truncation(1)
    made.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_forms_of_unicode() -> None:
    text = "Ａ１\u3000x²，ﬁ\u200d①"
    assert Unicode(Unicode.Config()).text(text) == "Ａ１ x²，ﬁ\u200d①"
    assert Unicode(Unicode.Config(form="nfkc", joiners=False)).text(text) == "A1 x2,fi1"
