"""What every area of this service stands on: words, forms, roles, and the schema they share."""
