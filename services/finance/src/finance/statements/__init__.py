"""Statements of every kind and span: prepared, reviewed, signed by three, published, proved, and put right."""
