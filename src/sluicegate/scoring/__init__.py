"""Signals: what one forward pass of a frozen model says about a sample, one file per signal."""
