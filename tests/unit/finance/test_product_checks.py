"""What contradicts the catalogue, and when a mode may begin."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.loyalty.schemas import RedemptionBody
from customers.offers.schemas import OfferBody
from finance.kernel.receipt import Product
from finance.product_checks.rules import (
    COMPARED,
    EXACT,
    READ,
    STRICTNESS,
    CheckDayPassed,
    Held,
    Mode,
    ProductContradictsCatalogue,
    ProductUnknown,
    contradictions,
    differs,
    of_product,
    read_alike,
    refuse,
    require_may_begin,
    values_of,
)
from finance.products.rules import FIELDS
from returns.requests.schemas import RequestedLine, ReturnRequest
from tests.support.disguises import DISGUISES, DRUG, MALFORMED, UNKNOWN, VITAMIN

DAY = date(2026, 3, 3)
HELD = {
    each["product_id"]: Held(1, tuple(each.get(name) for name in COMPARED), legal_class, "none")
    for each, legal_class in ((DRUG, "rx"), (VITAMIN, "otc_b"))
}


def found(said):
    product = msgspec.convert(said, Product)
    return list(contradictions(of_product("lines.0.product", product), HELD.get(product.id)))


def test_what_is_compared_is_all_that_a_receipt_and_the_catalogue_both_say():
    said = {each.name for each in msgspec.structs.fields(Product)}
    assert set(COMPARED) == said & set(FIELDS)
    assert set(EXACT) | set(READ) == set(COMPARED)


def test_a_category_that_was_renamed_is_what_it_became_and_nothing_else():
    assert found(DRUG | {"category": "prescription"}) == []
    assert [each.field for each in found(DRUG | {"category": "device"})] == ["category"]


@pytest.mark.parametrize("what", [what for what, (_, code) in DISGUISES.items() if code == MALFORMED])
def test_a_malformed_disguise_is_no_receipt(what):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(DRUG | DISGUISES[what][0], Product)


@pytest.mark.parametrize("what", [what for what, (_, code) in DISGUISES.items() if code != MALFORMED])
def test_a_prescription_drug_is_typed_as_nothing_else(what):
    disguise, code = DISGUISES[what]
    with pytest.raises((ProductContradictsCatalogue, ProductUnknown)) as refusal:
        refuse(found(DRUG | disguise), DAY)
    assert refusal.value.code == code
    told = refusal.value.context["products"]
    assert all((each["field"] is None) == (code == UNKNOWN) for each in told)
    assert all(each["said"] != each["holds"] for each in told if each["field"])


def test_what_the_catalogue_says_contradicts_nothing():
    assert found(DRUG) == found(VITAMIN) == []
    refuse([], DAY)


def test_what_is_left_out_contradicts_only_where_it_tells_one_medicine_from_another():
    assert (
        found({name: value for name, value in DRUG.items() if name not in READ or name == "generic_name"})
        == []
    )
    assert [each.field for each in found(DRUG | {"approval_number": None})] == ["approval_number"]
    assert [each.field for each in found(VITAMIN | {"approval_number": None})] == ["approval_number"]
    assert not differs("maker", "x", None)
    assert differs("approval_number", "x", None)


def test_a_contradiction_is_told_before_an_unknown_product_and_bounded():
    many = [each for no in range(300) for each in found(DRUG | {"product_id": f"P-{no}"})]
    with pytest.raises(ProductContradictsCatalogue) as refusal:
        refuse([*many, *found(DRUG | {"category": "otc"})], DAY)
    assert len(refusal.value.context["products"]) == len(refusal.value.context["errors"]) == 100
    assert refusal.value.context["products"][0]["field"] == "category"


@given(st.text(max_size=20))
def test_a_name_reads_like_itself_however_it_is_spaced(name):
    assert read_alike(name, f" {name}\u200b ")
    assert read_alike(name, name.upper()) == read_alike(name.upper(), name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.25g×24", "０.２５ｇ × ２４"),
        ("ABC\u3000Pharma", "abc pharma"),
        ("片\u200d剂", "片剂"),
        ("K", "\u212a"),
    ],
)
def test_what_reads_alike_is_the_same(one, other):
    assert read_alike(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("0.25 g", "0.5 g"), ("片剂", "片"), ("A", "B"), ("", "x"), ("0", "O")]
)
def test_what_reads_otherwise_is_not(one, other):
    assert not read_alike(one, other)


TODAY, SOONEST = date(2026, 3, 3), date(2026, 3, 4)


@pytest.mark.parametrize("before", Mode)
@pytest.mark.parametrize("mode", Mode)
def test_a_stricter_mode_begins_on_a_day_to_come_and_a_laxer_one_today(mode, before):
    is_stricter = STRICTNESS[mode] > STRICTNESS[before]
    for wanted in (date(2026, 3, 2), TODAY, SOONEST, date(2026, 3, 5)):
        may = wanted >= (SOONEST if is_stricter else TODAY)
        try:
            require_may_begin(mode, wanted, before, today=TODAY, first_day=SOONEST)
        except CheckDayPassed:
            assert not may
        else:
            assert may


def test_while_nothing_was_sold_a_stricter_mode_begins_on_any_day():
    require_may_begin(Mode.ENFORCE, date(2017, 1, 1), Mode.OFF, today=TODAY, first_day=None)


@pytest.mark.parametrize("schema", [OfferBody, RedemptionBody, RequestedLine, ReturnRequest])
def test_a_door_that_asks_for_nothing_of_a_product_can_be_told_nothing_wrong(schema):
    asked = {field.data_key or name for name, field in schema().fields.items()}
    assert not asked & {"product", "product_id", *COMPARED}
    assert schema().unknown == "raise"


def test_the_values_of_a_receipt_are_compared_in_the_order_of_the_catalogues():
    assert values_of(msgspec.convert(DRUG, Product)) == HELD["P-RX"].values
