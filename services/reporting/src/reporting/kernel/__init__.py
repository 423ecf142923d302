"""What every area of this service stands on: scopes, months, canonical JSON, languages, the schema they share."""
