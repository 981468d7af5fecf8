"""Training: pretrain, fine-tune, warm a gate up."""
