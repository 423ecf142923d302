"""What customers owe, as it is read."""
