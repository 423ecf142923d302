"""The mechanism every service stands on: transactions, events, identity, web, audit. It knows no business noun."""
