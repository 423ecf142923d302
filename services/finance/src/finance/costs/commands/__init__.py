"""What may be asked of costs, one module per noun."""
