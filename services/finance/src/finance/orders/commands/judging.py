"""Judging orders: every check, all faults told at once, and what the order then holds.

Permission of the order's day from our own projection, prices, contract, credit, lots. Nothing here is remembered
from an earlier turn: a first confirmation, a change and a re-opening are judged alike.
Source: F10, F12, F27, I30, I34, model 3.2 (SalesOrder)
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid5

from finance import contracts, credit, lots, prices, product_checks, stop_sales, trade_permissions
from finance.credit import Override
from finance.kernel.receipt import LotExpired
from finance.kernel.vat import VatRateUnknown, rates_on
from finance.lots import Named, Paper, Source
from finance.orders import store
from finance.orders.model import Confirmed, Fault, Priced, Proposed
from finance.orders.rules import (
    HOLDING,
    ContractNotOfCustomer,
    Line,
    PriceFeigned,
    PriceNotSet,
    QuantityBelowShipped,
    Verdict,
    authority_of,
    below_shipped,
    decide_price,
    roles_for,
)
from finance.prices import Asked, DiscountNotApproved, PriceBelowFloor
from finance.trade_permissions import Permission
from shared.approvals import Approval
from shared.categories import meaning
from shared.clock import business_date
from shared.errors import DomainError, Unavailable
from shared.languages import Text
from shared.transaction import Tx

HEADS = frozenset({"business_head", "finance_head"})
"""Who together let a price below the floor pass, or an order beyond its credit."""


@dataclass(slots=True)
class Judgement:
    """What the checks found. Without faults the order holds its credit and its contract's quantities."""

    faults: list[Fault] = field(default_factory=list)
    permission: Permission | None = None
    priced: dict[int, Priced] = field(default_factory=dict)
    total_fen: int = 0
    override: Override | None = None

    def add(self, path: str, refusal: DomainError) -> None:
        self.faults.append(Fault(refusal, path))

    def lines_of(self, verdict: Verdict, lines: Sequence[Line]) -> list[Line]:
        """Those of the lines whose price was found to be so."""
        return [line for line in lines if line.no in self.priced and self.priced[line.no].verdict is verdict]

    @contextmanager
    def collecting(self, path: str) -> Iterator[None]:
        """A refusal inside becomes a fault; what may succeed later leaves at once."""
        try:
            yield
        except Unavailable:
            raise
        except DomainError as refusal:
            self.add(path, refusal)


def pass_through(tx: Tx, order: Proposed) -> Judgement:
    """Judge what is proposed as what the order is to be, and take hold of credit and contract for what is not shipped.

    The order's row is locked by the caller. Raises CustomerNotYetKnown and CreditNotYetKnown alone; whoever finds
    faults undoes all of it.
    """
    judged, lines = Judgement(), order.proposal
    today = business_date(tx.now)
    confirmed = store.confirmed_lines(tx, order.order_id)
    left = {line.no: line.quantity - shipped_of(confirmed, line.no) for line in lines}
    waiting = still_open(lines, confirmed)
    for no, message in below_shipped(lines, confirmed):
        judged.add(f"lines.{no}", QuantityBelowShipped(message))
    _rates(judged, waiting, today)
    _products(tx, judged, order, waiting, today)
    known = _permit(tx, judged, order, waiting, today)
    if known is not None:
        judge_prices(tx, judged, order, waiting, known, today)
        _require_approvals(tx, judged, order, waiting)
    _lots(tx, judged, waiting, today)
    _contract(tx, judged, order, lines, confirmed, today)
    _credit(tx, judged, order, lines, left)
    _expiries(tx, judged, order, waiting)
    return judged


def still_open(lines: Sequence[Line], confirmed: Confirmed) -> list[Line]:
    """Lines with something left to ship; what is shipped whole was sold at the price of its day."""
    return [line for line in lines if line.quantity > shipped_of(confirmed, line.no)]


def shipped_of(confirmed: Confirmed, no: int) -> int:
    return confirmed[no][1] if no in confirmed else 0


def _rates(judged: Judgement, lines: Sequence[Line], today: date) -> None:
    known = rates_on(today)
    for line in lines:
        if line.tax_bp not in known:
            judged.add(
                f"lines.{line.no}.tax_bp",
                VatRateUnknown(
                    Text("no VAT rate of {today} is {tax_bp} bp", today=today, tax_bp=line.tax_bp)
                ),
            )


