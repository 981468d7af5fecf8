"""How the processes of a tuning share its work and its model."""
