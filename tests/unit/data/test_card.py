"""The card tells every count, and nothing in the data or in a path can speak through it."""

from __future__ import annotations

from sluicegate.data.card import card
from sluicegate.data.intake import Candidate
from sluicegate.data.readers import Row
from sluicegate.data.tally import Licence, Tally
from sluicegate.schema import Record, make_record


def said(source: str, lang: str = "en", text: str = "four") -> Record:
    return make_record([{"role": "assistant", "content": text}], source, lang)


def keep(tally: Tally, record: Record, origin: str, line: int = 1) -> None:
    tally.keep(Candidate(record["source"], origin, Row(line), record), record)


def drop(tally: Tally, origin: str, reason: str, record: Record | None = None, text: str = "", line: int = 1) -> None:
    tally.drop(Candidate("a", origin, Row(line, text=text), record), reason)


def two_sources() -> Tally:
    tally = Tally(licences={"b": Licence("CC-BY-NC-4.0", "research only")})
    for line in range(1200):
        keep(tally, said("a"), "/home/me/a.jsonl", line)
    keep(tally, said("b", "zh", "四" * 720), "/home/me/b.jsonl")
    drop(tally, "/home/me/a.jsonl", "duplicate: of /home/me/b.jsonl line 3", said("a"), '{"text": "four"}', line=7)
    drop(tally, "/home/me/a.jsonl", "unknown role: 'x'")
    drop(tally, "/home/me/b.jsonl", "other part: test", said("b", "zh"))
    return tally


def test_every_step_of_every_source_is_told() -> None:
    text = card(two_sources())
    assert "1,201 rows of 1,204 read (99.9% en, 0.1% zh), about 1,600 tokens (guessed" in text
    assert "1 rows are in the other part." in text
    for line in (
        "| shape | 1,204 | 1 | 1,203 |",
        "| clean | 1,203 | 0 | 1,203 |",
        "| dedup | 1,203 | 1 | 1,202 |",
        "| split | 1,202 | 1 | 1,201 |",
        "| source | language | read | after shape | after dedup | after split | tokens kept |",
        "| a | – | 1 | 0 | 0 | 0 | 0 |",
        "| a | en | 1,201 | 1,201 | 1,200 | 1,200 | 1,200 |",
        "| b | zh | 2 | 2 | 2 | 1 | 400 |",
        "| all | zh | 2 | 2 | 2 | 1 | 400 |",
        "| a.jsonl | 1,202 | 1,200 | 2 |",
        "| b.jsonl | 2 | 1 | 0 |",
        "| a | not stated |  |",
        "| b | CC-BY-NC-4.0 | research only |",
    ):
        assert line in text
    assert "**What to mind of b holds" in text


def test_lengths_are_drawn_to_scale_and_none_is_drawn_as_nothing() -> None:
    bars = {line.split(" | ")[0][2:]: line.count("█") for line in card(two_sources()).splitlines() if "█" in line}
    assert bars == {"tokens": 1, "0-16": 32, "257-512": 1}
    assert "| 17-32 | 0 | 0 |  |" in card(two_sources()), "a gap is told too"


def test_a_tokenizer_that_counted_is_named() -> None:
    tally = Tally(tokenizer="Qwen/Qwen3-1.7B")
    tally.keep(Candidate("a", "a", Row(1), said("a")), said("a"), n_tokens=7)
    assert "7 tokens as Qwen/Qwen3-1.7B counts them" in card(tally)


def test_a_dropped_row_is_shown_with_its_place_its_reason_and_its_text() -> None:
    text = card(two_sources())
    assert (
        '### duplicate: 1 at dedup\n\n- a.jsonl line 7: duplicate: of b.jsonl line 3\n\n  ` {"text": "four"} `' in text
    )
    assert "### other part" not in text


def test_nobody_is_told_of_in_an_example() -> None:
    tally = two_sources()
    drop(tally, "/home/me/a.jsonl", "contaminated: 'write to me@there.org' is in test", said("a"), "me@there.org, 'or'")
    text = card(tally)
    assert "me@there.org" not in text
    assert "` <EMAIL>, 'or' `" in text


def test_no_path_tells_more_than_tells_it_from_the_others() -> None:
    tally = Tally()
    for origin in ("/data/one/train.jsonl", "/data/two/train.jsonl"):
        keep(tally, said("a"), origin)
    drop(tally, "/data/one/train.jsonl", "duplicate: of /data/two/train.jsonl line 1", said("a"))
    text = card(tally)
    assert "| one/train.jsonl |" in text
    assert "- one/train.jsonl line 1: duplicate: of two/train.jsonl line 1" in text
    assert "/data" not in text


def test_a_set_of_the_hub_keeps_its_name() -> None:
    tally = Tally()
    for origin in ("teknium/OpenHermes-2.5", "/data/train.jsonl.gz", "world"):
        keep(tally, said("a"), origin)
    text = card(tally)
    for name in ("teknium/OpenHermes-2.5", "train.jsonl.gz", "world"):
        assert f"| {name} | 1 | 1 | 0 |" in text


def test_no_text_of_the_data_is_markup() -> None:
    tally = Tally()
    keep(tally, said("__a|b__"), "_x_.jsonl")
    drop(tally, "_x_.jsonl", "unknown role: '<b>|x|\n[a](b)</b>'", text="``` <script>\n`x`")
    text = card(tally)
    assert "unknown role: '&lt;b&gt;\\|x\\| \\[a\\](b)&lt;/b&gt;'" in text
    assert "```` ``` <script> `x` ````" in text, "a code span that nothing in it can close"
    assert "| \\_\\_a\\|b\\_\\_ | en |" in text
    assert "\\_x\\_.jsonl line 1" in text


def test_what_cleaning_changed_and_what_fell_short_is_told() -> None:
    tally = two_sources()
    assert "Changed by cleaning" not in card(tally)
    tally.changes.update({"email masked": 3, "turns cut": 1200})
    tally.notes.append("b has 1 of the 9 rows asked for: all of them are taken")
    text = card(tally)
    assert "\n\n- b has 1 of the 9 rows asked for: all of them are taken.\n\n## Steps" in text
    assert "| turns cut | 1,200 |\n| email masked | 3 |" in text


def test_a_picture_is_shown_where_there_is_one() -> None:
    assert "](lengths.svg)" in card(two_sources(), "lengths.svg")
    assert "![" not in card(two_sources())


def test_trees_are_told_apart_from_rows() -> None:
    tally, record = Tally(), said("a")
    for again in (False, True):
        tally.keep(Candidate("a", "trees.jsonl", Row(1), record, again=again), record)
    assert "1 raw rows were read; each path through a message tree is counted as a row here." in card(tally)
    assert "raw rows were read" not in card(two_sources())


def test_an_empty_table_is_left_out() -> None:
    tally = Tally()
    keep(tally, said("a"), "a.jsonl")
    assert "Dropped" not in card(tally)
