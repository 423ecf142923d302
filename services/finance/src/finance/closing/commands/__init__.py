"""How a month is closed, and locked."""
