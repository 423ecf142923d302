"""What an event becomes: which rows, of which fields, and how each is read."""
