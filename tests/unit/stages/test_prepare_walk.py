"""The walk of many rows: every row accounted for, the same bytes with any number of workers, and what is asked for."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sluicegate.artifacts import Artifact
from sluicegate.config import build, result_fields
from sluicegate.data.readers import chunk
from sluicegate.errors import ConfigError, DataError, MissingError
from sluicegate.schema import make_record
from sluicegate.stages.prepare import Prepare
from sluicegate.testing import sealed

LONG = "Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. How many?"


def jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def row(asked: str, said: str, **columns: Any) -> dict[str, Any]:
    return {"prompt": asked, "completion": said, **columns}


def story(n: int) -> str:
    """English, and unlike that of any other number."""
    return " ".join(f"the {word}{n * n + n}" for word in ("bird", "house", "tree", "river", "road", "cloud"))


def rows(n: int, start: int = 0) -> list[dict[str, Any]]:
    return [row(f"What is number {k}?", story(k)) for k in range(start, start + n)]


def prepare(folder: Path, *sources: Any, inputs: dict[str, Any] | None = None, **options: Any) -> Artifact:
    config = build(Prepare.Config, {"sources": [str(s) if isinstance(s, Path) else s for s in sources], **options})
    return sealed(folder / "store", Prepare().made(config), lambda out: Prepare().fill(out, config, inputs or {}))


def reasons(made: Artifact) -> dict[str, int]:
    return made.stats["by_reason"]


# The account --------------------------------------------------------------------------------------------------------

LINES = st.sampled_from(
    [
        json.dumps(row("What is it?", story(1))),
        json.dumps(row("What is it?", story(2))),
        json.dumps(row("What is it?", story(2) + " again")),
        json.dumps(row("这是什么？", "这是一个苹果，那是一个梨。")),
        json.dumps(row(LONG, "72")),
        json.dumps(row("Loop?", "again and " * 60)),
        json.dumps({"messages": [{"role": "user", "content": "alone"}]}),
        '{"prompt": "cut',
        '{"col": 1}',
        "[]",
        "",
    ]
)
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "dedup": st.sampled_from(["exact", "near", "none"]),
        "clean": st.sampled_from([{"repetition": 0.3}, {"languages": ["zh"]}, {"tokens": {"min": 5}, "turns": {}}]),
        "split": st.sampled_from([{"part": "train"}, {"part": "valid", "shares": "1:2:1"}]),
        "sample": st.just({"rows": 3}),
        "mix": st.just({"by": "lang", "weights": {"zh": 1, "en": 1}}),
    },
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, min_size=1, max_size=12), asked=ASKED)
def test_rows_in_are_rows_kept_and_rows_dropped(tmp_path_factory: Any, lines: list[str], asked: dict[str, Any]) -> None:
    folder = tmp_path_factory.mktemp("account")
    path = folder / "pool.jsonl"
    path.write_text("\n".join([json.dumps(row("First?", story(0))), *lines]) + "\n", encoding="utf-8")
    given_rows = 1 + sum(1 for line in lines if line)
    try:
        made = prepare(folder, path, **{"max_bad_share": 1.0, **asked})
    except DataError:
        assume(False)  # no row is left
    kept, dropped = list(made.rows("messages")), list(made.rows("dropped"))
    assert len(kept) + len(dropped) == made.stats["read"] == given_rows
    assert sum(reasons(made).values()) == len(dropped)
    assert all(d["reason"] and d["source"] == "pool" for d in dropped)
    numbers = [n for n, line in enumerate(["first", *lines], 1) if line]
    assert {d["line"] for d in dropped} <= set(numbers)
    assert len({r["id"] for r in kept}) == len(kept)


def test_the_number_of_workers_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk, "CHUNK_BYTES", 1 << 11)
    pool = rows(150) + [row("Again?", story(k) + " too") for k in range(0, 150, 3)] + rows(20) + [{"col": 1}] * 3
    path = jsonl(tmp_path / "pool.jsonl", pool)
    asked: dict[str, Any] = {
        "dedup": "near",
        "clean": {"mask": True, "tokens": {"max": 400}},
        "split": {"shares": "8:1:1"},
        "sample": {"rows": 100},
    }
    made = [prepare(tmp_path / str(n), path, workers=n, **asked) for n in (1, 3)]
    assert made[0].manifest["files"] == made[1].manifest["files"]
    assert made[0].stats == made[1].stats
    assert reasons(made[0])["duplicate"] == 20
    fields = [result_fields(build(Prepare.Config, {"sources": "a", "workers": n})) for n in (1, 2)]
    assert fields[0] == fields[1], "how many there are is no part of the recipe"


# Cleaning -----------------------------------------------------------------------------------------------------------


def test_every_step_of_cleaning_has_its_say(tmp_path: Path) -> None:
    pool = [
        *rows(3),
        row("Ｗhat？", f"It is １. {story(7)}"),
        row("Who?", f"Write to a@b.example. {story(8)}"),
        row("Loop?", "again and " * 60),
        row("Quoi?", "Je ne sais pas ce que tu veux dire, mais il est parti hier avec son ami."),
        {"messages": [{"role": r, "content": story(n)} for n, r in enumerate(("assistant", "user", "assistant"))]},
    ]
    path = tmp_path / "pool.jsonl"
    raw = "\n".join(json.dumps(one, ensure_ascii=False) for one in pool).encode()
    path.write_bytes(raw + b"\n" + json.dumps(row("这是什么东西？", "苹果"), ensure_ascii=False).encode("gbk"))
    clean = {"unicode": "nfkc", "mask": True, "repetition": 0.3, "languages": ["zh", "en"], "turns": {}, "repair": True}
    made = prepare(tmp_path, path, clean=clean, max_bad_share=0)
    assert reasons(made) == {"repetition": 1, "language": 1, "turn order": 1}
    assert "| clean | 9 | 3 | 6 |" in (made.path / "card.md").read_text(encoding="utf-8")
    said = [r["messages"][1]["content"] for r in made.rows("messages")]
    assert said[3].startswith("It is 1.")
    assert said[4].startswith("Write to <EMAIL>.")
    assert said[5] == "苹果"
    assert made.stats["cleaned"] == {"email masked": 1, "rows decoded anew": 1}
    plain = prepare(tmp_path / "plain", path, clean={"mask": False}, max_bad_share=0.5)
    assert reasons(plain) == {"invalid UTF-8": 1}


def test_steps_that_are_not_there_and_keys_they_do_not_have() -> None:
    with pytest.raises(ConfigError, match="no cleaner named 'unicod'") as caught:
        build(Prepare.Config, {"sources": "a", "clean": {"unicod": "nfkc"}})
    assert "did you mean 'unicode'?" in caught.value.hint
    with pytest.raises(ConfigError, match=r"clean\.unicode\.form: input should be 'nfc' or 'nfkc'"):
        build(Prepare.Config, {"sources": "a", "clean": {"unicode": "nfd"}})


def test_a_named_tokenizer_is_pinned_and_counts(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    counter = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    counter.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    counter.save(str(tmp_path / "tokenizer.json"))
    path = jsonl(tmp_path / "pool.jsonl", [row("a b", "c d e"), row("f", "g " * 300)])
    asked = {"clean": {"tokens": {"tokenizer": str(tmp_path)}}}
    assert prepare(tmp_path, path, **asked).stats["by_bucket"]["257-1024"] == 1
    assert "tokenizer" in Prepare().pins(build(Prepare.Config, {"sources": str(path), **asked}))
    with pytest.raises(MissingError, match="no tokenizer"):
        Prepare().pins(build(Prepare.Config, {"sources": str(path), "clean": {"tokens": {"tokenizer": "gone"}}}))


# Copies and contamination -------------------------------------------------------------------------------------------


def test_near_copies_go_over_all_sources_and_say_of_what(tmp_path: Path) -> None:
    one = jsonl(tmp_path / "one.jsonl", rows(5))
    near = row("What is number 3?", story(3) + " today")
    two = jsonl(tmp_path / "two.jsonl", [near, *rows(1, start=4), *rows(2, start=9)])
    made = prepare(tmp_path, one, two, dedup="near")
    told = [d["reason"] for d in made.rows("dropped")]
    assert told[0].startswith("near duplicate: 0.9")
    assert told[0].endswith(f"of {one} line 4")
    assert told[1] == f"duplicate: of {one} line 5"
    assert prepare(tmp_path / "strict", one, two, dedup="near", near={"threshold": 0.99}).stats["rows"] == 8


def test_rows_that_hold_a_question_of_an_evaluation_set_are_left_out_and_listed(tmp_path: Path) -> None:
    held = prepare(
        tmp_path / "test", jsonl(tmp_path / "test.jsonl", [row(LONG, "72"), row("Where is Rome?", "There.")])
    )
    part = row("Tell me of Natalia.", "She sold clips to 48 of her friends in April, and then she sold half of them.")
    pool = [*rows(2), row(LONG.upper(), "I say 73, the same as ever."), part, *rows(1, start=5)]
    path = jsonl(tmp_path / "pool.jsonl", pool)
    made = prepare(tmp_path, path, inputs={"decontaminate": {"gsm8k": [held]}})
    assert reasons(made) == {"contaminated": 2}
    found = list(made.rows("contaminated"))
    assert [(hit["set"], hit["question"], hit["ngram"]) for hit in found] == [
        ("gsm8k", LONG, ""),
        ("gsm8k", LONG, "sold clips to 48 of her friends in april, and then she sold"),
    ]
    assert {hit["id"] for hit in found}.isdisjoint(r["id"] for r in made.rows("messages"))
    assert not (prepare(tmp_path / "without", path).path / "contaminated.parquet").exists()


# Parts and shares ---------------------------------------------------------------------------------------------------


def test_a_row_never_moves_to_another_part_when_others_are_added(tmp_path: Path) -> None:
    few, many = jsonl(tmp_path / "few.jsonl", rows(60)), jsonl(tmp_path / "many.jsonl", rows(300))
    for part in ("train", "valid", "test"):
        split = {"part": part, "shares": [6, 2, 2]}
        small, large = (prepare(tmp_path / part / p.stem, p, split=split).rows("messages") for p in (few, many))
        before, after = ({r["id"] for r in found} for found in (small, large))
        assert before < after


def test_a_mix_by_weights_with_its_shortfall_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = jsonl(tmp_path / "one.jsonl", rows(40)), jsonl(tmp_path / "two.jsonl", rows(10, start=100))
    weights = {"one": 1, "two": 1}
    made = prepare(tmp_path, one, two, mix={"weights": weights})
    assert made.stats["by_source"] == {"one": 10, "two": 10}
    assert reasons(made) == {"mix": 30}
    assert len(list(made.rows("dropped"))) == 30
    short = prepare(tmp_path / "short", one, two, mix={"weights": weights, "rows": 40})
    assert short.stats["by_source"] == {"one": 20, "two": 10}
    assert short.stats["shortfall"] == {"two": 10}
    assert "two has 10 of the 20 rows asked for" in capsys.readouterr().err


def test_a_sample_by_level_and_a_mix_of_it(tmp_path: Path) -> None:
    pool = [row(f"What is number {k}?", story(k), level=f"Level {k % 5 + 1 if k < 50 else 1}") for k in range(100)]
    path = jsonl(tmp_path / "math.jsonl", pool)
    made = prepare(tmp_path, path, sample={"rows": 20, "by": "level", "shares": "equal"})
    levels = Counter(json.loads(r["meta"])["level"] for r in made.rows("messages"))
    assert levels == {f"Level {n}": 4 for n in range(1, 6)}
    both = prepare(tmp_path / "both", path, sample={"rows": 20}, mix={"weights": {"math": 1}, "rows": 5})
    assert both.stats["rows"] == 5
    assert reasons(both) == {"sample": 80, "mix": 15}


def test_too_few_rows_of_a_language_are_an_error_with_the_numbers_or_told(tmp_path: Path) -> None:
    chinese = [row(f"这是第{k}个什么？", f"这是第{k}个苹果，那是一个梨。") for k in range(2)]
    path = jsonl(tmp_path / "pool.jsonl", [*rows(8), *chinese])
    assert "below_min_share" not in prepare(tmp_path / "met", path, min_share={"zh": 0.2}).stats
    with pytest.raises(DataError, match=r"2 of 10 rows are zh, 20\.0% where min_share asks for 30\.0%") as caught:
        prepare(tmp_path, path, min_share={"zh": 0.3})
    assert caught.value.exit_code == 3
    made = prepare(tmp_path / "fallback", path, min_share={"zh": 0.3}, allow_fallback=True)
    assert made.stats["rows"] == 10
    assert made.stats["below_min_share"].startswith("2 of 10 rows are zh")


def test_rows_are_counted_by_length_bucket(tmp_path: Path) -> None:
    pool = [row("Q?", "x" * n) for n in (40, 400, 4000, 40_000)]
    made = prepare(tmp_path, jsonl(tmp_path / "pool.jsonl", pool), buckets=[50, 500])
    assert made.stats["by_bucket"] == {"0-50": 1, "51-500": 1, "over 500": 2}


# Pairs --------------------------------------------------------------------------------------------------------------


def preference(n: int, rejected: str = "No.") -> dict[str, Any]:
    return {"prompt": f"What is number {n}?", "chosen": story(n), "rejected": rejected}


def test_pairs_have_the_same_account(tmp_path: Path) -> None:
    pool = [
        preference(1),
        preference(1),
        preference(2),
        preference(2, "Never."),
        preference(3, ""),
        preference(4, LONG),
    ]
    test = [{"role": "user", "content": "What is number 2?"}, {"role": "assistant", "content": story(2)}]
    held = jsonl(tmp_path / "held.jsonl", [make_record(test, "s", "en")])
    inputs = {"exclude": {"test": [prepare(tmp_path / "held", held)]}}
    path = jsonl(tmp_path / "pairs.jsonl", pool)
    made = prepare(tmp_path, path, make="pairs", inputs=inputs, max_bad_share=0.5)
    assert made.kind == "pairs"
    kept = list(made.rows("pairs"))
    assert [p["prompt"][0]["content"] for p in kept] == ["What is number 1?", "What is number 4?"]
    assert set(kept[0]) == {"id", "source", "lang", "prompt", "chosen", "rejected", "meta"}
    assert reasons(made)["duplicate"] == 1
    assert reasons(made)["in the test rows"] == 2
    assert len(kept) + len(list(made.rows("dropped"))) == len(pool)


# Dry runs -----------------------------------------------------------------------------------------------------------


def test_a_dry_run_stops_at_a_source_whose_head_does_not_parse(tmp_path: Path) -> None:
    good, bad = jsonl(tmp_path / "good.jsonl", rows(9)), jsonl(tmp_path / "bad.jsonl", [{"colour": "red"}] * 9)
    told = Prepare().estimate(build(Prepare.Config, {"sources": [str(good)], "sample": {"rows": 4}}), {})
    assert told["rows"] == 4
    assert told["tokens"] > 0
    with pytest.raises(DataError, match=r"bad\.jsonl line 1: no known shape: columns colour; 9 of 9 rows"):
        Prepare().estimate(build(Prepare.Config, {"sources": [str(good), str(bad)]}), {})


def test_a_dry_run_cleans_the_head_as_the_run_will(tmp_path: Path) -> None:
    path = tmp_path / "gbk.jsonl"
    path.write_bytes(json.dumps(row("这是什么东西？", "那是一个苹果。"), ensure_ascii=False).encode("gbk"))
    config: dict[str, Any] = {"sources": str(path)}
    with pytest.raises(DataError, match="invalid UTF-8"):
        Prepare().estimate(build(Prepare.Config, config), {})
    assert Prepare().estimate(build(Prepare.Config, {**config, "clean": {"repair": True}}), {})["tokens"] > 0
