"""Write a return notice, or the record that it was refused; withdraw one."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import to_builtins

from returns import eligibility, known, notices, returnable
from returns.kernel.vocabulary import Fact, Kind, RefusalCause, Status
from returns.known import Sold
from returns.notices import Line, Notice
from returns.requests import events, store
from returns.requests.model import Asked, AskedLine
from shared import audit
from shared.clock import business_date, new_id
from shared.errors import Conflict, Invalid
from shared.lots import canonical
from shared.transaction import Tx

PATIENT = "patient"


class ReceiptAmbiguous(Conflict):
    code = "receipt_ambiguous"
    cure = "Name the sale by `sale_id`."


class KindWrong(Invalid):
    """Only what an institution of record bought comes back as b2b; patients and walk-ins fall under G8."""

    code = "return_kind_wrong"
    cure = "Ask for the return as `retail`."


def request_return(tx: Tx, asked: Asked) -> UUID:
    """Write a return notice from a known sale, reserving the quantities, or a refused one; return its id.

    Raises ProjectionBehind, ReceiptAmbiguous, KindWrong, ForeignBranch.
    Source: R1 R2 R3 R15 G1
    """
    tx.actor.require_branch(asked.branch_id)
    sold = _find_sold(tx, asked)
    if not sold:
        known.require_no_sale(
            tx, branch_id=asked.branch_id, sale_id=asked.sale_id, receipt_number=asked.receipt_number
        )
        sold = _find_sold(tx, asked)  # it may have arrived between the two looks
    if not sold:
        return _refuse(tx, asked, [], RefusalCause.NOT_OURS, "no such sale of this branch")
    sale = sold[0]
    if len({row.sale_id for row in sold}) > 1:
        raise ReceiptAmbiguous("several sales carry that receipt number; name the sale_id")
    if known.is_voided(tx, sale.sale_id):
        return _refuse(tx, asked, sold, RefusalCause.NOT_OURS, "the receipt was voided: its goods never left")
    if asked.kind != Kind.RETAIL:
        _require_institution(tx, sale.customer_id)
    by_key = {_key(row): row for row in sold}
    strange = [line for line in asked.lines if _key(line) not in by_key]
    if strange:
        named = ", ".join(f"{line.sale_line_id} lot {line.lot}" for line in strange)
        return _refuse(tx, asked, sold, RefusalCause.NOT_OURS, f"not in that sale: {named}")
    chosen = [(line, by_key[_key(line)]) for line in asked.lines]
    faults = _faults(tx, asked, [row for _, row in chosen])
    if faults:
        return _refuse(tx, asked, sold, RefusalCause.INELIGIBLE, ", ".join(faults))
    allotments = returnable.lock(tx, sale.sale_id, {_place(row): row.quantity for _, row in chosen})
    excess = [row for line, row in chosen if not allotments[_place(row)].has_room_for(line.quantity)]
    if excess:
        named = ", ".join(
            f"{row.sale_line_id} lot {row.lot}: {allotments[_place(row)].returnable} left" for row in excess
        )
        return _refuse(tx, asked, sold, RefusalCause.OVER_QUANTITY, named)
    for line, row in chosen:
        allotments[_place(row)].reserve(line.quantity)
    returnable.save(tx, sale.sale_id, allotments.values())
    return _add_requested(tx, asked, sale, [_line_from(line, row) for line, row in chosen])


def _find_sold(tx: Tx, asked: Asked) -> Sequence[Sold]:
    return known.find_sold_lines(
        tx, branch_id=asked.branch_id, sale_id=asked.sale_id, receipt_number=asked.receipt_number
    )


def _require_institution(tx: Tx, customer_id: str | None) -> None:
    """The kind asked for decides which rules apply, so it is checked against the record. Source: G8"""
    kind = None if customer_id is None else known.find_customer_kind(tx, customer_id)
    if kind is None and customer_id is not None:
        known.require_no_customer(tx, customer_id)
        kind = known.find_customer_kind(tx, customer_id)  # it may have arrived between the two looks
    if kind in {None, PATIENT}:
        raise KindWrong("only what an institution of record bought can come back as b2b; ask for retail")


def _key(line: AskedLine | Sold) -> tuple[str, str]:
    """What is asked for and what was sold are one when only the spelling of the lot differs."""
    return line.sale_line_id, canonical(line.lot)


def _place(sold: Sold) -> tuple[str, str]:
    """What is sold, reserved and settled is counted under the lot as it was sold."""
    return sold.sale_line_id, sold.lot


def _faults(tx: Tx, asked: Asked, sold: Sequence[Sold]) -> list[str]:
    """Eligibility over all lines: the worst line decides for the notice."""
    today = business_date(tx.now)
    verdict = eligibility.judge(
        kind=asked.kind,
        reason=asked.reason,
        package=asked.package,
        is_expired=any(row.expiry < today for row in sold),
        has_proof=bool(asked.proof_refs),
        on=today,
    )
    return list(verdict.faults)


def _line_from(line: AskedLine, sold: Sold) -> Line:
    return Line(
        id=new_id(),
        sale_line_id=sold.sale_line_id,
        lot=sold.lot,
        product_id=sold.product_id,
        category=sold.category,
        temp_class=sold.temp_class,
        expiry=sold.expiry,
        sold_quantity=sold.quantity,
        sold_net_fen=sold.net_fen,
        sold_tax_fen=sold.tax_fen,
        sold_cost_fen=sold.cost_fen,
        quantity=line.quantity,
    )


def _notice_from(tx: Tx, asked: Asked, sale: Sold | None, status: Status) -> Notice:
    return Notice(
        id=new_id(),
        number=store.next_number(tx, asked.branch_id),
        kind=Kind(asked.kind),
        branch_id=asked.branch_id,
        sale_id=sale.sale_id if sale else None,
        customer_id=sale.customer_id if sale else None,
        sold_at=sale.sold_at if sale else None,
        reason=asked.reason,
        subject_hash=audit.digest(to_builtins(asked)) or "",
        requested_by=tx.actor.id,
        requested_at=tx.now,
        status=status,
    )


def _add_requested(tx: Tx, asked: Asked, sale: Sold, lines: list[Line]) -> UUID:
    notice = _notice_from(tx, asked, sale, Status.REQUESTED)
    notice.lines = lines
    notices.add(tx, notice, request=to_builtins(asked), receipt_number=sale.receipt_number)
    notices.add_history(tx, notice, Fact.REQUESTED, before=None, detail={"reason": notice.reason})
    told: list[events.RequestedLine] = []
    for line in lines:
        worth = returnable.share(line.worth, line.quantity, line.sold_quantity)
        told.append(
            {
                "return_line_id": str(line.id),
                "sale_line_id": line.sale_line_id,
                "product_id": line.product_id,
                "lot": line.lot,
                "quantity": line.quantity,
                "temp_class": line.temp_class,
                "net_fen": worth.net_fen,
                "tax_fen": worth.tax_fen,
            }
        )
    event = events.requested(
        notice.at(tx.now),
        number=notice.number,
        kind=notice.kind,
        sale_id=sale.sale_id,
        customer_id=notice.customer_id,
        reason=notice.reason,
        lines=told,
    )
    notices.finish(tx, notice, [event], before=None)
    return notice.id


def _refuse(tx: Tx, asked: Asked, sold: Sequence[Sold], cause: RefusalCause, detail: str) -> UUID:
    """`sold` are the lines of the sale that was named, none where it is not ours."""
    sale = sold[0] if sold else None
    notice = _notice_from(tx, asked, sale, Status.REFUSED)
    receipt = sale.receipt_number if sale else asked.receipt_number
    notices.add(
        tx, notice, request=to_builtins(asked), cause=cause, cause_detail=detail, receipt_number=receipt
    )
    notices.add_history(
        tx, notice, Fact.REFUSED, before=None, detail={"cause": cause, "cause_detail": detail}
    )
    wanted = {line.sale_line_id for line in asked.lines}
    event = events.refused(
        notice.at(tx.now),
        cause=cause,
        kind=notice.kind,
        reason=notice.reason,
        sale_id=notice.sale_id,
        customer_id=notice.customer_id,
        product_ids=sorted({row.product_id for row in sold if row.sale_line_id in wanted}),
    )
    notices.finish(tx, notice, [event], before=None)
    return notice.id


def cancel_return(tx: Tx, notice_id: UUID, *, reason: str) -> None:
    """Withdraw a notice before its goods were fetched; its quantities are free again. Raises StepNotAllowed."""
    notice = notices.lock(tx, notice_id)
    before = notice.happen(Fact.CANCELLED, Status.CANCELLED)
    notices.add_history(tx, notice, Fact.CANCELLED, before=before, detail={"reason": reason})
    notices.finish(tx, notice, [events.cancelled(notice.at(tx.now))], before=before)
