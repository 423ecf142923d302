"""What financial statements are made of: their forms, their flows, their history."""
