"""A ticket: its states, and the only ways they change."""
