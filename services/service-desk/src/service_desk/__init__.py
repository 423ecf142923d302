"""The service desk: tickets and their clocks, satisfaction surveys, feedback records and their monthly ledger."""
