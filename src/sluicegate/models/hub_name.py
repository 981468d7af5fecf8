"""What a model folder is called where others can get it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class HubName:
    """A repository of the hub at one of its commits."""

    name: str
    """`OWNER/MODEL`, or `MODEL` alone for the oldest ones."""
    revision: str


def hub_name(folder: Path) -> HubName | None:
    """The repository a folder of the hub's cache is a snapshot of; None for any other folder."""
    found = re.search(r"/models--([^/]+)/snapshots/([^/]+)/?$", folder.as_posix())
    return HubName(found[1].replace("--", "/"), found[2]) if found else None
