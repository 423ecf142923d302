"""Writes the documents that can be derived from code, examples and tests, so that they cannot drift.

Each module has `documents()`, which returns the wanted content by path; `python -m deploy.generate` writes them.
"""
