"""The hall: one short file per stage, takes -> makes."""
