"""One vocabulary of categories: every service and every data file uses its codes, and what was renamed is still read."""

import json
from datetime import date

import msgspec
import pytest
from marshmallow import ValidationError

from customers.kernel import fields as customers_fields
from customers.licences import rules as licences
from deploy.generate.repository import ROOT
from finance.kernel import fields as finance_fields
from finance.kernel.receipt import Product
from finance.products.rules import Told
from finance.sales.rules.pricing import never_for
from finance.samples import rules as samples
from finance.trade_permissions import rules as permissions
from shared import categories
from shared.categories import CATEGORIES, FORMERLY, CategoryCode

TODAY = date(2026, 12, 1)
DRUGS = {"rx", "otc", "otc_a", "narcotics", "psychotropics", "toxics", "precursors", "anabolics", "vaccines"}


def lists_of(value, key):
    """Every list of codes that stands under the key, however deep."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name == key:
                yield from each
            else:
                yield from lists_of(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from lists_of(each, key)


def test_every_data_file_of_every_service_uses_the_vocabulary_alone():
    data = {path: json.loads(path.read_text()) for path in ROOT.glob("services/*/src/*/*/data/*.json")}
    points = [
        row["value"] for path, rows in data.items() if path.name == "points_tender_rules.json" for row in rows
    ]
    named = {code for codes in points for code in codes}
    for path, rows in data.items():
        if path.name not in {"examples.json", "expense_categories.json"}:
            named |= {*lists_of(rows, "categories"), *lists_of(rows, "scope")}
    demo = json.loads((ROOT / "deploy/embedded/src/apotheca/data/demo_catalogue.json").read_text())
    named |= demo["categories"].keys()
    assert named >= DRUGS
    assert named - {samples.EVERYTHING} <= CATEGORIES.keys()


def test_the_vocabulary_is_whole():
    rows = categories.vocabulary()
    codes = [each.code for each in rows.categories] + [each.code for each in rows.formerly]
    assert len(codes) == len({*codes})
    assert {*FORMERLY.values()} <= CATEGORIES.keys()
    for each in rows.categories:
        assert all((each.zh, each.en, each.source))
        assert each.mark in {"V", "S", "M", "tenant"}
        if each.parent is not None:
            assert CATEGORIES[each.parent].parent is None


@pytest.mark.parametrize("kind", [Product, Told])
def test_receipts_and_catalogue_take_codes_of_the_vocabulary_and_no_other(kind):
    [category] = [each.type for each in msgspec.structs.fields(kind) if each.name == "category"]
    assert category == CategoryCode


@pytest.mark.parametrize("code", ["drug", "RX", "rx ", "otc-a", "", "gold", "rx\n"])
def test_another_code_is_refused_with_those_that_there_are(code):
    for _, form in (finance_fields.CATEGORY, customers_fields.CATEGORY):
        with pytest.raises(ValidationError, match="a category: rx, otc, "):
            form(code)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(code, CategoryCode)


@pytest.mark.parametrize("code", [*CATEGORIES, *FORMERLY])
def test_each_code_is_taken_the_former_ones_too(code):
    assert msgspec.convert(code, CategoryCode) == code
    for check in (*finance_fields.CATEGORY, *customers_fields.CATEGORY):
        check(code)


def test_a_former_code_is_read_as_the_one_it_became():
    for former, code in FORMERLY.items():
        assert categories.meaning(former) == code
        for one, other in ((former, code), (code, former), (former, former)):
            assert categories.is_permitted(one, [other])
    granted = permissions.Permission(1, "hospital", True, ["device", "rx"], None)
    permissions.require(granted, ["medical_device", "prescription"], TODAY)
    with pytest.raises(permissions.TradeNotPermitted):
        permissions.require(granted, ["narcotics"], TODAY)
    with pytest.raises(samples.SampleForbidden):
        samples.require_allowed("public", "prescription", TODAY)
    assert categories.meaning("prescription") in never_for(TODAY)


def test_what_permits_a_category_permits_those_below_it_and_nothing_beside():
    assert categories.is_permitted("otc_a", ["otc"])
    assert not categories.is_permitted("otc", ["otc_a"])
    assert not categories.is_permitted("otc_b", ["otc_a"])
    assert not categories.is_permitted("narcotics", ["rx"])
    permission = licences.Permission(allowed=True, categories=("otc",), reasons=(), valid_until=None)
    assert licences.for_categories(permission, ["otc_b"]).allowed
    assert not licences.for_categories(permission, ["rx"]).allowed


@pytest.mark.parametrize("code", sorted(DRUGS))
def test_no_drug_but_those_of_class_b_is_a_gift_to_the_public_or_is_paid_by_points(code):
    assert code in never_for(TODAY)
    with pytest.raises(samples.SampleForbidden):
        samples.require_allowed("public", code, TODAY)
    samples.require_allowed("public", "otc_b", TODAY)
