"""What a terminal shows, with colours and without."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from sluicegate.models.encode import Encoder
from sluicegate.reporting.preview import ENDLESS, View, plain_view, token_view
from sluicegate.reporting.preview_text import preview_text
from sluicegate.schema import Message, make_pair, make_record

ASKED: Message = {"role": "user", "content": "几个\n[bold]？"}
ROW = make_record([ASKED, {"role": "assistant", "content": "Two <b>."}], "s", "zh")


def shown(view: View, colours: bool) -> str:
    console = Console(
        file=io.StringIO(), width=200, force_terminal=colours, color_system="truecolor" if colours else None
    )
    console.print(preview_text(view, colours))
    return console.file.getvalue()  # type: ignore[attr-defined]


def lines(view: View) -> list[str]:
    return [line.strip() for line in shown(view, colours=False).splitlines()]


def test_without_colours_labels_stand_in_brackets_and_line_breaks_are_seen(tiny_tokenizer: Any) -> None:
    view = token_view(ROW, Encoder(tiny_tokenizer, ENDLESS), ENDLESS)
    assert lines(view) == [
        f"{ROW['id']} · s · zh · 45 tokens · 9 of them labels",
        "<|im_start|>user↵",
        "几个↵",
        "[bold]？<|im_end|>↵",
        "<|im_start|>assistant↵",
        "⟦Two <b>.<|im_end|>⟧↵",
        "",
    ]


def test_what_is_cut_is_behind_scissors_and_counted(tiny_tokenizer: Any) -> None:
    encoder = Encoder(tiny_tokenizer, ENDLESS)
    assert lines(token_view(ROW, encoder, 38))[-2:] == ["⟦Two⟧✂ <b>.<|im_end|>↵", ""]
    assert "· no label among them · 22 cut off" in lines(token_view(ROW, encoder, 23))[0]


def test_with_colours_a_label_is_black_on_gold_and_needs_no_brackets(tiny_tokenizer: Any) -> None:
    text = shown(token_view(ROW, Encoder(tiny_tokenizer, ENDLESS), ENDLESS), colours=True)
    assert "\x1b[38;2;0;0;0;48;2;242;214;162mTwo <b>.\x1b[0m" in text
    assert "⟦" not in text


def test_turns_stand_under_their_roles() -> None:
    assert lines(plain_view(ROW))[1:] == ["user", "几个", "[bold]？", "", "assistant", "Two <b>."]


def test_each_part_of_a_pair_has_its_title_and_its_numbers(tiny_tokenizer: Any) -> None:
    sides: list[list[Message]] = [[{"role": "assistant", "content": text}] for text in ("Two.", "Ten!!")]
    pair = make_pair([ASKED], *sides, "s", "en")
    text = "\n".join(lines(token_view(pair, Encoder(tiny_tokenizer, ENDLESS), ENDLESS)))
    assert "\nprompt · 35 tokens\n" in text
    assert "\nchosen · 6 tokens · 5 of them labels\n⟦Two.<|im_end|>⟧↵\n" in text
    assert "\nrejected · 7 tokens · 6 of them labels\n⟦Ten!!<|im_end|>⟧↵\n" in text
    assert "prompt" in lines(plain_view(pair))
