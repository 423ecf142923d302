"""The bookkeepers' own work: manual vouchers, reversals, re-opening, the year's end, and the ledger as files."""
