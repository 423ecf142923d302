"""What a receipt may say, what it costs, and how it is read from files."""
