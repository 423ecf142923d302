"""What retail may hand out of prescription drugs and controlled drugs, by what the catalogue says of them. Pure.

Who calls this decides by the mode of the check whether what is found refuses the receipt (ADR-0052, ADR-0055). Wholesale
is not asked: what it may sell, and to whom, licences and orders say.
Source: G15, G18, X11
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from finance.kernel import dated
from finance.kernel.receipt import Channel, Receipt
from finance.sales.rules.carried import Fault
from shared.errors import Conflict
from shared.languages import Text

PRESCRIPTION = "rx"


class Classes(NamedTuple):
    """What the catalogue of the day says of a product."""

    legal_class: str
    control_class: str


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


def dispensing_faults(receipt: Receipt, day: date, known: Mapping[str, Classes]) -> Iterator[Fault]:
    """Everything for which retail may not hand this out on this day; what the catalogue does not know is passed over."""
    if receipt.channel is Channel.WHOLESALE:
        return
    by_control: dict[str, list[int]] = {}
    for index, line in enumerate(receipt.lines):
        classes = known.get(line.product.id)
        if classes is None:
            continue
        rule = _rule(classes.control_class, day)
        needs = classes.legal_class == PRESCRIPTION or (rule is not None and rule["needs_prescription"])
        if needs and line.prescription is None:
            yield (
                PrescriptionReviewMissing,
                f"lines.{index}.prescription",
                Text("{product} needs a prescription that was reviewed", product=line.product.id),
            )
        if rule is not None:
            by_control.setdefault(classes.control_class, []).append(index)
    for control_class, indexes in by_control.items():
        yield from _limit_faults(receipt, control_class, indexes, day)


def _limit_faults(receipt: Receipt, control_class: str, indexes: Sequence[int], day: date) -> Iterator[Fault]:
    rule = _rule(control_class, day)
    assert rule is not None, "only lines under a rule are asked"
    most = rule["packs_max"]
    packs = sum(receipt.lines[index].quantity for index in indexes)
    if most is not None and packs > most:
        yield (
            ControlledDrugLimit,
            f"lines.{indexes[0]}.quantity",
            Text(
                "a receipt holds at most {most} packs of control class {name}, not {packs}",
                most=most,
                name=control_class,
                packs=packs,
            ),
        )
    if rule["names_buyer"] and receipt.customer_id is None:
        yield (
            ControlledDrugBuyerMissing,
            "customer_id",
            Text("a sale of control class {name} names its buyer", name=control_class),
        )


def _rule(control_class: str, day: date) -> dated.Row | None:
    begun = dated.in_force("controlled_drug_rules", day, control_class=control_class)
    return begun[-1] if begun else None


def refuse(faults: Sequence[Fault]) -> None:
    """Raises the first refusal, listing all of them under `errors`."""
    if faults:
        refusal, _, message = faults[0]
        raise refusal(message, errors=[{"path": path, "message": text} for _, path, text in faults])
