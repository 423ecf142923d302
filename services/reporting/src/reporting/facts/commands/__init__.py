"""What an operator does with all facts at once."""
