"""What people do with claims: draft and submit them, decide on them, pay them."""
