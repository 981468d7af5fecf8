"""A set in the cache of `datasets`, laid out as a download from the hub leaves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

COMMIT = "e53f048856ff4f594e959d75785d2c2d37b678ee"


def cache_set(datasets_cache: Path, rows: list[Any], config: str = "main", commit: str = COMMIT) -> None:
    """Put `rows` there as the split `train` of nobody/sums."""
    from datasets import Dataset, DatasetInfo
    from datasets.arrow_writer import ArrowWriter
    from datasets.splits import SplitDict, SplitInfo

    folder = datasets_cache / "nobody___sums" / config / "0.0.0" / commit
    folder.mkdir(parents=True)
    features = Dataset.from_list(rows or [{"question": "", "answer": ""}]).features
    with ArrowWriter(path=str(folder / "sums-train.arrow"), features=features) as writer:
        for row in rows:
            writer.write(row)
        n_rows, n_bytes = writer.finalize()
    splits = SplitDict({"train": SplitInfo("train", n_bytes, n_rows, dataset_name="sums")})
    info = DatasetInfo(builder_name="parquet", dataset_name="sums", config_name=config, version="0.0.0")
    info.features, info.splits = features, splits
    info.write_to_directory(str(folder))
