"""A refund that finance has paid ends a notice."""

from collections.abc import Sequence

import msgspec

from returns.notices import commands
from returns.notices.model import RefundPaid
from shared.consumer import in_sets
from shared.events import Envelope
from shared.transaction import Tx

REFUND_PAID = "finance.refund.paid.v1"


def on_refunds_paid(tx: Tx, envelopes: Sequence[Envelope]) -> None:
    """Archive the notices with their refunds' ids; of a void there is none."""
    paid = [msgspec.convert(each.data, RefundPaid) for each in envelopes]
    commands.archive_refunded(tx, [each for each in paid if each.kind == "return"])


handle = in_sets({REFUND_PAID: on_refunds_paid})
"""All of a batch at once, in as many statements as one refund takes."""
