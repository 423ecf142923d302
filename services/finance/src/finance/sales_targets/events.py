"""What is told of sales targets.

Source: F7 (M45)
"""

from collections.abc import Mapping
from datetime import date
from typing import Final, TypedDict
from uuid import UUID

from finance.kernel.period import month_text
from finance.sales_targets.model import Target
from shared.events import Event
from shared.texts import Branch, Fen, Id, Label, Month, Name, Version

SALES_TARGET_SET = "finance.sales_target.set.v1"


class SalesTargetSet(TypedDict):
    """What is to be sold in a month, net of tax: by a branch, or by one person or channel of it.

    `staff_id` is who is meant, as tokens name people. The one with the highest `target_version` holds.
    """

    target_id: Id
    target_version: Version
    branch_id: Branch
    staff_id: Label | None
    channel: Name | None
    month: Month
    net_fen: Fen


PUBLISHED: Final[Mapping[str, type]] = {SALES_TARGET_SET: SalesTargetSet}


def sales_target_set(target_id: UUID, target: Target, day: date) -> Event[SalesTargetSet]:
    """The target as it is from now on."""
    return Event(
        type=SALES_TARGET_SET,
        subject=str(target_id),
        version=target.version,
        day=day,
        amount_fen=target.net_fen,
        data={
            "target_id": str(target_id),
            "target_version": target.version,
            "branch_id": target.branch_id,
            "staff_id": target.person or None,
            "channel": target.channel or None,
            "month": month_text(target.month),
            "net_fen": target.net_fen,
        },
    )
