"""Finance: sales, journal, periods, refunds and statements of the chain."""
