"""Warming gates up: what they learn from, how they are fitted and examined."""
