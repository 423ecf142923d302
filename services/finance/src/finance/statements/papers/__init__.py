"""A statement as its readers get it: on paper and as a sheet, from the frozen content."""
