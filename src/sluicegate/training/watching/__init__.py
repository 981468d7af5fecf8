"""What is measured and told of a tuning on its way."""
