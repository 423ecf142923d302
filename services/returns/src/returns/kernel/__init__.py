"""What every area of this service stands on: words, forms, dated rows, roles, and the schema they share."""
