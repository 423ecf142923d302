"""The fast decoder, the schema of the document and what tells the faults refuse the same receipts."""

import copy
import json

import msgspec
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from finance.kernel.receipt import Receipt, decoder
from finance.sales.commands.bulk import Result
from finance.sales.rules.files import from_csv, from_ndjson, invalid, lines_of
from finance.sales.schemas import ReceiptBody
from shared.explain_typed import faults_of_type
from tests.support.finance_builders import CUSTOMER, a_line, a_receipt, money, ndjson

FULL = a_receipt(
    "R-1",
    customer_id=CUSTOMER,
    late=False,
    lines=[a_line(product={"dosage_form": "capsule", "specification": "0.25 g", "mah": "M", "maker": "M", "approval_number": "H1"}), a_line()],
)  # fmt: skip
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=70),
    st.sampled_from(
        ["", "2026-03-03", "2026-03-03T00:00:00", "2026-03-03 00:00:00Z", "2026-02-30", "R-1\n", "a\tb", "\x00", "é",
         "cash", "CNY", "STORE", "store", "0199b1c000007000800000000000000g", "0199b1c0000070008000000000000001",
         0, 1, -1, 1.0, 10**6 + 1, 10**15 + 1, 2**63, 2**70]
    ),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["fen", "currency", "id", "x"]), st.integers() | st.just("CNY"), max_size=3),
)  # fmt: skip


def paths(value, path=()):
    yield path
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*path, index))


PATHS = [path for path in paths(FULL) if path]


@st.composite
def twisted(draw):
    """A receipt with up to three things replaced, removed, added or repeated."""
    receipt = copy.deepcopy(FULL)
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=3)):
        holder = receipt
        try:
            for step in path[:-1]:
                holder = holder[step]
            way = draw(st.sampled_from(["replace", "remove", "add", "repeat"]))
            if way == "replace":
                holder[path[-1]] = draw(ODD)
            elif way == "remove":
                del holder[path[-1]]
            elif way == "add" and isinstance(holder, dict):
                holder[draw(st.text(min_size=1, max_size=5))] = draw(ODD)
            elif way == "repeat" and isinstance(holder, list):
                holder.extend(copy.deepcopy(holder[-1]) for _ in range(draw(st.sampled_from([1, 5, 200]))))
        except (KeyError, IndexError, TypeError):
            continue
    return receipt


@settings(max_examples=400)
@given(twisted())
def test_the_strict_decoder_the_schema_and_the_teller_of_faults_accept_the_same(receipt):
    raw = json.dumps(receipt).encode()
    payload = orjson_like(raw)
    told = list(faults_of_type(Receipt, payload))
    assert is_decoded(raw) == (ReceiptBody().validate(payload) == {}) == (not told)
    assert not any("`" in each.message or "^" in each.message for each in told)


def is_decoded(raw):
    try:
        decoder.decode(raw)
    except msgspec.ValidationError:
        return False
    return True


def orjson_like(raw):
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        return json.loads(raw)


@pytest.mark.parametrize("payload", [None, 1, "x", [], {}, {"lines": 3}, {"lines": [1]}, {"tenders": [[]]}])
def test_every_refusal_of_a_payload_names_at_least_one_fault(payload):
    with pytest.raises(msgspec.ValidationError):
        decoder.decode(json.dumps(payload))
    assert invalid(payload).context["errors"]


@given(st.lists(st.binary(max_size=40)), st.integers(1, 7))
def test_lines_are_the_same_however_the_stream_is_cut(parts, size):
    whole = b"\n".join(part.replace(b"\n", b"") for part in parts)
    chunks = [whole[i : i + size] for i in range(0, len(whole), size)]
    assert list(lines_of(chunks)) == list(lines_of([whole] if whole else []))


def test_a_line_without_end_costs_one_refusal_and_no_memory():
    chunks = [b"x" * 1_000_000] * 5 + [b"\n" + ndjson([FULL])]
    items = list(from_ndjson(chunks))
    assert [item.line for item in items] == [1, 2]
    assert items[0].refusal.code == "line_too_long"
    assert items[1].number == "R-1"


def test_a_bad_line_is_refused_alone_with_its_number():
    items = list(from_ndjson([ndjson([FULL, "{", "", "[1]", FULL | {"late": 3}])]))
    assert [(item.line, item.refusal and item.refusal.code) for item in items] == [
        (1, None),
        (2, "json_malformed"),
        (4, "json_not_an_object"),
        (5, "payload_invalid"),
    ]


