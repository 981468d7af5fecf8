"""Models: load, encode, gate, generate."""
