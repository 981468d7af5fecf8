"""How rows go through a model: side by side or end to end, and which tokens reach the head."""
