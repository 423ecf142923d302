"""What may be wrong with an account or a statement of it. Source: F3, F16"""

import unicodedata

from shared.errors import Conflict, Invalid, NotFound


class AccountNotFound(NotFound):
    code = "bank_account_not_found"
    cure = "Look it up in the list of bank accounts."


class AccountKnown(Conflict):
    """An account of this number is registered."""

    code = "bank_account_known"
    cure = "Use the account that is registered."


class AccountDiffers(Invalid):
    """The statement names another account."""

    code = "bank_account_differs"
    cure = "Upload the file to the account whose number it names."


class AccountClosed(Conflict):
    """The account is closed, or the statement has lines after its last day."""

    code = "bank_account_closed"
    cure = "Use the account that took its place."


class AccountInUse(Conflict):
    """Money, open lines or the books still need the account."""

    code = "bank_account_in_use"
    cure = "Match every line, bring the balance to zero, and close the account on a day that is over."


class StatementUnbalanced(Invalid):
    """Opening balance and lines do not make the closing balance."""

    code = "bank_statement_unbalanced"
    cure = "Ask the bank for the whole file: lines are missing or balances are wrong."


class StatementDaysWrong(Invalid):
    """A line lies outside the statement's days, or the days in the future."""

    code = "bank_statement_days_wrong"
    cure = "Ask the bank for a statement of whole days that are over, and check `from` and `until`."


class StatementGap(Conflict):
    """The opening balance is not what earlier statements leave."""

    code = "bank_statement_gap"
    cure = "Upload the statement of the days between first."


class StatementContradicts(Conflict):
    """A line that an earlier statement had for these days is missing."""

    code = "bank_statement_contradicts"
    cure = "Ask the bank which of the two statements is right; undo nothing before."


NUMBER_SIGNS_MIN = 4


def number_key(number: str) -> str:
    """What makes two spellings one account: without blanks, dashes and dots, full-width forms and case made one."""
    return "".join(
        each for each in unicodedata.normalize("NFKC", number) if each.isascii() and each.isalnum()
    ).upper()


def number_keys(told: str) -> list[str]:
    """What a file may mean by an account, best first: as told, without the bank before a slash, without the currency after it."""
    found = []
    told = unicodedata.normalize("NFKC", told)
    for each in (told, told.rpartition("/")[2]):
        key = number_key(each)
        found += [key, *(key.removesuffix(unit) for unit in ("CNY", "RMB") if key.endswith(unit))]
    return [each for each in dict.fromkeys(found) if len(each) >= NUMBER_SIGNS_MIN]


def is_one(number: str, other: str) -> bool:
    """Whether two numbers may be spellings of one account: a bank or a currency that only one of them names says nothing.

    Two that name different banks, or different currencies, are two.
    """
    number, other = (unicodedata.normalize("NFKC", each) for each in (number, other))
    if "/" in number and "/" in other:
        number, other = number.replace("/", ""), other.replace("/", "")
    return not set(number_keys(number)).isdisjoint(number_keys(other))
