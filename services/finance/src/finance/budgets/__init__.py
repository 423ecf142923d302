"""What the house means to spend, and the one place where whatever is posted draws on it."""
