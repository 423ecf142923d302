"""Take a matter in: the ticket it becomes, and the feedback it is."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from service_desk import feedback, tickets
from shared import audit, outbox
from shared.errors import Invalid
from shared.languages import Text
from shared.transaction import Tx

RECEIVED_NOT_BEFORE = datetime(2004, 1, 1, tzinfo=UTC)
"""The business calendar begins with this year."""


class ReceivedInFuture(Invalid):
    code = "ticket_received_in_future"
    cure = "Correct `received_at`; check the clock of the sender."


class ReceivedTooEarly(Invalid):
    code = "ticket_received_too_early"
    cure = "Correct `received_at`: the calendar begins later."


def open_ticket(tx: Tx, order: Mapping[str, Any]) -> UUID:
    """Take a matter in, start its clocks, record the feedback, escalate a major complaint at once.

    `received_at` may lie before now (a letter recorded the next morning): the clocks run from the intake, so an
    earlier one is never to our advantage. Raises ReceivedInFuture, ReceivedTooEarly, ForeignBranch.
    Source: D3, D4, D7, D9, D17
    """
    tx.actor.require_branch(order["branch_id"])
    received_at = order.get("received_at") or tx.now
    if received_at > tx.now:
        raise ReceivedInFuture(
            "it cannot have been received in the future",
            errors=[{"path": "received_at", "message": "lies in the future"}],
        )
    if received_at < RECEIVED_NOT_BEFORE:
        raise ReceivedTooEarly(
            Text(
                "the calendar begins at {received_not_before:%Y-%m-%d}",
                received_not_before=RECEIVED_NOT_BEFORE,
            ),
            errors=[{"path": "received_at", "message": "lies before the calendar"}],
        )
    received_at = received_at.astimezone(UTC)
    feedback.lock(tx, order["branch_id"], to_add=True)
    ticket, facts = tickets.take_in(tx, order, received_at)
    facts.append(feedback.record(tx, ticket))
    audit.record(tx, "ticket.open", str(ticket.id), after=ticket.audited())
    outbox.append(tx, *facts)
    return ticket.id
