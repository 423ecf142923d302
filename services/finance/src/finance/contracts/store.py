"""What orders ask of a contract: hold a quantity of a line, give it back, ship it. Every call locks the contract.

    ordered = Σ order − Σ release, shipped = Σ ship, and at every instant 0 ≤ shipped ≤ ordered ≤ contracted

Source: F9, F10, F13, model 3.2 (Contract)
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, text

from finance import contract_forms
from finance.contracts import events
from finance.contracts.rules import (
    OPEN_STATES,
    ContractNotActive,
    ContractNotFound,
    ContractPriceDiffers,
    Progress,
    is_all_shipped,
)
from finance.contracts.tables import contract_changes, contract_moves
from shared import outbox
from shared.clock import business_date
from shared.languages import Text
from shared.transaction import Tx


def order(tx: Tx, contract_id: UUID, line_no: int, quantity: int, unit_price_fen: int, on: date) -> None:
    """Hold `quantity` of a line for an order of the day `on`, at the contract's price (fen, with VAT).

    Raises ContractNotFound, ForeignBranch, ContractNotActive (not in force on that day), ContractLineUnknown,
    ContractPriceDiffers, ContractQuantityExceeded.
    """
    contract = locked(tx, contract_id)
    in_force = contract["state"] in OPEN_STATES and contract["valid_from"] <= on <= contract["valid_until"]
    if not in_force:
        raise ContractNotActive(Text("the contract is not in force on {on}", on=on), state=contract["state"])
    line, progress = _line(tx, contract, line_no)
    if unit_price_fen != line["unit_price_fen"]:
        raise ContractPriceDiffers(
            "the contract says another price", agreed_fen=line["unit_price_fen"], wanted_fen=unit_price_fen
        )
    _write(tx, contract, line_no, progress.order(quantity), "order", quantity, day=on)


def release(tx: Tx, contract_id: UUID, line_no: int, quantity: int) -> None:
    """Give back what an order held and will not ship; also after the contract ended.

    Raises ContractNotFound, ForeignBranch, ContractLineUnknown, ContractQuantityExceeded.
    """
    contract = locked(tx, contract_id)
    _, progress = _line(tx, contract, line_no)
    _write(tx, contract, line_no, progress.release(quantity), "release", quantity, day=business_date(tx.now))


def ship(
    tx: Tx, contract_id: UUID, line_no: int, quantity: int, unit_price_fen: int, shipped_on: date
) -> None:
    """Ship what an order holds; after the line's delivery date it is late. The last of all fulfils the contract.

    It is worth what it was ordered for, though an amendment may have changed the price since. What was ordered in
    time is shipped after the contract expired, too. Raises ContractNotFound, ForeignBranch,
    ContractLineUnknown, ContractQuantityExceeded.
    """
    contract = locked(tx, contract_id)
    line, progress = _line(tx, contract, line_no)
    _write(
        tx,
        contract,
        line_no,
        progress.ship(quantity),
        "ship",
        quantity,
        day=shipped_on,
        value_fen=quantity * unit_price_fen,
        late=shipped_on > date.fromisoformat(line["delivery_date"]),
    )
    settle(tx, contract)


def terms_of(conn: Connection, contract_id: UUID) -> str | None:
    """The instalments of the version in force, as JSON in the form of `open_items.default_terms`; None unless signed."""
    instalments = conn.execute(
        text(
            "select v.content -> 'payment_terms' -> 'instalments' from contracts c join contract_versions v"
            " on v.contract_id = c.contract_id and v.version = c.version where c.contract_id = :id"
        ),
        {"id": contract_id},
    ).scalar_one_or_none()
    return None if instalments is None else json.dumps(instalments)


def locked(tx: Tx, contract_id: UUID) -> dict[str, Any]:
    """The contract, its row locked until the transaction ends. Raises ContractNotFound, ForeignBranch."""
    row = (
        tx.conn.execute(
            text("select * from contracts where contract_id = :id for update"), {"id": contract_id}
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise ContractNotFound("no such contract")
    tx.actor.require_branch(row["branch_id"])
    return dict(row)


def progress_of(conn: Connection, contract_id: UUID) -> dict[int, Progress]:
    """How far each line is; the caller holds the contract's row where it must not move."""
    rows = conn.execute(
        text(
            "select line_no, quantity, ordered, shipped from contract_fulfilment where contract_id = :id"
            " order by line_no"
        ),
        {"id": contract_id},
    )
    return {row.line_no: Progress(row.quantity, row.ordered, row.shipped) for row in rows}


