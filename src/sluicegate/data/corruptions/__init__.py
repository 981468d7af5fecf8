"""Ways to damage a response, one per file; `data.corrupt` says what all of them are."""
