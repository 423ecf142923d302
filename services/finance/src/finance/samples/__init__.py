"""Samples: who draws what, with whose approval, at what cost."""
