"""What is done with refunds: the steps of one that is owed, and the void of a receipt."""
