"""What retail may hand out of prescription drugs and controlled drugs, by what the catalogue says of them."""

from datetime import date

import msgspec
import pytest

from finance.kernel.receipt import Receipt
from finance.product_checks.rules import Held, dispensing
from finance.product_checks.rules.dispensing import (
    ControlledDrugBuyerMissing,
    ControlledDrugLimit,
    PrescriptionReviewMissing,
)
from tests.support.disguises import REVIEW
from tests.support.finance_builders import CUSTOMER, a_line, a_receipt

DAY = date(2026, 3, 3)


def held(legal_class, control_class="none"):
    return Held(1, (), legal_class, control_class)


def faults(known, day=DAY, **odd):
    receipt = msgspec.convert(a_receipt("R-1", **odd), Receipt)
    return [(each.refusal, each.told.path) for each in dispensing.dispensing_faults(receipt, day, known)]


@pytest.mark.requirement("X11")
def test_a_prescription_drug_needs_a_reviewed_prescription_on_its_line():
    known = {"P-1": held("rx")}
    reviewed = a_line(prescription=REVIEW)
    assert faults(known, lines=[reviewed, a_line()]) == [(PrescriptionReviewMissing, "lines.1.prescription")]
    assert faults(known, lines=[reviewed]) == []
    assert faults({"P-1": held("otc_a")}) == faults({}) == []
    assert faults(known, channel="wholesale", customer_id=CUSTOMER) == []


@pytest.mark.parametrize(
    ("control", "packs", "customer", "expected"),
    [
        ("precursor", [2], CUSTOMER, []),
        ("precursor", [1, 2], CUSTOMER, [(ControlledDrugLimit, "lines.0.quantity")]),
        ("precursor", [2], None, [(ControlledDrugBuyerMissing, "customer_id")]),
        ("narcotic", [1], CUSTOMER, [(ControlledDrugLimit, "lines.0.quantity")]),
        ("toxic", [9], None, []),
        ("none", [9], None, []),
    ],
)  # fmt: skip
def test_a_controlled_drug_has_a_limit_of_packs_a_receipt_and_names_its_buyer(
    control, packs, customer, expected
):
    lines = [a_line(quantity=each, prescription=REVIEW) for each in packs]
    assert faults({"P-1": held("otc_a", control)}, lines=lines, customer_id=customer) == expected


def test_a_limit_holds_from_its_day_on():
    known = {"P-1": held("otc_a", "precursor")}
    lines = [a_line(quantity=3)]
    assert faults(known, date(2012, 9, 3), lines=lines, customer_id=CUSTOMER) == []
    assert len(faults(known, date(2012, 9, 4), lines=lines, customer_id=CUSTOMER)) == 1


def test_a_psychotropic_needs_a_prescription_whatever_its_legal_class():
    assert faults({"P-1": held("otc_a", "psychotropic")}, customer_id=CUSTOMER) == [
        (PrescriptionReviewMissing, "lines.0.prescription")
    ]
