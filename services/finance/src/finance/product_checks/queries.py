"""Modes of the check, and what contradicted the catalogue."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from finance.product_checks.rules import CheckSettingNotFound
from finance.product_checks.tables import product_check_decisions
from shared.approvals import decisions_by_subject
from shared.paging import page_of
from shared.transaction import Tx


def settings(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """What was proposed, the first first, each with its decisions."""
    return _page(tx, {"s.state = :state": args["state"]}, args)


def setting(tx: Tx, setting_id: UUID) -> dict[str, Any]:
    """Raises CheckSettingNotFound."""
    found = _page(tx, {"s.setting_id = :id": setting_id}, {"limit": 1, "cursor": None})["items"]
    if not found:
        raise CheckSettingNotFound("no such setting")
    item: dict[str, Any] = found[0]
    return item


def _page(tx: Tx, where: Mapping[str, Any], args: Mapping[str, Any]) -> dict[str, Any]:
    found = page_of(tx.conn, "select s.* from product_check_settings s", where, {"s.setting_id": UUID}, args)
    ids = [each["setting_id"] for each in found["items"]]
    made = decisions_by_subject(tx.conn, product_check_decisions, "setting_id", ids)
    return found | {"items": [{**each, "decisions": made[each["setting_id"]]} for each in found["items"]]}


def contradictions(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """What was taken though it contradicted, of the token's branches, the first first. Raises ForeignBranch."""
    return page_of(
        tx.conn,
        "select c.* from product_contradictions c",
        {
            "c.branch_id = any(:branches)": tx.actor.branch_filter(args["branch_id"]),
            "c.product_id = :product_id": args["product_id"],
            "c.door = :door": args["door"],
            "c.day >= :first": args["first"],
            "c.day <= :until": args["until"],
        },
        {"c.contradiction_id": UUID},
        args,
    )
