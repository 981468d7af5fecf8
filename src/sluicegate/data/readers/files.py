"""Which format a file has, which files a path stands for, and what can be wrong with a whole file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from sluicegate.data.readers import arrow, csv_table, json_lines, json_list, parquet
from sluicegate.data.readers.chunk import Broken, Chunk
from sluicegate.data.readers.compression import ENDINGS, faults, opened
from sluicegate.data.readers.row import Row
from sluicegate.errors import DataError
from sluicegate.registry import did_you_mean

_FORMATS: dict[str, Callable[[BinaryIO], Iterator[Chunk]]] = {
    ".jsonl": json_lines.cut,
    ".json": json_list.cut,
    ".csv": csv_table.cut,
    ".parquet": parquet.cut,
    ".arrow": arrow.cut,
}
_PACKED = (".parquet", ".arrow")
"""Compressed inside, where they are."""
_WILD = "*?["
_BESIDE = ("dataset_info.json", "dataset_dict.json", "state.json")
"""What `datasets` writes beside its rows."""


def read(path: Path) -> Iterator[Row]:
    """Every row of a file, a few hundred in memory at a time; a row that cannot be read comes with its reason.

    Raises:
        DataError: no such file, a folder, an unknown ending, no rows at all, or a file broken past reading on.
    """
    return (row for chunk in chunks(path) for row in chunk.rows())


def chunks(path: Path) -> Iterator[Chunk]:
    """A file, cut into chunks; raises what `read` raises, for no chunk is broken that could be cut."""
    check(path)
    last = 0
    try:
        with opened(path) as file:
            for chunk in _format(path)(file):
                last = chunk.first + chunk.n_rows - 1
                yield chunk
    except faults() as err:
        raise DataError(f"{path} is not whole after line {last}: {err}", "download or compress it again") from None
    except Broken as err:
        raise DataError(f"{path} {err.place}: {err.what}", err.hint) from None
    if not last:
        raise DataError(f"{path} has no rows", "an empty file is most often a download or an export that failed")


def files(path: Path) -> list[Path]:
    """The files a path stands for, in the order of their names: itself, those of a folder, or those a glob finds.

    Raises:
        DataError: there is none that can be read.
    """
    if path.is_dir():
        return _some(sorted(p for p in path.iterdir() if _readable(p)), path)
    if not path.exists() and any(sign in str(path) for sign in _WILD):
        found = Path(path.anchor).glob(str(path.relative_to(path.anchor)))
        return _some(sorted(p for p in found if _readable(p)), path)
    check(path)
    return [path]


def _some(found: list[Path], path: Path) -> list[Path]:
    if not found:
        hint = f"known endings: {_known()}; for folders in a folder write {path}/*/*" if path.is_dir() else ""
        raise DataError(f"{path} holds no file that can be read", hint or "try the pattern with: ls")
    return found


def _readable(path: Path) -> bool:
    return path.is_file() and _suffix(path) in _FORMATS and not path.name.startswith(".") and path.name not in _BESIDE


def check(path: Path) -> None:
    """Raise `DataError` unless `path` is a file that may be read, with an ending that is known."""
    if path.is_dir():
        raise DataError(f"{path} is a folder, where a file is needed", f"known endings: {_known()}")
    if not path.is_file():
        siblings = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        raise DataError(f"no file {path}", did_you_mean(path.name, siblings) or "paths start at the working directory")
    _format(path)
    try:
        path.open("rb").close()
    except PermissionError:
        raise DataError(f"{path} may not be read", "ask its owner, or copy it to a place of your own") from None


def stem(path: Path) -> str:
    """What a path's rows are named after: `gsm8k` of `gsm8k.jsonl.gz`, and the folder of `gsm8k/*.parquet`."""
    while any(sign in path.name for sign in _WILD) and not path.exists():
        path = path.parent
    return _bare(path).removesuffix(_suffix(path)) if path.is_file() or _suffix(path) in _FORMATS else path.name


def _bare(path: Path) -> str:
    return path.name.removesuffix(path.suffix) if path.suffix in ENDINGS else path.name


def _suffix(path: Path) -> str:
    return Path(_bare(path)).suffix


def _known() -> str:
    return f"{', '.join(_FORMATS)}; all but {' and '.join(_PACKED)} also with {', '.join(ENDINGS)}"


def _format(path: Path) -> Callable[[BinaryIO], Iterator[Chunk]]:
    suffix = _suffix(path)
    if suffix not in _FORMATS or (suffix in _PACKED and path.suffix in ENDINGS):
        raise DataError(f"{path} has an unknown ending", f"known: {_known()}")
    return _FORMATS[suffix]
