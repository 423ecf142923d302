"""The rules of the customer master: pure, told everything they need."""
