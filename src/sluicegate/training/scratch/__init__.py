"""Training from scratch: one loop that shows every step, its data, its optimizer."""