def _products(tx: Tx, judged: Judgement, order: Proposed, lines: Sequence[Line], today: date) -> None:
    """What is said of products is what the catalogue of today says."""
    paper = product_checks.Paper(product_checks.Door.ORDER, order.branch_id, order.number)
    said = [product_checks.of_product(f"lines.{line.no}.product", line.product) for line in lines]
    for path, refusal in product_checks.faults(tx, paper, today, said):
        judged.add(path, refusal)


def _permit(
    tx: Tx, judged: Judgement, order: Proposed, lines: Sequence[Line], today: date
) -> Permission | None:
    known = trade_permissions.held_on(tx.conn, order.customer_id, today)
    with judged.collecting("customer_id"):
        categories = {line.product.category for line in lines}
        trade_permissions.require(tx, order.customer_id, known, categories, today)
    judged.permission = known
    return known


def look(tx: Tx, order: Proposed, lines: Sequence[Line]) -> Judgement:
    """What the prices of these lines need today, holding nothing; nothing is known without a permission."""
    judged, today = Judgement(), business_date(tx.now)
    known = trade_permissions.held_on(tx.conn, order.customer_id, today)
    if known is not None:
        judge_prices(tx, judged, order, lines, known, today)
    return judged


def judge_prices(
    tx: Tx, judged: Judgement, order: Proposed, lines: Sequence[Line], known: Permission, today: date
) -> None:
    """What each price needs, by line; products without a price are faults."""
    authority = authority_of(order.proposer_roles, today)
    in_force = prices.in_force(
        tx.conn,
        customer_id=order.customer_id,
        kind=known.kind,
        branch_id=order.branch_id,
        asked=[Asked(line.no, line.product.id, line.quantity) for line in lines],
        day=today,
    )
    for line in lines:
        found = in_force.get(line.no)
        if found is None:
            judged.add(
                f"lines.{line.no}.product",
                PriceNotSet(Text("no price of {id} for a {kind}", id=line.product.id, kind=known.kind)),
            )
            continue
        is_contracted = order.contract_id is not None and line.contract_line is not None
        if line.unit_discount_fen and line.unit_price_fen > found.list_fen and not is_contracted:
            judged.add(
                f"lines.{line.no}.unit_price",
                PriceFeigned(
                    Text("a discount is taken off the list price of {list_fen} fen", list_fen=found.list_fen)
                ),
            )
        verdict = decide_price(line.asked_fen, found, authority, is_contracted=is_contracted)
        judged.priced[line.no] = Priced(found, verdict)


def roles_for_discount(judged: Judgement, lines: Sequence[Line], today: date) -> frozenset[str]:
    """The roles each of which may approve every lowered price of the order."""
    able = [
        roles_for(line.asked_fen, judged.priced[line.no].prices, today)
        for line in judged.lines_of(Verdict.DISCOUNT, lines)
    ]
    return frozenset.intersection(*able) if able else frozenset()


def _require_approvals(tx: Tx, judged: Judgement, order: Proposed, lines: Sequence[Line]) -> None:
    below = judged.lines_of(Verdict.BELOW_FLOOR, lines)
    lowered = judged.lines_of(Verdict.DISCOUNT, lines)
    if not below and not lowered:
        return
    if approval(tx, order, "below_floor", HEADS).state == "approved":
        return
    for line in below:
        floor = judged.priced[line.no].prices.floor_fen
        judged.add(
            f"lines.{line.no}.unit_price",
            PriceBelowFloor(
                Text("the floor is {floor} fen a unit; below it two heads approve", floor=floor),
                approval="below_floor",
                awaited=sorted(HEADS),
            ),
        )
    able = roles_for_discount(judged, lines, business_date(tx.now))
    made = approval(tx, order, "discount", able)
    if made.state == "rejected" or not able & {each.role for each in made.valid}:
        for line in lowered:
            judged.add(
                f"lines.{line.no}.unit_price",
                DiscountNotApproved(
                    "below what the requester may give", approval="discount", awaited=sorted(able)
                ),
            )


def approval(tx: Tx, order: Proposed, matter: str, required: frozenset[str]) -> Approval:
    """The approval of a matter of what the order proposes now; who asked is excluded."""
    return Approval(
        required=required,
        excluded=frozenset({order.drafted_by, order.proposed_by}),
        subject_hash=order.proposal_hash,
        decisions=store.decisions(tx, order, matter),
    )