def settle(tx: Tx, contract: Mapping[str, Any]) -> None:
    """A contract in force whose lines are all shipped is fulfilled, and told."""
    lines = progress_of(tx.conn, contract["contract_id"])
    if contract["state"] not in OPEN_STATES or not is_all_shipped(list(lines.values())):
        return
    today = business_date(tx.now)
    end(tx, contract, "fulfilled", today, None)
    figures = tx.conn.execute(
        text(
            "select sum(shipped_fen)::bigint as value_fen, sum(shipped)::bigint as shipped,"
            " sum(late)::bigint as late from contract_fulfilment where contract_id = :id"
        ),
        {"id": contract["contract_id"]},
    ).one()
    event = events.contract_fulfilled(
        contract,
        shipped_fen=figures.value_fen,
        shipped=figures.shipped,
        late=figures.late,
        revision=next_revision(tx, contract),
        day=today,
    )
    outbox.append(tx, event)


def end(tx: Tx, contract: Mapping[str, Any], state: str, day: date, reason: str | None) -> None:
    tx.conn.execute(
        text(
            "update contracts set state = :state, ended_on = :day, end_reason = :reason"
            " where contract_id = :id"
        ),
        {"state": state, "day": day, "reason": reason, "id": contract["contract_id"]},
    )
    changed(tx, contract, state, reason=reason)


def next_revision(tx: Tx, contract: Mapping[str, Any]) -> int:
    """The version of the next event of a locked contract."""
    revision: int = tx.conn.execute(
        text("update contracts set revision = revision + 1 where contract_id = :id returning revision"),
        {"id": contract["contract_id"]},
    ).scalar_one()
    return revision


def changed(
    tx: Tx,
    contract: Mapping[str, Any],
    change: str,
    *,
    version: int | None = None,
    content_hash: str | None = None,
    reason: str | None = None,
) -> None:
    """A line of the paper's change history."""
    tx.conn.execute(
        insert(contract_changes).values(
            contract_id=contract["contract_id"],
            change=change,
            version=contract["version"] if version is None else version,
            content_hash=content_hash,
            reason=reason,
            actor=tx.actor.id,
            at=tx.now,
        )
    )


def _line(tx: Tx, contract: Mapping[str, Any], line_no: int) -> tuple[Mapping[str, Any], Progress]:
    content = tx.conn.execute(
        text("select content from contract_versions where contract_id = :id and version = :version"),
        {"id": contract["contract_id"], "version": contract["version"]},
    ).scalar_one_or_none()
    if content is None:
        raise ContractNotActive("the contract is not signed", state=contract["state"])
    lines = progress_of(tx.conn, contract["contract_id"])
    if line_no not in lines:
        raise contract_forms.ContractLineUnknown(Text("the contract has no line {line_no}", line_no=line_no))
    return contract_forms.line_of(content, line_no), lines[line_no]


def _write(
    tx: Tx,
    contract: Mapping[str, Any],
    line_no: int,
    after: Progress,
    kind: str,
    quantity: int,
    *,
    day: date,
    value_fen: int = 0,
    late: bool = False,
) -> None:
    key = {"contract_id": contract["contract_id"], "line_no": line_no}
    tx.conn.execute(
        text(
            "update contract_fulfilment set ordered = :ordered, shipped = :shipped, late = late + :late,"
            " shipped_fen = shipped_fen + :value,"
            " last_shipped_on = case when :is_shipment then greatest(last_shipped_on, cast(:day as date))"
            " else last_shipped_on end where contract_id = :contract_id and line_no = :line_no"
        ),
        {
            **key,
            "ordered": after.ordered,
            "shipped": after.shipped,
            "late": quantity if late else 0,
            "value": value_fen,
            "is_shipment": kind == "ship",
            "day": day,
        },
    )
    tx.conn.execute(
        insert(contract_moves).values(
            **key,
            kind=kind,
            quantity=quantity,
            value_fen=value_fen,
            day=day,
            late=late,
            actor=tx.actor.id,
            at=tx.now,
        )
    )


def agreed_goods(
    conn: Connection, contract_id: UUID, customer_id: UUID, branch_id: str
) -> dict[int, tuple[str, str]] | None:
    """Product and category of each line of the contract; None unless it is of this customer and branch."""
    row = conn.execute(
        text(
            "select coalesce(v.content, c.draft) from contracts c left join contract_versions v"
            " on v.contract_id = c.contract_id and v.version = c.version"
            " where c.contract_id = :id and c.customer_id = :customer and c.branch_id = :branch"
        ),
        {"id": contract_id, "customer": customer_id, "branch": branch_id},
    ).one_or_none()
    if row is None:
        return None
    return {each["line_no"]: (each["product_id"], each["category"]) for each in row[0].get("lines") or []}
