"""Evaluation: ask, grade, compare."""
