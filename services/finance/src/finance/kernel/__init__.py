"""What every area of this service stands on: chart and postings, dated rows, months, forms, and the schema they share."""
