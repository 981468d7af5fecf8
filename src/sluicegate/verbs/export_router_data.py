"""`sluice export-router-data`: what gates said of every token, for code that reads the classic dictionary."""

from __future__ import annotations

import argparse
from pathlib import Path

from sluicegate.verbs.base import Verb
from sluicegate.verbs.find import add_out, find


class ExportRouterData(Verb):
    """A safetensors file and a JSON file per source."""

    name = "export-router-data"
    help = "token scores as quality_gates and perplexities, padded: safetensors and JSON"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("scores", help="a step, id or folder of scores made with detail=tokens")
        parser.add_argument("folder", type=Path, help="where to write them")
        add_out(parser)

    def do(self, args: argparse.Namespace) -> None:
        from sluicegate.scoring.router_data import export_router_data

        for name, facts in export_router_data(find(args.scores, args.out), args.folder).items():
            sizes = f"{facts['num_samples']:,} × {facts['num_layers']} layers × {facts['max_seq_len']:,} tokens"
            print(f"{args.folder / name}  {sizes}")