def _lots(tx: Tx, judged: Judgement, lines: Sequence[Line], today: date) -> None:
    for line in lines:
        for lot in line.lots:
            if lot.expiry < today:
                judged.add(
                    f"lines.{line.no}.lots",
                    LotExpired(Text("lot {lot} expired on {expiry}", lot=lot.lot, expiry=lot.expiry)),
                )
    leaving = [(line.product.id, lot.lot) for line in lines for lot in line.lots]
    with judged.collecting("lines"):
        stop_sales.require_free(tx.conn, leaving, tx.now)
    with judged.collecting("lines"):
        require_fresh(tx, leaving, today)


def require_fresh(tx: Tx, leaving: Collection[stop_sales.Lot], today: date) -> None:
    """The expiry that holds of a lot counts, whatever is named now. Raises LotExpired."""
    holds = lots.held(tx, {stop_sales.key_of(lot) for lot in leaving})
    named = [
        {"product_id": lot[0], "lot": lot[1], "expiry": known.expiry}
        for lot in sorted(leaving)
        if (known := holds.get(stop_sales.key_of(lot))) is not None and known.expiry < today
    ]
    if named:
        raise LotExpired("by what was told of it before, the lot has expired", lots=named)


def _expiries(tx: Tx, judged: Judgement, order: Proposed, lines: Sequence[Line]) -> None:
    """After the customer's row is held, as with sales on credit: two of both kinds never wait for each other."""
    named = [Named(line.product.id, lot.lot, lot.expiry) for line in lines for lot in line.lots]
    with judged.collecting("lines"):
        lots.tell(tx, Paper(Source.ORDER, order.branch_id, order.number), named)


def _contract(
    tx: Tx,
    judged: Judgement,
    order: Proposed,
    lines: Sequence[Line],
    confirmed: Confirmed,
    today: date,
) -> None:
    contract_id = order.contract_id
    if contract_id is None:
        for line in lines:
            if line.contract_line is not None:
                judged.add(
                    f"lines.{line.no}.contract_line", ContractNotOfCustomer("the order names no contract")
                )
        return
    agreed = contracts.agreed_goods(tx.conn, contract_id, order.customer_id, order.branch_id)
    if agreed is None:
        judged.add("contract_id", ContractNotOfCustomer("the contract is not of this customer and branch"))
        return
    if order.state in HOLDING:
        give_back(tx, contract_id, confirmed)
    for line in lines:
        if line.contract_line is None:
            # what is shipped is due by the contract's instalments, which finance agreed to for these goods alone
            judged.add(
                f"lines.{line.no}.contract_line",
                ContractNotOfCustomer("goods outside the contract take an order of their own"),
            )
            continue
        goods = line.product.id, meaning(line.product.category)
        if agreed.get(line.contract_line, goods) != goods:
            judged.add(
                f"lines.{line.no}.contract_line",
                ContractNotOfCustomer(
                    "the contract's line is about another product, or one of another category"
                ),
            )
        left = line.quantity - shipped_of(confirmed, line.no)
        if left > 0:
            with judged.collecting(f"lines.{line.no}.contract_line"):
                contracts.order(tx, contract_id, line.contract_line, left, line.asked_fen, today)


def give_back(tx: Tx, contract_id: UUID | None, confirmed: Confirmed) -> None:
    """Release what the confirmed lines still hold of the contract."""
    if contract_id is None:
        return
    for line, shipped in confirmed.values():
        if line.contract_line is not None and line.quantity > shipped:
            contracts.release(tx, contract_id, line.contract_line, line.quantity - shipped)


def _credit(
    tx: Tx, judged: Judgement, order: Proposed, lines: Sequence[Line], left: Mapping[int, int]
) -> None:
    judged.total_fen = sum(max(left[line.no], 0) * line.asked_fen for line in lines)
    judged.override = override_of(tx, order, judged.total_fen)
    with judged.collecting("customer_id"):
        credit.reserve(
            tx,
            customer_id=order.customer_id,
            order_id=order.order_id,
            fen=judged.total_fen,
            override=judged.override,
        )


def override_of(tx: Tx, order: Proposed, fen: int) -> Override | None:
    """The override that both heads gave to what the order proposes, until the first of their two ends."""
    if approval(tx, order, "credit", HEADS).state != "approved":
        return None
    approval_id = uuid5(order.order_id, order.proposal_hash)
    return Override(approval_id=approval_id, fen=fen, expires_at=store.override_until(tx, order))
