from __future__ import annotations

from pathlib import Path

import pytest

from sluicegate.config import build
from sluicegate.data.presets import PRESETS
from sluicegate.data.sources import Source
from sluicegate.errors import ConfigError
from sluicegate.registry import SHAPES

ASKED_FOR = "openhermes wildchat oasst1 coig coig_pc_core shp ultrafeedback hh_rlhf pku_saferlhf gsm8k math less"


def test_the_published_sets_are_there() -> None:
    assert list(PRESETS) == ASKED_FOR.split()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_whole_source(name: str) -> None:
    preset, source = PRESETS[name], build(Source, {"preset": name})
    assert (source.hub, source.config, source.split) == (preset.hub, preset.config, preset.split)
    assert (source.revision, source.data_files) == (preset.revision, preset.data_files)
    assert (source.shape, source.title) == (preset.shape, name)
    assert preset.shape in SHAPES.names()
    assert preset.hub.count("/") == 1
    assert source.licence == preset.licence
    assert source.warning == preset.warning


@pytest.mark.parametrize(
    "name", [n for n, p in PRESETS.items() if p.licence in ("not stated", "other", "cc-by-nc-4.0")]
)
def test_where_the_terms_are_narrow_or_not_known_there_is_a_warning(name: str) -> None:
    assert PRESETS[name].warning


def test_what_is_said_beside_the_name_wins(tmp_path: Path) -> None:
    source = build(Source, {"preset": "gsm8k", "split": "test", "revision": "v1", "options": {"marks": "drop"}})
    assert (source.hub, source.split, source.revision) == ("openai/gsm8k", "test", "v1")
    assert source.options.marks == "drop"


def test_a_mirror_on_this_machine_takes_the_place_of_the_hub(tmp_path: Path) -> None:
    source = build(Source, {"preset": "coig", "path": str(tmp_path / "exam.jsonl")})
    assert (source.hub, source.revision, source.data_files) == (None, None, [])
    assert (source.shape, source.title, source.licence) == ("coig_exam", "coig", "apache-2.0")


def test_a_preset_that_is_not_there_gets_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="no preset named 'gsm8'") as caught:
        build(Source, {"preset": "gsm8"})
    assert caught.value.hint == "did you mean 'gsm8k'?"
