"""Where a tuning stands, saved on its way: checkpoints, resuming, going back where it diverges."""
