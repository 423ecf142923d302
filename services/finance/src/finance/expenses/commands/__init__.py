"""What may be asked of expenses, one module per noun."""
