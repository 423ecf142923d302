"""What finance knows, free of any I/O."""
