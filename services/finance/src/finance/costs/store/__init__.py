"""The rows of costs, one module per noun."""
