from __future__ import annotations

import json

import pytest

from sluicegate.data.clean.repair import Repair, decoded, unmixed
from sluicegate.data.readers import Row
from sluicegate.schema import Message

CHINESE = "小明有十二个苹果，他给了小红三个。还剩几个？"


def step() -> Repair:
    return Repair(Repair.Config())


def invalid(raw: bytes) -> Row:
    return Row(3, reason="invalid UTF-8", text=raw.decode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(("text", "encoding"), [(CHINESE, "gb18030"), ("café, naïve, Müller", "cp1252")])
def test_a_line_in_another_encoding_is_read_anew(text: str, encoding: str) -> None:
    line = json.dumps({"prompt": text, "completion": "ok"}, ensure_ascii=False)
    repair = step()
    assert repair.row(invalid(line.encode(encoding))) == Row(3, {"prompt": text, "completion": "ok"}, text=line)
    assert repair.counts == {"rows decoded anew": 1}


@pytest.mark.parametrize(
    "raw",
    [
        b'{"prompt": "cut \xe4\xbd", "completion": "' + "好".encode() + b'"}',  # good UTF-8 beside a torn character
        b'{"prompt": "\xe9\xe9 \xe9", "completion": "a"}',  # pairs and a single one
        b"no json: caf\xe9",
    ],
)
def test_what_has_two_readings_or_none_stays_set_aside(raw: bytes) -> None:
    assert step().row(invalid(raw)) == invalid(raw)


def test_two_high_bytes_alone_are_no_chinese() -> None:
    assert decoded("Müüt".encode("cp1252")) is None
    assert decoded(CHINESE.encode("gbk")) == CHINESE


def western(text: str) -> str:
    """UTF-8 read as a browser reads Windows-1252: the bytes it has no character for as in Latin-1."""
    undefined = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
    return "".join(chr(b) if b in undefined else bytes([b]).decode("cp1252") for b in text.encode())


@pytest.mark.parametrize("text", ["“Café” – naïve, 12 €", "中文和 English 一起，共十二个字。", "计算过程"])
def test_utf8_that_was_taken_for_something_else_is_read_anew(text: str) -> None:
    assert unmixed(western(text)) == text
    assert unmixed(text.encode().decode("latin-1")) == text


@pytest.mark.parametrize("text", ["题多过红请苹现计", "你好你好你好你好", "计算过程：a=1"])
def test_utf8_that_was_taken_for_gb18030_is_read_anew(text: str) -> None:
    assert unmixed(text.encode().decode("gb18030")) == text


@pytest.mark.parametrize(
    "text",
    ["café", "Ångström ± 5 °C", "naïve Ã", "联通", CHINESE, "x² ≤ 4", "数学：1+1=2，很好。", "日本語の文章です。"],
)
def test_text_that_is_right_stays(text: str) -> None:
    assert unmixed(text) == text


def test_texts_are_mended_at_any_depth_and_counted() -> None:
    garbled = CHINESE.encode().decode("latin-1")
    row = Row(1, {"messages": [{"role": "user", "content": garbled}], "n": 3, "x": None})
    repair = step()
    assert repair.row(row).value == {"messages": [{"role": "user", "content": CHINESE}], "n": 3, "x": None}
    assert repair.counts["texts decoded anew"] == 1


@pytest.mark.parametrize(("text", "lost"), [("a \ufffd b", "\ufffd"), ("锟斤拷锟斤拷", "锟斤拷"), (CHINESE, "")])
def test_characters_that_are_lost(text: str, lost: str) -> None:
    reason = step().reason([Message(role="assistant", content=text)], "zh")
    assert reason == (f"lost characters: {lost}" if lost else "")
