"""What the summary of a bake-off says: a page with pictures, Markdown, two CSV files and a table for the screen."""

from sluicegate.reporting.bake_off.in_csv import csv_tables
from sluicegate.reporting.bake_off.in_html import page
from sluicegate.reporting.bake_off.in_markdown import markdown
from sluicegate.reporting.bake_off.on_screen import console_table

__all__ = ["console_table", "csv_tables", "markdown", "page"]
