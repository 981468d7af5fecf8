"""Training: pretrain, fine-tune, warm a gate up. The only room that imports trl."""
