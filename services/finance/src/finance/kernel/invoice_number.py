"""Numbers of invoices that we receive, as they are compared: one invoice is one, however its number is typed.

A digital invoice (数电票) has 20 digits; a paper one has a code of 10 or 12 and, within it, a number of 8. With its code
either stands for one invoice in the whole country; the 8 digits alone stand for many.
Source: F19; 国家税务总局公告2024年第11号 [M]
"""

NUMBER_DIGITS = 8


WITH_CODE_DIGITS = 18


def key(invoice_no: str) -> str:
    """The number without zeros in front, which people write or leave out as they please."""
    return invoice_no.lstrip("0") or "0"


def lacks_code(invoice_no: str) -> bool:
    """Whether these are the 8 digits of a paper invoice alone: its code would make it another spelling of itself."""
    return invoice_no.isdigit() and len(key(invoice_no)) <= NUMBER_DIGITS


def is_nationwide(invoice_no: str) -> bool:
    """Whether the number stands for one invoice, whoever issued it."""
    return invoice_no.isdigit() and len(invoice_no) >= WITH_CODE_DIGITS
