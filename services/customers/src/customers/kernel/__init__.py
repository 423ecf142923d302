"""What every area of this service stands on: forms, words and dated rows, and the schema they share."""
