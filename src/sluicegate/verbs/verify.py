"""`sluice verify`: whether artifacts are as they were made."""

from __future__ import annotations

import argparse

from sluicegate.artifacts import Store
from sluicegate.errors import ArtifactError, CheckFailed
from sluicegate.verbs.base import Verb
from sluicegate.verbs.find import add_out, find, newest, other_runs


class Verify(Verb):
    """Reads every byte; a line per artifact, and all are looked at before the verdict."""

    name = "verify"
    help = "check that no file of an artifact was changed after it was made"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("artifact", nargs="*", help="ids, folders or steps; all of --out when left out")
        add_out(parser)

    def do(self, args: argparse.Namespace) -> None:
        store = Store((args.out or newest()) / "artifacts")
        asked = [find(name, args.out) for name in args.artifact] or [store.open(i) for i in store.ids()]
        if not asked:
            raise ArtifactError(f"no artifacts in {store.root}", other_runs())
        broken = []
        for artifact in asked:
            try:
                artifact.verify()
                print(f"{artifact.id}  whole")
            except ArtifactError as err:
                print(f"{artifact.id}  broken: {err.message}")
                broken.append(err)
        if broken:
            raise CheckFailed(f"{len(broken)} of {len(asked)} artifacts are not as they were made", broken[0].hint)
