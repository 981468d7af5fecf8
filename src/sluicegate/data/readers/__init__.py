"""Raw files in, rows out, streamed with their places: JSONL, JSON, CSV, Parquet and Arrow. One file per format.

A format *cuts* a file into chunks, which is cheap, and a chunk is *parsed* into rows, which is not: so the chunks of
one file can be parsed by many processes. `files` says which format a file has and what it is compressed with.
"""

from sluicegate.data.readers.chunk import Chunk
from sluicegate.data.readers.files import check, chunks, files, read, stem
from sluicegate.data.readers.row import HEAD_CHARS, Row

__all__ = ["HEAD_CHARS", "Chunk", "Row", "check", "chunks", "files", "read", "stem"]
