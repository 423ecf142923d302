"""What a customer owes and has ordered, held against the limit that customers granted."""
