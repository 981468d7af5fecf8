"""`sluice review`: the replies a person should look at, as a sheet to fill in."""

from __future__ import annotations

import argparse
from pathlib import Path

from sluicegate.verbs.base import Verb
from sluicegate.verbs.find import add_out, find


class Review(Verb):
    """A CSV file that `sluice regrade` takes back, its column `verdict` filled in."""

    name = "review"
    help = "the graded replies that are in doubt, as a CSV sheet to fill in for `sluice regrade`"

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("evaluation", help="a step, id or folder")
        parser.add_argument("sheet", type=Path, help="the CSV file to write")
        add_out(parser)

    def do(self, args: argparse.Namespace) -> None:
        from sluicegate.evaluation.review import write_sheet
        from sluicegate.stages.regrade import kept_predictions

        evaluation = find(args.evaluation, args.out)
        doubts = write_sheet(args.sheet, kept_predictions(evaluation))
        for why, n in doubts.items():
            print(f"{n:6,}  {why}")
        print(f"{args.sheet}  write right or wrong into the column verdict, then:")
        print(f"sluice regrade evaluation={evaluation.id} review={args.sheet}")
