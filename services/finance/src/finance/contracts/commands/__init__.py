"""What people do with contracts: draft, review, sign, amend, end."""
