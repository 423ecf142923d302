"""What orders ask of a contract: hold a quantity of a line, give it back, ship it. Every call locks the contract.

    ordered = Σ order − Σ release, shipped = Σ ship, and at every instant 0 ≤ shipped ≤ ordered ≤ contracted

Source: F9, F10, F13, model 3.2 (Contract)
"""

import json
from dataclasses import asdict, dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, insert, text

from finance.contract_forms import AgreedLine, ContractLineUnknown
from finance.contracts import events
from finance.contracts.model import Signed
from finance.contracts.rules import (
    OPEN_STATES,
    ContractNotActive,
    ContractPriceDiffers,
    Progress,
    is_all_shipped,
)
from finance.contracts.store.papers import content_in_force, end, locked, next_revision, progress_of
from finance.contracts.tables import contract_moves
from shared import outbox
from shared.categories import meaning
from shared.clock import business_date
from shared.languages import Text
from shared.transaction import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What happens to units of a line: `order`, `release` or `ship`; only shipments are worth something, or late."""

    kind: str
    quantity: int
    day: date
    value_fen: int = 0
    late: bool = False


def order(tx: Tx, contract_id: UUID, line_no: int, quantity: int, unit_price_fen: int, on: date) -> None:
    """Hold `quantity` of a line for an order of the day `on`, at the contract's price (fen, with VAT).

    Raises ContractNotFound, ForeignBranch, ContractNotActive (not in force on that day), ContractLineUnknown,
    ContractPriceDiffers, ContractQuantityExceeded.
    """
    contract = locked(tx, contract_id)
    if not isinstance(contract, Signed) or not is_in_force(contract, on):
        raise ContractNotActive(Text("the contract is not in force on {on}", on=on), state=contract.state)
    line, progress = _line(tx, contract, line_no)
    if unit_price_fen != line.unit_price_fen:
        raise ContractPriceDiffers(
            "the contract says another price", agreed_fen=line.unit_price_fen, wanted_fen=unit_price_fen
        )
    _write(tx, contract, line_no, progress.order(quantity), Move(kind="order", quantity=quantity, day=on))


def is_in_force(contract: Signed, on: date) -> bool:
    return contract.state in OPEN_STATES and contract.valid_from <= on <= contract.valid_until


def release(tx: Tx, contract_id: UUID, line_no: int, quantity: int) -> None:
    """Give back what an order held and will not ship; also after the contract ended.

    Raises ContractNotFound, ForeignBranch, ContractLineUnknown, ContractQuantityExceeded.
    """
    contract = _signed(tx, contract_id)
    _, progress = _line(tx, contract, line_no)
    move = Move(kind="release", quantity=quantity, day=business_date(tx.now))
    _write(tx, contract, line_no, progress.release(quantity), move)


def ship(
    tx: Tx, contract_id: UUID, line_no: int, quantity: int, unit_price_fen: int, shipped_on: date
) -> None:
    """Ship what an order holds; after the line's delivery date it is late. The last of all fulfils the contract.

    It is worth what it was ordered for, though an amendment may have changed the price since. What was ordered in
    time is shipped after the contract expired, too. Raises ContractNotFound, ForeignBranch,
    ContractLineUnknown, ContractQuantityExceeded.
    """
    contract = _signed(tx, contract_id)
    line, progress = _line(tx, contract, line_no)
    move = Move(
        kind="ship",
        quantity=quantity,
        day=shipped_on,
        value_fen=quantity * unit_price_fen,
        late=shipped_on > line.delivery_date,
    )
    _write(tx, contract, line_no, progress.ship(quantity), move)
    settle(tx, contract)


def _signed(tx: Tx, contract_id: UUID) -> Signed:
    contract = locked(tx, contract_id)
    if not isinstance(contract, Signed):
        raise ContractNotActive("the contract is not signed", state=contract.state)
    return contract


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


def settle(tx: Tx, contract: Signed) -> None:
    """A contract in force whose lines are all shipped is fulfilled, and told."""
    lines = progress_of(tx.conn, contract.contract_id)
    if contract.state not in OPEN_STATES or not is_all_shipped(list(lines.values())):
        return
    end(tx, contract, "fulfilled", None)
    figures = tx.conn.execute(
        text(
            "select sum(shipped_fen)::bigint as value_fen, sum(shipped)::bigint as shipped,"
            " sum(late)::bigint as late from contract_fulfilment where contract_id = :id"
        ),
        {"id": contract.contract_id},
    ).one()
    event = events.contract_fulfilled(
        contract,
        shipped_fen=figures.value_fen,
        shipped=figures.shipped,
        late=figures.late,
        revision=next_revision(tx, contract),
        day=business_date(tx.now),
    )
    outbox.append(tx, event)


def _line(tx: Tx, contract: Signed, line_no: int) -> tuple[AgreedLine, Progress]:
    lines = progress_of(tx.conn, contract.contract_id)
    if line_no not in lines:
        raise ContractLineUnknown(Text("the contract has no line {line_no}", line_no=line_no))
    return content_in_force(tx.conn, contract).line(line_no), lines[line_no]


def _write(tx: Tx, contract: Signed, line_no: int, after: Progress, move: Move) -> None:
    key = {"contract_id": contract.contract_id, "line_no": line_no}
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
            "late": move.quantity if move.late else 0,
            "value": move.value_fen,
            "is_shipment": move.kind == "ship",
            "day": move.day,
        },
    )
    tx.conn.execute(insert(contract_moves).values(**key, **asdict(move), actor=tx.actor.id, at=tx.now))


def agreed_goods(
    conn: Connection, contract_id: UUID, customer_id: UUID, branch_id: str
) -> dict[int, tuple[str, str]] | None:
    """Product and meaning of the category of each line of the contract; None unless it is of this customer and branch."""
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
    return {
        each["line_no"]: (each["product_id"], meaning(each["category"])) for each in row[0].get("lines") or []
    }