HEAD = (
    "receipt_number,branch_id,customer_id,channel,sold_at,late,product_id,generic_name,category,temp_class,"
    "lot,expiry,quantity,unit_price_fen,discount_fen,tax_bp,cost_fen,tenders\n"
)


def test_rows_with_one_number_are_one_receipt_equal_to_its_json():
    row = "R-1,S001,,store,2026-03-03T02:15:00Z,,P-1,阿莫西林胶囊,otc,normal,L1,2099-12-31,2,1990,80,1300,2300,{}\n"
    text = (
        HEAD
        + row.format("cash=3900;wechat=3900")
        + row.format("")
        + row.replace("R-1", "R-2").format("cash=3900")
    )
    first, second = from_csv([text.encode()])
    tenders = [{"tender": "cash", "amount": money(3900)}, {"tender": "wechat", "amount": money(3900)}]
    expected = a_receipt("R-1", lines=[a_line(), a_line()], tenders=tenders)
    assert first.receipt == decoder.decode(json.dumps(expected))
    assert (first.line, second.line, second.number) == (2, 4, "R-2")


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("R-1,S001,,store,2026-03-03T02:15:00Z,,P-1,N,otc,normal,L1,2099-12-31,0,1990,,1300,1,cash=3980", "payload_invalid", "quantity"),
        ("R-1,S001,,store,2026-03-03T02:15:00Z,,P-1,N,otc,normal,L1,2099-12-31,2.5,1990,,1300,1,cash=3980", "payload_invalid", "quantity"),
        ("R-1,S001,,store,2026-03-03T02:15:00Z,maybe,P-1,N,otc,normal,L1,2099-12-31,1,1990,,1300,1,cash=1990", "payload_invalid", "late"),
        ("R-1,S001,,store,2026-03-03T02:15:00Z,,P-1,N,otc,normal,L1,2099-12-31,1,1990,,1300,1,gold=1990", "payload_invalid", "tenders"),
        ("R-1,S001,,store,2026-03-03T02:15:00Z,,P-1,N,otc,normal,L1,2099-12-31,1,1990,,1300,1,cash", "payload_invalid", "tenders"),
        ("R-1", "payload_invalid", "branch_id"),
        (",".join("x" * 30), "line_malformed", None),
        ('"x"y', "line_malformed", None),
    ],
)  # fmt: skip
def test_a_bad_row_is_refused_and_the_next_receipt_is_not(row, code, column):
    good = "R-9,S001,,store,2026-03-03T02:15:00Z,,P-1,N,otc,normal,L1,2099-12-31,1,1990,,1300,1,cash=1990\n"
    bad, fine = from_csv([(HEAD + row + "\n" + good).encode()])
    assert bad.refusal.code == code
    assert column is None or (2, column) in [
        (each.row, each.column) for each in bad.refusal.context["errors"]
    ]
    assert fine.number == "R-9"


CELLS = (
    b"R-9,S001,,store,2026-03-03T02:15:00Z,,P-1,N,otc,normal,L1,2099-12-31,1,1990,,1300,1,cash=1990".split(
        b","
    )
)


@given(st.binary(max_size=400))
@example(b",,\x80\n")
def test_no_bytes_break_the_csv_reader(raw):
    for item in from_csv([HEAD.encode(), raw]):
        assert item.receipt is not None or item.refusal is not None


@pytest.mark.parametrize("place", range(len(CELLS)))
def test_bytes_that_are_no_text_are_refused_in_any_column_and_told(place):
    row = b",".join(b"\x80" if at == place else cell for at, cell in enumerate(CELLS)) + b"\n"
    [item] = from_csv([HEAD.encode(), row])
    assert item.refusal is not None
    told = Result(item.line, item.number, "refused", refusal=item.refusal).json()
    assert orjson.loads(told)["state"] == "refused"


@pytest.mark.parametrize(("fen", "fits"), [(0, False), (1, True), (10**15, True), (10**15 + 1, False)])
def test_a_tender_pays_something_and_the_document_says_so(fen, fits):
    told = list(faults_of_type(Receipt, FULL | {"tenders": [{"tender": "cash", "amount": money(fen)}]}))
    assert [(each.path, each.code) for each in told] == (
        [] if fits else [("tenders.0.amount.fen", "out_of_range")]
    )
    amount = ReceiptBody().fields["tenders"].inner.schema.fields["amount"].metadata
    assert amount["properties"]["fen"]["minimum"] == 1
