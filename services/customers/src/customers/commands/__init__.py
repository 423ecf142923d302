"""What others may ask of the customer master.

Every function runs inside the caller's transaction: it locks, lets the domain decide, stores, and records the
event and the audit row. It never commits and never publishes.
"""
