"""What is in force, and the lowest prices that follow."""
