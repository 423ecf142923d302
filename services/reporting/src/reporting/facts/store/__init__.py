"""The statements that change facts."""
