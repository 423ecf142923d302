"""One lot of a product has one expiry: what was first told holds until quality assurance decides (ADR-0043)."""
