"""Grading: which answer a reply states, and whether it is the gold one."""

from sluicegate.evaluation.grading.grader import Grade, Grader

__all__ = ["Grade", "Grader"]
