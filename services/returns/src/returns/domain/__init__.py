"""The rules of returns, pure: no I/O, no clock; each file holds one noun."""
