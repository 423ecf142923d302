"""What goods cost: purchase prices, moving average cost of each lot, variance, margin, alerts."""
