"""Reporting: the page, its Markdown twin and the table on the screen."""
