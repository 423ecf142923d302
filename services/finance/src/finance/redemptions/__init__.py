"""What finance knows of redeemed points: for which receipt, which sale used them, and what refunds gave back."""
