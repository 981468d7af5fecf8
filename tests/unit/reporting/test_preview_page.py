"""The page: all rows, nothing fetched, nothing run, nothing from the data obeyed."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from sluicegate.models.encode import Encoder
from sluicegate.reporting.preview import ENDLESS, plain_view, token_view
from sluicegate.reporting.preview_page import preview_page
from sluicegate.schema import Message, make_pair, make_record

ASKED: Message = {"role": "user", "content": "几个？ <script>alert(1)</script>"}
SAID: Message = {"role": "assistant", "content": "Two\n."}
ROW = make_record([ASKED, SAID], "s", "zh")
PAIR = make_pair([ASKED], [SAID], [SAID], "s", "en")


def spans(page: str, look: str) -> list[str]:
    return [
        unescape(text) for text in re.findall(rf'<span class="{look}">([^<]*)</span>', page.partition("<article>")[2])
    ]


def test_labels_special_tokens_and_what_is_cut_look_different(tiny_tokenizer: Any) -> None:
    encoder = Encoder(tiny_tokenizer, ENDLESS)
    page = preview_page([token_view(ROW, encoder, ENDLESS)], "pool.jsonl", "base")
    assert "<title>pool.jsonl as base reads it</title>" in page
    assert spans(page, "label") == ["Two↵\n."]
    assert spans(page, "special") == ["<|im_start|>", "<|im_end|>", "<|im_start|>"]
    assert spans(page, "label special") == ["<|im_end|>"]
    short = preview_page([token_view(ROW, encoder, 50)], "pool.jsonl", "base")
    assert spans(short, "cut")
    assert re.search(r"\d+ cut off</span>", short)


def test_nothing_in_a_row_is_markup_and_nothing_is_fetched_or_run(tiny_tokenizer: Any) -> None:
    view = token_view(ROW, Encoder(tiny_tokenizer, ENDLESS), ENDLESS)
    for page in (preview_page([view], "<b>", "<i>"), preview_page([plain_view(ROW)], "<b>")):
        assert "<script" not in page
        assert "default-src 'none'; style-src 'unsafe-inline'" in page
        assert "http" not in page.partition("<title>")[2]
        assert "<b>" not in page.partition("<article>")[0]
        assert "&lt;script&gt;" in page


def test_a_pair_stands_side_by_side_and_turns_under_their_roles(tiny_tokenizer: Any) -> None:
    page = preview_page([token_view(PAIR, Encoder(tiny_tokenizer, ENDLESS), ENDLESS)], "pairs", "base")
    assert re.findall(r"<h3>(\w+)", page) == ["prompt", "chosen", "rejected"]
    assert page.count('class="pair"') == 1
    turns = preview_page([plain_view(ROW), plain_view(PAIR)], "pairs")
    assert re.findall(r"<b>(\w+)</b>", turns) == ["user", "assistant", "user", "assistant", "assistant"]
