"""Arms question by question, on what all of them were asked: a section of the page, Markdown and CSV files."""

from sluicegate.reporting.pairwise.comparison import Comparison, compare
from sluicegate.reporting.pairwise.in_csv import csv_tables
from sluicegate.reporting.pairwise.in_markdown import markdown
from sluicegate.reporting.pairwise.pair import Methods
from sluicegate.reporting.pairwise.side import Side

__all__ = ["Comparison", "Methods", "Side", "compare", "csv_tables", "markdown"]
