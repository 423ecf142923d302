"""Rules of the service desk, pure: time, numbers, ids and standards come in as arguments."""
