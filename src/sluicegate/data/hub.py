"""Sets of the Hugging Face hub by name, or from the cache of `datasets`, pinned by their commit.

`datasets` reads its environment itself: HF_ENDPOINT names a mirror, HF_HUB_OFFLINE=1 keeps to the cache, HF_HOME says
where that is. Nothing here sets any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import field_validator

from sluicegate.config import Config, runtime
from sluicegate.data.readers import Chunk, arrow
from sluicegate.data.readers.chunk import CHUNK_ROWS
from sluicegate.errors import ConfigError, DataError, MissingError

if TYPE_CHECKING:
    import pyarrow as pa

_COMMIT = re.compile(r"[0-9a-f]{40}")


class HubSet(Config):
    """One split of a set of the hub."""

    hub: str | None = None
    """A set of the Hugging Face hub, by its name: openai/gsm8k. HF_ENDPOINT and HF_HUB_OFFLINE are respected."""
    config: str | None = None
    """hub: which configuration of the set, where it has several."""
    split: str = "train"
    """hub: which part of the set; `train[:1000]` its first rows."""
    revision: str | None = None
    """hub: a commit, tag or branch; the newest commit if empty. The commit it stands for is pinned."""
    data_files: list[str] = []
    """hub: only these files of the set, or those that fit these patterns."""
    streaming: bool = runtime(False)
    """hub: read rows while they are fetched, and keep nothing in the cache."""

    @field_validator("data_files", mode="before")
    @classmethod
    def _as_list(cls, given: Any) -> Any:
        return [given] if isinstance(given, str) else given

    @property
    def place(self) -> str:
        """What is read of it, for people: openai/gsm8k (main, train)."""
        return f"{self.hub} ({', '.join(filter(None, [self.config, self.split, self.revision, *self.data_files]))})"

    def commit(self) -> str:
        """The commit its rows are of; of files on this machine a hash of what they are. Asked once in a process.

        Raises:
            MissingError: the set, or the commit that was asked for, is neither in the cache nor within reach.
            ConfigError: it has no such configuration, or several and none was named.
        """
        with self._told():
            found = str(self._builder().hash)
        if _COMMIT.fullmatch(self.revision or "") and found != self.revision:
            raise self._missing(f"the cache holds commit {found[:12]}, and not {self.revision}")
        return found

    def chunks(self) -> Iterator[Chunk]:
        """Its rows at that commit, some hundred at a time, placed by their number; raises what `commit` raises.

        Raises:
            DataError: it has no rows.
        """
        from datasets import load_dataset

        commit = self.commit()
        which = {"revision": commit if _COMMIT.fullmatch(commit) else None, "data_files": self.data_files or None}
        last = 0
        with self._told():
            rows: Any = load_dataset(self.hub, self.config, split=self.split, streaming=self.streaming, **which)
            for chunk in arrow.chunks(_batches(rows.with_format("arrow").iter(CHUNK_ROWS))):
                last = chunk.first
                yield chunk
        if not last:
            raise DataError(f"{self.place} has no rows", "name another split")

    def n_rows(self) -> int:
        """How many rows it has: what its page says, or else they are counted."""
        with self._told():
            splits = self._builder().info.splits or {}
        if self.split in splits:
            return splits[self.split].num_examples
        return sum(chunk.n_rows for chunk in self.chunks())

    def _builder(self) -> Any:
        return _builder(str(self.hub), self.config, self.revision, tuple(self.data_files))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What keeps `datasets` from reading the set, in our terms."""
        try:
            yield
        except ValueError as err:
            if "find cache" in (what := str(err)):
                raise self._missing(what.splitlines()[0]) from None
            raise ConfigError(f"{self.hub}: {what.splitlines()[0]}", "look at its page on the hub") from None
        except OSError as err:  # no network, no such set, no right to read it
            raise self._missing(str(err).splitlines()[0]) from None

    def _missing(self, what: str) -> MissingError:
        how = self._by_file() if self.data_files else self._into_cache()
        return MissingError(f"{self.hub} cannot be read: {what}", f"fetch it where there is a network: {how}")

    def _into_cache(self) -> str:
        told = {"name": self.config, "split": self.split, "revision": self.revision}
        call = ", ".join([repr(self.hub), *(f"{name}={value!r}" for name, value in told.items() if value)])
        command = f'python -c "from datasets import load_dataset; load_dataset({call})"'
        return f"{command}; HF_ENDPOINT names a mirror, and `path` files of your own"

    def _by_file(self) -> str:
        """Without a network `datasets` does not find in its cache again what was fetched by `data_files`."""
        folder = str(self.hub).rpartition("/")[2]
        named = "".join(f" --include '{pattern}'" for pattern in self.data_files)
        revision = f" --revision {self.revision}" if self.revision else ""
        command = f"hf download {self.hub} --type dataset{revision}{named} --local-dir {folder}"
        return f"{command}; and name it as `path: {folder}/{self.data_files[0]}`"


@cache
def _builder(hub: str, config: str | None, revision: str | None, data_files: tuple[str, ...]) -> Any:
    """What `datasets` knows of a set before it reads it."""
    from datasets import load_dataset_builder

    # An empty list of files would be taken for files.
    return load_dataset_builder(hub, config, revision=revision, data_files=list(data_files) or None)


def _batches(tables: Iterator[pa.Table]) -> Iterator[pa.RecordBatch]:
    for table in tables:
        yield from table.to_batches()
