from __future__ import annotations

import gzip
import io
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from raw_files import ON_DISK, values, write
from sluicegate.data.readers import compression
from sluicegate.errors import DataError

ROWS = [{"a": n, "b": "中文"} for n in range(3000)]
PLAIN = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
    ".xz": lzma.compress,
}


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("name", ["x.jsonl", "x.json", "x.csv"])
def test_rows_are_those_of_the_plain_file(tmp_path: Path, name: str, ending: str) -> None:
    plain = {
        "x.jsonl": PLAIN,
        "x.json": json.dumps(ROWS).encode(),
        "x.csv": b"a,b\n" + "".join(f"{row['a']},{row['b']}\n" for row in ROWS).encode(),
    }[name]
    expected = values(write(tmp_path / name, plain))
    assert len(expected) == 3000
    assert values(write(tmp_path / (name + ending), COMPRESS[ending](plain))) == expected


@pytest.mark.parametrize("ending", COMPRESS)
def test_parts_one_behind_the_other_are_one_file(tmp_path: Path, ending: str) -> None:
    half = PLAIN.index(b"\n", len(PLAIN) // 2) + 1
    parts = COMPRESS[ending](PLAIN[:half]) + COMPRESS[ending](PLAIN[half:])
    assert values(write(tmp_path / f"x.jsonl{ending}", parts)) == ROWS


@pytest.mark.parametrize("ending", COMPRESS)
@pytest.mark.parametrize("left", [5, -12])
def test_a_file_cut_short_is_told(tmp_path: Path, ending: str, left: int) -> None:
    with pytest.raises(DataError, match=rf"x\.jsonl{ending} is not whole after line \d+") as caught:
        values(write(tmp_path / f"x.jsonl{ending}", COMPRESS[ending](PLAIN)[:left]))
    assert "again" in caught.value.hint


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_file_that_is_not_compressed_is_told(tmp_path: Path, ending: str) -> None:
    with pytest.raises(DataError, match="is not whole after line 0"):
        values(write(tmp_path / f"x.jsonl{ending}", PLAIN))


@ON_DISK
@given(parts=st.lists(st.binary(max_size=300), min_size=1, max_size=3), block=st.integers(1, 40))
def test_zst_gives_back_any_bytes_block_by_block(tmp_path: Path, parts: list[bytes], block: int) -> None:
    path = write(tmp_path / "x.zst", b"".join(map(COMPRESS[".zst"], parts)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compression, "BLOCK_BYTES", block)
        with compression.opened(path) as file:
            assert io.BufferedReader(file.raw).read() == b"".join(parts)  # type: ignore[attr-defined]
