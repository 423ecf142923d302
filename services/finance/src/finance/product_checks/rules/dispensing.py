"""What retail may hand out of prescription drugs and controlled drugs, by what the catalogue says of them. Pure.

The mode of the day decides whether what is found refuses the receipt, or is listed (ADR-0052, ADR-0055). Wholesale is
not asked: what it may sell, and to whom, licences and orders say.
Source: G15, G18, X11
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from finance.kernel import dated
from finance.kernel.receipt import Channel, Receipt
from finance.product_checks.rules import Contradiction, Held
from shared.errors import Conflict
from shared.faults import ERRORS_SHOWN_MAX
from shared.languages import Text

PRESCRIPTION = "rx"
UNCONTROLLED = "none"
ASKED_FOR = ("prescription", "quantity", "customer_id")
"""What a receipt is listed for, beside what it says of the product."""


class PrescriptionReviewMissing(Conflict):
    """A prescription drug is handed out once a pharmacist has reviewed its prescription."""

    code = "prescription_review_missing"
    cure = "Let a pharmacist review the prescription, and send its number with their id and the instant."


class ControlledDrugLimit(Conflict):
    code = "controlled_drug_limit"
    cure = "Take off what is beyond the limit that the sentence names."


class ControlledDrugBuyerMissing(Conflict):
    """Who buys such a drug is written down."""

    code = "controlled_drug_buyer_missing"
    cure = "Register the buyer with their identity card, and name them in `customer_id`."


class Fault(NamedTuple):
    """Why something may not be handed out: how it is refused, and how it is listed where it was taken."""

    refusal: type[Conflict]
    message: str
    told: Contradiction


def asks_for_more(held: Held) -> bool:
    """Whether retail hands the product out under a rule at all; most it does not."""
    return held.legal_class == PRESCRIPTION or held.control_class != UNCONTROLLED


def dispensing_faults(receipt: Receipt, day: date, known: Mapping[str, Held]) -> Iterator[Fault]:
    """Everything for which retail may not hand this out on this day; what is not `known` by its id is passed over."""
    if not known or receipt.channel is Channel.WHOLESALE:
        return
    by_control: dict[str, list[int]] = {}
    for index, line in enumerate(receipt.lines):
        held = known.get(line.product.id)
        if held is None:
            continue
        rule = _rule(held.control_class, day)
        needs = held.legal_class == PRESCRIPTION or (rule is not None and rule["needs_prescription"])
        if needs and line.prescription is None:
            path = f"lines.{index}.prescription"
            yield Fault(
                PrescriptionReviewMissing,
                Text("{product} needs a prescription that was reviewed", product=line.product.id),
                Contradiction(path, line.product.id, "prescription", None, "reviewed", held.version),
            )
        if rule is not None:
            by_control.setdefault(held.control_class, []).append(index)
    for indexes in by_control.values():
        yield from _limit_faults(receipt, indexes, day, known[receipt.lines[indexes[0]].product.id])


def _limit_faults(receipt: Receipt, indexes: Sequence[int], day: date, held: Held) -> Iterator[Fault]:
    """Of the lines of one control class; `held` is that of the first."""
    rule = _rule(held.control_class, day)
    assert rule is not None, "only lines under a rule are asked"
    most, first = rule["packs_max"], receipt.lines[indexes[0]].product.id
    packs = sum(receipt.lines[index].quantity for index in indexes)
    if most is not None and packs > most:
        yield Fault(
            ControlledDrugLimit,
            Text(
                "a receipt holds at most {most} packs of control class {name}, not {packs}",
                most=most,
                name=held.control_class,
                packs=packs,
            ),
            Contradiction(
                f"lines.{indexes[0]}.quantity", first, "quantity", str(packs), str(most), held.version
            ),
        )
    if rule["names_buyer"] and receipt.customer_id is None:
        yield Fault(
            ControlledDrugBuyerMissing,
            Text("a sale of control class {name} names its buyer", name=held.control_class),
            Contradiction("customer_id", first, "customer_id", None, "named", held.version),
        )


def _rule(control_class: str, day: date) -> dated.Row | None:
    if control_class == UNCONTROLLED:
        return None
    begun = dated.in_force("controlled_drug_rules", day, control_class=control_class)
    return begun[-1] if begun else None


def refuse(faults: Sequence[Fault]) -> None:
    """Raises the first refusal, listing all of them under `errors`."""
    if faults:
        errors = [{"path": each.told.path, "message": each.message} for each in faults[:ERRORS_SHOWN_MAX]]
        raise faults[0].refusal(faults[0].message, errors=errors)
