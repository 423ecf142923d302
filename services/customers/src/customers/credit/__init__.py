"""How much an institution may owe us: proposals, approvals, holds, and the archive of all of them."""
