"""The mechanism every service stands on: transactions, events, identity, web, audit. It knows no business noun."""

__version__ = "0.1.0"
