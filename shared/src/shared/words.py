"""What a pattern wants, in a sentence for who writes the till or keeps the table; one sentence per form.

Beside those that `shared.texts` describes. A test goes over every pattern of every schema; each sentence has its Chinese
form in a catalog.
"""

ACCOUNT = "must be an account of the chart, written like 1002 or 2221.01.01"
BANK_NUMBER = "must be 4 to 40 letters, digits, blanks and -, beginning with a letter or digit"
CAPITAL_CODE = "must be 2 to 32 capital letters, digits and -, beginning with a letter or digit"
DATE_FORMAT = "must name year, month and day, each once, like %d/%m/%Y or %Y%m%d %H%M%S"
DRAWER = "must be 1 to 32 letters, digits, _ and -, beginning with a letter or digit"
NAME = "must be 1 to 40 small letters, digits and _, beginning with a letter"
NAMES = "must be names of small letters, digits and _, separated by commas"
PERSON = "must be at most 64 letters, digits and . _ : @ -"
SHA256 = "must be a SHA-256 digest: 64 digits and small letters from a to f"
TRACE_CODE = "must be 8 to 64 letters and digits, as printed on the package"
WORD = "must be 1 to 40 small letters and _"
