"""Take rows of the registers, and give posts."""
