"""Cleaning: one step per file. A step mends a row or says why it is set aside; `base` says what a step is."""
