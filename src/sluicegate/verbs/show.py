"""`sluice show`: one artifact's numbers, files and ancestors."""

from __future__ import annotations

import argparse
from typing import Any

from sluicegate.artifacts import Store
from sluicegate.verbs.base import Verb
from sluicegate.verbs.find import add_out, find

WIDEST = 200


class Show(Verb):
    """Reads nothing but manifests."""

    name = "show"
    help = "an artifact: its numbers, its files, its ancestors"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("artifact", help="its id (of any run), its folder, or a step's name of the run in --out")
        add_out(parser)

    def do(self, args: argparse.Namespace) -> None:
        found = find(args.artifact, args.out)
        m, store = found.manifest, Store(found.path.parent)
        print(f"{found.id}  {m['stage']}  made {m['made']['at']} in {m['made']['seconds']} s\n{found.path}\n\nstats")
        _print_tree(m["stats"])
        print("config")
        _print_tree(m["config"])
        print("files")
        _print_tree({e["path"]: f"{e['bytes']:,} bytes" for e in m["files"]})
        print("ancestors, oldest first")
        ids = store.lineage(found.id)
        _print_tree({i: store.open(i).manifest["stage"] if store.has(i) else "not of this run" for i in ids})


def _print_tree(tree: dict[str, Any], indent: str = "  ") -> None:
    for key, value in tree.items():
        if isinstance(value, dict):
            print(f"{indent}{key}")
            _print_tree(value, indent + "  ")
        else:
            text = str(value)
            print(f"{indent}{key}: {text if len(text) < WIDEST else text[:WIDEST] + '…'}")
