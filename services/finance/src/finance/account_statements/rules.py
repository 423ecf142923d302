"""What may be wrong with a statement of account."""

from shared.errors import NotFound


class CustomerStatementUnknown(NotFound):
    code = "customer_statement_unknown"
    cure = "Look it up in the list of statements of account."
