"""Data: raw rows of any known shape in, accounted-for records out."""
