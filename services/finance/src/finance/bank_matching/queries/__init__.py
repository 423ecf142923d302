"""What is open between bank and books, and what a month's reconciliation says."""
