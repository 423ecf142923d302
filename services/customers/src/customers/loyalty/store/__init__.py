"""The statements that change points: what was earned and refunded, and what is redeemed."""
