"""What the ledger holds, as files: PostgreSQL writes them, and nothing holds a month in memory."""
