"""Compressed files, read as if they were not."""

from __future__ import annotations

import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

BLOCK_BYTES = 1 << 14
"""Read at once of a .zst file: few, for they may grow a thousandfold."""


class _Zstandard(io.RawIOBase):
    """A .zst file's bytes, frame after frame. The library's own reader takes a file cut short for a whole one."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._frame: Any = None
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """True, as `io.BufferedReader` asks."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as one block of the file goes; 0 at its end."""
        while not self._ready and (block := self._file.read(BLOCK_BYTES)):
            self._ready = memoryview(b"".join(self._decompressed(block)))
        if not self._ready and self._frame:
            raise EOFError("it ends inside a frame")
        n = min(len(buffer), len(self._ready))
        buffer[:n], self._ready = self._ready[:n], self._ready[n:]
        return n

    def _decompressed(self, block: bytes) -> Iterator[bytes]:
        import zstandard

        while block:
            self._frame = self._frame or zstandard.ZstdDecompressor().decompressobj()
            yield self._frame.decompress(block)
            block = self._frame.unused_data
            if self._frame.eof:
                self._frame = None

    def close(self) -> None:
        """Close the file below."""
        self._file.close()
        super().close()


def _zstandard(path: Path) -> BinaryIO:
    return io.BufferedReader(_Zstandard(path))  # type: ignore[return-value]


_OPEN: dict[str, Callable[[Path], Any]] = {".gz": gzip.open, ".zst": _zstandard, ".xz": lzma.open}
ENDINGS = tuple(_OPEN)


def opened(path: Path) -> BinaryIO:
    """The file, decompressed as its ending says while it is read."""
    return _OPEN.get(path.suffix, _plain)(path)


def _plain(path: Path) -> BinaryIO:
    return path.open("rb")


def faults() -> tuple[type[Exception], ...]:
    """What reading a damaged compressed file raises."""
    import zstandard

    return gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, zstandard.ZstdError
