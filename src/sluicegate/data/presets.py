"""Published sets by a short name: where they are, how they are laid out, and under which terms they may be used.

Ids, splits and licences are those of the sets' own pages on the hub; where a page states no licence, this says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sluicegate.errors import UnknownName
from sluicegate.registry import did_you_mean


@dataclass(frozen=True)
class Preset:
    """What a source is when only its name is given."""

    hub: str
    shape: str
    licence: str
    config: str | None = None
    split: str = "train"
    revision: str | None = None
    data_files: list[str] = field(default_factory=list)
    warning: str = ""
    """What whoever uses the rows should know."""


NOT_STATED = "not stated"

PRESETS = {
    "openhermes": Preset(
        "teknium/OpenHermes-2.5",
        "sharegpt",
        NOT_STATED,
        warning="a compilation of many sets, most of it written by GPT-4: the terms of each of them apply",
    ),
    # ODC-BY since 2024-06-26; conversations that moderation flagged were taken out on 2024-07-22.
    "wildchat": Preset(
        "allenai/WildChat-1M", "conversation", "odc-by", warning="real users' words: mask what is personal"
    ),
    "oasst1": Preset("OpenAssistant/oasst1", "oasst_flat", "apache-2.0"),
    # Later commits hold a loading script, which `datasets` no longer runs; this is the last one that holds none.
    # Its files have different columns: name another one of them in `data_files`.
    "coig": Preset(
        "BAAI/COIG",
        "coig_exam",
        "apache-2.0",
        revision="f495a33cd95e45baa3bcc2ff6819951e8ded232f",
        data_files=["exam_instructions.jsonl"],
        warning="its exams alone; name another of its files, with its shape, for the rest",
    ),
    "coig_pc_core": Preset(
        "BAAI/COIG-PC-core",
        "coig_pc_core",
        "other",
        warning="collected from many sets: the terms of each of them apply",
    ),
    "shp": Preset(
        "stanfordnlp/SHP",
        "shp",
        NOT_STATED,
        warning="posts of Reddit: research only, unless its terms allow you more",
    ),
    "ultrafeedback": Preset("HuggingFaceH4/ultrafeedback_binarized", "ultrafeedback", "mit", split="train_prefs"),
    "hh_rlhf": Preset(
        "Anthropic/hh-rlhf", "hh_rlhf", "mit", warning="holds offensive words, which it is there to rate"
    ),
    "pku_saferlhf": Preset(
        "PKU-Alignment/PKU-SafeRLHF",
        "pku_saferlhf",
        "cc-by-nc-4.0",
        warning="not for commercial use; holds harmful words, which it is there to rate",
    ),
    "gsm8k": Preset("openai/gsm8k", "gsm8k", "mit", config="main"),
    # One configuration per subject: all of them are read by their files.
    "math": Preset("EleutherAI/hendrycks_math", "math", "mit", data_files=["*/train-*.parquet"]),
    # No licence was found for it; the sets that LESS (arXiv 2402.04333) drew on have terms of their own.
    "less": Preset(
        "princeton-nlp/less_data",
        "less",
        NOT_STATED,
        warning="dolly, cot, flan_v2 and oasst1: the terms of each of them apply",
    ),
}


def preset_keys(given: dict[str, Any]) -> dict[str, Any]:
    """What the preset that a source names says of it; a `path` beside the name takes the place of the hub.

    Raises:
        UnknownName: there is no such preset.
    """
    name = str(given["preset"])
    if name not in PRESETS:
        near = did_you_mean(name, PRESETS)
        raise UnknownName(f"no preset named '{name}'", near or f"known: {', '.join(PRESETS)}", name)
    keys = {key: value for key, value in vars(PRESETS[name]).items() if value}
    if given.get("path"):
        keys = {key: keys[key] for key in ("shape", "licence", "warning") if key in keys}
    return keys
