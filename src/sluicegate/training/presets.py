"""Settings that were published, or that earlier scripts ran with, for those who want to begin where others were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Preset: TypeAlias = Literal["less", "rtx4090", "rtx5090"]

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # LESS, arXiv 2402.04333
    "less": {
        "method": "lora",
        "lora": {"rank": 128, "alpha": 512, "dropout": 0.1, "targets": "attention"},
        "learning_rate": 2e-5,
        "schedule": "linear",
        "warmup_share": 0.03,
        "epochs": 4.0,
        "total_batch": 128,
        "max_length": 2048,
    },
    # A model of 7 billion parameters on one card of 24 GB
    "rtx4090": {
        "method": "lora",
        "lora": {"rank": 16},
        "dtype": "bfloat16",
        "total_batch": 32,
        "device_batch_size": 2,
    },
    # The same on one of 32 GB
    "rtx5090": {
        "method": "lora",
        "lora": {"rank": 32},
        "dtype": "bfloat16",
        "total_batch": 32,
        "device_batch_size": 2,
    },
}


def filled(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a user told, over the preset that it names; of `lora` field by field."""
    preset = PRESETS.get(str(told.get("preset")), {})
    both = {**preset, **told}
    lora = told.get("lora", {})
    if "lora" in preset and isinstance(lora, Mapping):
        both["lora"] = {**preset["lora"], **lora}
    return both
