"""What a product is, and how files tell it."""
