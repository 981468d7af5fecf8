"""What `sluice tune` tries, and what it remembers of it; the trials themselves are walks of a recipe."""
