"""Files of banks, read: what a file is, how each make of it is read, and who settles by the words of a line."""
