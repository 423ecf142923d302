"""Cash of the branches: drawers and safe, blind counts, variances that are always posted and then resolved.

Source: F3, F4, F21
"""
