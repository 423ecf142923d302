"""Owns sales returns: what may come back, who approved it, what arrived, what becomes of it."""
