"""Bank accounts: statements as the bank gave them, matching with the books, and the monthly reconciliation.

Source: F3, F16, F21
"""
