"""Rules: score columns in, a decision per record out. NumPy only; no model, no torch."""
