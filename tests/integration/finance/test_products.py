"""The product catalogue: told by its source, approved where safety is at stake, dated, read and published."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
import xlsxwriter

from finance.products.rules import earliest
from shared.clock import business_date, utc_now
from shared.workbook import XLSX
from tests.support.cataloguing import SOURCE, Catalogue, a_product, ean13
from tests.support.finance_builders import refused

TODAY = business_date(utc_now())


@pytest.fixture(scope="module")
def catalogue(office):
    return Catalogue(office)


def an_id():
    return f"P-{uuid4().hex[:10]}"


def events_of(office, product_id):
    return [
        data
        for (data,) in office.rows(
            "select data from outbox where type = 'finance.product.changed.v1' and subject = :id order by version",
            id=product_id,
        )
    ]


@pytest.mark.requirement("X11")
def test_a_new_product_holds_when_another_person_of_quality_assurance_approved_it(office, catalogue):
    product = a_product(an_id(), trade_name="阿莫仙", gtins=[ean13(1)], effective_from="2026-01-01")
    told = catalogue.told(product)
    assert (told["state"], told["version"]) == ("proposed", None)
    path = f"product-proposals/{told['proposal_id']}"
    assert catalogue.on(product["product_id"]) is None
    [waiting] = catalogue.read(f"product-proposals?state=proposed&product_id={product['product_id']}")
    assert (waiting["is_new"], waiting["before"], waiting["fields"]["legal_class"]) == (True, None, "rx")
    # neither who told it, nor another office
    refused(catalogue.decide(path, role="business_head"), 403, "role_not_admitted")
    own = catalogue.told(a_product(an_id()), role="qa", person="one")
    own_path = f"product-proposals/{own['proposal_id']}"
    refused(catalogue.decide(own_path, person="one"), 403, "approval_same_person")
    refused(catalogue.decide(path, "rejected"), 422, "approval_reason_missing")
    assert events_of(office, product["product_id"]) == []
    assert catalogue.decided(path)["version"] == 1
    refused(catalogue.decide(path), 409, "product_proposal_decided")
    # a product that was unknown may have been there before
    assert catalogue.on(product["product_id"], "2025-12-31") is None
    for day in ("2026-01-01", TODAY):
        found = catalogue.on(product["product_id"], day)
        assert (found["version"], found["effective_from"]) == (1, "2026-01-01")
        assert (found["source"], found["source_version"]) == ("master", "2026-11")
    [event] = events_of(office, product["product_id"])
    assert event == {
        "product_id": product["product_id"],
        "product_version": 1,
        "effective_from": "2026-01-01",
        "generic_name": "阿莫西林胶囊",
        "trade_name": "阿莫仙",
        **dict.fromkeys(("dosage_form", "specification", "mah", "maker", "approval_number", "vat_code")),
        "legal_class": "rx",
        "control_class": "none",
        "temp_class": "normal",
        "category": "rx",
        "unit": "盒",
        "pack_factor": 1,
        "gtins": [f"0{ean13(1)}"],
        "trace_prefixes": [],
        **SOURCE,
    }


def test_the_same_again_changes_nothing_whatever_waits_or_was_decided(office, catalogue):
    product = a_product(an_id())
    first = catalogue.told(product)
    again = catalogue.told(product)
    assert (again["state"], again["proposal_id"]) == ("waiting", first["proposal_id"])
    path = f"product-proposals/{first['proposal_id']}"
    catalogue.decided(path, "rejected", "没有注册证")
    assert catalogue.told(product)["state"] == "rejected"
    # a newer version of the source asks again
    newer = catalogue.told({**product, "source_version": "2026-12"})
    assert newer["state"] == "proposed"
    catalogue.decided(f"product-proposals/{newer['proposal_id']}")
    assert catalogue.told(product) == {
        "product_id": product["product_id"],
        "state": "unchanged",
        "version": 1,
        "proposal_id": None,
    }
    assert (
        len(catalogue.versions(product["product_id"])) == len(events_of(office, product["product_id"])) == 1
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("legal_class", "otc_b"),
        ("control_class", "psychotropic"),
        ("temp_class", "cold_2_8"),
        ("category", "otc"),
        ("approval_number", "国药准字H20260001"),
    ],
)
def test_what_matters_for_safety_waits_and_all_else_holds_from_the_next_day(catalogue, field, value):
    product = a_product(an_id())
    catalogue.agreed(product)
    first_day = earliest(utc_now())
    told = catalogue.told({**product, "maker": "华北制药", field: value})
    assert (told["state"], told["version"]) == ("proposed", 2)
    product_id = product["product_id"]
    assert catalogue.on(product_id)["maker"] is None
    later = catalogue.on(product_id, first_day)
    assert (later["maker"], later[field]) == ("华北制药", product.get(field))
    [waiting] = catalogue.read(f"product-proposals?state=proposed&product_id={product_id}")
    assert (waiting["fields"], waiting["before"]) == ({field: value}, {field: product.get(field)})
    catalogue.decided(f"product-proposals/{waiting['proposal_id']}")
    assert catalogue.on(product_id)[field] == product.get(field)
    later = catalogue.on(product_id, first_day)
    assert (later["version"], later["maker"], later[field]) == (3, "华北制药", value)


def test_the_catalogue_of_a_day_does_not_change_once_it_has_begun(catalogue):
    product = a_product(an_id())
    catalogue.agreed(product)
    first_day = earliest(utc_now())
    assert first_day > TODAY
    for day in (TODAY - timedelta(days=1), first_day - timedelta(days=1)):
        changed = {**product, "maker": "x", "effective_from": str(day)}
        answer = refused(catalogue.tell(changed), 422, "product_backdated")
        assert (answer["errors"][0]["path"], str(first_day) in answer["detail"]) == ("effective_from", True)
    far = {**product, "maker": "x", "effective_from": "2099-01-01"}
    refused(catalogue.tell(far), 422, "product_too_far_ahead")
    # nor behind a version that is to come
    soon = str(first_day + timedelta(days=9))
    assert catalogue.told({**product, "maker": "x", "effective_from": soon})["state"] == "changed"
    changed = {**product, "maker": "y", "effective_from": str(first_day)}
    refused(catalogue.tell(changed), 422, "product_backdated")
    assert catalogue.told({**product, "maker": "y"})["version"] == 3
    assert catalogue.versions(product["product_id"])[-1]["effective_from"] == soon


def test_what_waits_is_replaced_by_what_its_source_says_now(catalogue):
    product = a_product(an_id())
    catalogue.agreed(product)
    first = catalogue.told({**product, "legal_class": "otc_a"})
    second = catalogue.told({**product, "legal_class": "otc_b"})
    assert second["state"] == "proposed"
    assert second["proposal_id"] != first["proposal_id"]
    refused(catalogue.decide(f"product-proposals/{first['proposal_id']}"), 409, "product_proposal_decided")
    assert catalogue.told(product)["state"] == "unchanged"
    assert catalogue.read(f"product-proposals?state=proposed&product_id={product['product_id']}") == []
    refused(catalogue.decide(f"product-proposals/{uuid4()}"), 404, "product_proposal_not_found")


def test_a_code_names_one_product(catalogue):
    code, prefix = ean13(77), "8123456"
    first = a_product(an_id(), gtins=[code], trace_prefixes=[prefix])
    catalogue.agreed(first)
    for odd in ({"gtins": [code]}, {"gtins": [f"0{code}"]}, {"trace_prefixes": [prefix]}):
        answer = refused(catalogue.tell(a_product(an_id(), **odd)), 409, "product_code_taken")
        assert answer["holder_id"] == first["product_id"]
    # two that waited for it at once: the second is found when it is approved
    other = ean13(78)
    one, two = (catalogue.told(a_product(an_id(), gtins=[other])) for _ in range(2))
    catalogue.decided(f"product-proposals/{one['proposal_id']}")
    path = f"product-proposals/{two['proposal_id']}"
    refused(catalogue.decide(path), 409, "product_code_taken")
    catalogue.decided(path, "rejected", "条码属于另一商品")
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    for gtins in ([wrong], [ean13(5), ean13(5)], [ean13(5), f"0{ean13(5)}"]):
        refused(catalogue.tell(a_product(an_id(), gtins=gtins)), 422, "gtin_invalid")
    # what its product gives up is free
    catalogue.told({**first, "gtins": []})
    assert catalogue.told(a_product(an_id(), gtins=[code]))["state"] == "proposed"


def test_products_are_found_by_code_gtin_approval_number_and_class(catalogue):
    number = f"国药准字H{uuid4().int % 10**8:08d}"
    product = a_product(
        an_id(), gtins=[ean13(901), "96385074"], approval_number=number, control_class="narcotic",
        trace_prefixes=["8765432"], category="narcotics", legal_class="rx", temp_class="cool",
    )  # fmt: skip
    catalogue.agreed(product)
    for asked in (
        f"gtin={ean13(901)}",
        f"gtin=0{ean13(901)}",
        "gtin=96385074",
        f"approval_number={number}",
        "trace_prefix=8765432",
        "control_class=narcotic&temp_class=cool",
        "category=narcotics&legal_class=rx",
    ):
        assert [each["product_id"] for each in catalogue.read(f"products?{asked}")] == [product["product_id"]]
    assert catalogue.read(f"products?gtin={ean13(902)}") == []
    # of a day: what a product gave up is not found by it
    first_day = earliest(utc_now())
    catalogue.told({**product, "gtins": []})
    assert catalogue.read(f"products?gtin={ean13(901)}&day={first_day}") == []
    assert len(catalogue.read(f"products?gtin={ean13(901)}")) == 1


def test_a_file_is_answered_row_by_row_and_decided_as_a_whole(office, catalogue):
    ids = [an_id() for _ in range(4)]
    rows = [a_product(each, gtins=[ean13(2000 + no)]) for no, each in enumerate(ids)]
    rows[1]["legal_class"] = "OTC"
    again = {**rows[0], "maker": "x"}
    told = catalogue.uploaded([*rows, again, a_product(an_id(), gtins=[ean13(2000)])])
    assert [each["line"] for each in told] == [1, 2, 3, 4, 5, 6]
    states = ["proposed", "refused", "proposed", "proposed", "proposed", "refused"]
    assert [each["state"] for each in told] == states
    assert told[1]["code"] == "payload_invalid"
    assert [each["path"] for each in told[1]["errors"]] == ["legal_class"]
    assert (told[5]["code"], told[5]["product_id"] not in ids) == ("product_code_taken", True)
    upload_id = told[0]["upload_id"]
    assert {each["upload_id"] for each in told} == {upload_id}
    # the first row's proposal gave way to that of the fifth
    waiting = catalogue.read(f"product-proposals?state=proposed&upload_id={upload_id}")
    assert {each["product_id"] for each in waiting} == {ids[0], ids[2], ids[3]}
    path = f"product-uploads/{upload_id}"
    refused(catalogue.decide(path, person="the-purchaser"), 403, "approval_same_person")
    assert catalogue.decided(path)["waiting"] == 0
    assert catalogue.on(ids[0])["maker"] == "x"
    assert [len(events_of(office, each)) for each in ids] == [1, 0, 1, 1]
    refused(catalogue.decide(path), 409, "product_upload_settled")
    refused(catalogue.decide(f"product-uploads/{uuid4()}"), 404, "product_upload_not_found")
    assert [each["state"] for each in catalogue.uploaded([rows[2], rows[3], again])] == ["unchanged"] * 3


def test_a_file_sent_again_takes_over_what_waits_of_the_first(catalogue):
    rows = [a_product(an_id()) for _ in range(3)]
    first = catalogue.uploaded(rows[:2])  # it broke off
    whole = catalogue.uploaded(rows)
    assert [each["state"] for each in whole] == ["waiting", "waiting", "proposed"]
    assert whole[0]["proposal_id"] == first[0]["proposal_id"]
    refused(catalogue.decide(f"product-uploads/{first[0]['upload_id']}"), 409, "product_upload_settled")
    catalogue.decided(f"product-uploads/{whole[0]['upload_id']}")
    assert all(catalogue.on(each["product_id"]) for each in rows)


def test_rows_of_one_file_find_what_those_before_them_told(office, catalogue):
    one, other, new = an_id(), an_id(), an_id()
    code = ean13(4001)
    catalogue.agreed(a_product(one, gtins=[code]))
    catalogue.agreed(a_product(other))
    told = catalogue.uploaded(
        [
            a_product(other, gtins=[code]),
            a_product(one, maker="x"),  # gives the code up
            a_product(other, gtins=[code]),
            a_product(one, gtins=[code]),
            a_product(one, maker="y"),
            a_product(one, maker="y"),
            a_product(one, maker="y", legal_class="otc_a"),
            a_product(one, maker="y", legal_class="otc_b"),
            a_product(one, maker="y", legal_class="otc_b"),
            a_product(one, maker="y"),
            a_product(new, legal_class="rx"),
            a_product(new, legal_class="otc_a"),
        ]
    )
    assert [(each["state"], each.get("version")) for each in told] == [
        ("refused", None),
        ("changed", 2),
        ("changed", 2),
        ("refused", None),
        ("changed", 3),
        ("unchanged", 3),
        ("proposed", 3),
        ("proposed", 3),
        ("waiting", 3),
        ("unchanged", 3),
        ("proposed", None),
        ("proposed", None),
    ]
    assert [told[at]["holder_id"] for at in (0, 3)] == [one, other]
    assert told[7]["proposal_id"] == told[8]["proposal_id"] != told[6]["proposal_id"]
    assert [each["maker"] for each in catalogue.versions(one)] == [None, "x", "y"]
    assert [each["product_version"] for each in events_of(office, one)] == [1, 2, 3]
    states = {
        each["proposal_id"]: each["state"] for each in catalogue.read(f"product-proposals?product_id={one}")
    }
    assert (states[told[6]["proposal_id"]], states[told[7]["proposal_id"]]) == ("superseded", "superseded")
    [waiting] = catalogue.read(f"product-proposals?state=proposed&upload_id={told[0]['upload_id']}")
    assert waiting["proposal_id"] == told[11]["proposal_id"]
    rows = office.rows("select product_id from product_codes where code = :code", code=f"0{code}")
    assert rows == [(other,)]


def test_a_csv_tells_the_same_as_json_and_its_faults_by_row_and_column(catalogue):
    product_id, odd = an_id(), an_id()
    header = "product_id,generic_name,legal_class,control_class,temp_class,category,unit,gtins,pack_factor,source,source_version"
    body = (
        f"\ufeff{header}\r\n"
        f'{product_id},"阿莫西林, 胶囊",rx,none,normal,rx,盒,{ean13(31)};{ean13(32)},10,master,2026-11\r\n'
        f"{odd},阿莫西林,处方药,none,normal,rx,盒,,ten,master,2026-11\r\n"
    )
    for charset in ("utf-8", "gb18030"):
        told = catalogue.uploaded(
            body.removeprefix("\ufeff").encode(charset), kind=f"text/csv; charset={charset}"
        )
        assert [(each["line"], each["state"]) for each in told] == [
            (2, "proposed" if charset == "utf-8" else "waiting"),
            (3, "refused"),
        ]
        assert [(each["row"], each["column"]) for each in told[1]["errors"]] == [
            (3, "legal_class"),
            (3, "pack_factor"),
        ]
    [waiting] = catalogue.read(f"product-proposals?product_id={product_id}")
    assert waiting["fields"]["gtins"] == [f"0{ean13(31)}", f"0{ean13(32)}"]
    assert waiting["fields"]["pack_factor"] == 10
    refused(catalogue.upload(b"product_id,colour\nP,red\n", kind="text/csv"), 422, "csv_header_invalid")
    refused(catalogue.upload(b"[]", kind="application/json"), 415, "media_type_not_supported")


def a_workbook(rows):
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        for name, visible in (("说明", False), ("商品", True)):
            sheet = book.add_worksheet(name)
            if not visible:
                continue
            sheet.activate()
            for no, cells in enumerate(rows):
                sheet.write_row(no, 0, cells)
        book.worksheets()[0].hide()
    return file.getvalue()


def test_a_workbook_tells_the_same_as_a_csv_with_numbers_and_days_as_cells(catalogue):
    known, odd = an_id(), an_id()
    code = ean13(3301)
    header = [*a_product(), "gtins", "pack_factor", "effective_from"]
    row = [*a_product(known).values(), int(code), 10, "2026-03-01"]
    wrong = [*a_product(odd, legal_class="处方药").values(), "", "十", "明天"]
    body = a_workbook([header, row, [], wrong, [*row, "more"]])
    for state in ("proposed", "waiting"):
        told = catalogue.uploaded(body, kind=XLSX)
        assert [(each["line"], each["state"]) for each in told] == [
            (2, state),
            (4, "refused"),
            (5, "refused"),
        ]
    columns = {(each["row"], each["column"]) for each in told[1]["errors"]}
    assert columns == {(4, "legal_class"), (4, "pack_factor"), (4, "effective_from")}
    assert told[2]["code"] == "line_malformed"
    [waiting] = catalogue.read(f"product-proposals?product_id={known}")
    assert (waiting["fields"]["gtins"], waiting["fields"]["pack_factor"]) == ([f"0{code}"], 10)
    assert waiting["effective_from"] == "2026-03-01"
    refused(
        catalogue.upload(a_workbook([["product_id", "colour"], ["P", "red"]]), kind=XLSX),
        422,
        "csv_header_invalid",
    )


def test_a_workbook_that_would_fill_the_memory_is_refused_and_hurts_nobody(office, catalogue):
    """A sheet of two cells at its corners asks a reader that lays it out whole for half a terabyte."""
    corners = io.BytesIO()
    with xlsxwriter.Workbook(corners) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "product_id")
        sheet.write(1_048_575, 16_383, "x")
    wide = a_workbook([[f"c{no}" for no in range(101)]])
    for body in (
        corners.getvalue(),
        wide,
        b"PK\x03\x04 no workbook",
        b"product_id\nP-1\n",
        a_workbook([])[:-100],
    ):
        refused(catalogue.upload(body, kind=XLSX), 422, "workbook_unreadable")
    assert office.sell()["sale_id"]


def test_fifty_tills_sell_while_the_catalogue_is_told(office, catalogue):
    """Nobody waits for the other: an upload holds no row that a sale reads, and every row is taken once."""
    rows = [a_product(an_id(), gtins=[ean13(10_000 + no)]) for no in range(3_000)]
    with ThreadPoolExecutor(8) as pool:
        uploads = [pool.submit(catalogue.uploaded, rows, person=f"buyer-{no}") for no in range(2)]
        sold = [pool.submit(office.sell) for _ in range(50)]
        told = [each.result() for each in uploads]
        assert len({each.result()["sale_id"] for each in sold}) == 50
    states = [sorted({each["state"] for each in answer}) for answer in told]
    assert sorted(map(len, told)) == [3_000, 3_000]
    assert sum(each["state"] == "proposed" for answer in told for each in answer) == 3_000, states
    assert sum(each["state"] == "waiting" for answer in told for each in answer) == 3_000, states
    waiting = catalogue.read("product-uploads?has_waiting=true&limit=100")
    assert sum(each["waiting"] for each in waiting if each["uploaded_by"].startswith("buyer-")) == 3_000


def test_only_who_answers_for_every_branch_changes_the_catalogue(catalogue):
    product = a_product(an_id())
    refused(catalogue.tell(product, branches=("S001",)), 403, "company_not_covered")
    refused(catalogue.tell(product, role="till"), 403, "role_not_admitted")
    told = catalogue.told(product)
    path = f"product-proposals/{told['proposal_id']}"
    refused(catalogue.decide(path, branches=("S001",)), 403, "company_not_covered")
    refused(catalogue.upload(b"{}\n", branches=("S001",)), 403, "company_not_covered")


def test_a_search_finds_by_name_pinyin_and_code_the_best_first_what_holds_on_the_day(catalogue):
    mark = f"9{uuid4().int % 10**5:05d}"
    first, second, third = (f"S{mark}-{no}" for no in (1, 2, 3))
    rows = [
        a_product(
            first, generic_name="重组蚓激酶片", trade_name=f"博{mark}", gtins=[ean13(880_001)], trace_prefixes=["8188001"]
        ),
        a_product(second, generic_name="蚓激酶肠溶胶囊", approval_number="国药准字H20188002", legal_class="otc_a"),
        a_product(third, generic_name="蚓激酶", category="otc", legal_class="otc_b"),
    ]  # fmt: skip
    told = catalogue.uploaded(rows)
    assert catalogue.read("products?search=蚓激酶") == []  # nothing is agreed yet
    catalogue.decided(f"product-uploads/{told[0]['upload_id']}")

    def found(question, more=""):
        return [each["product_id"] for each in catalogue.read(f"products?search={question}{more}")]

    assert found("蚓激酶") == [third, second, first]
    assert found("激酶") == [first, second, third]
    assert found("蚓 激") == found("yinjim") == [second, third, first]
    for question in ("czyjm", "zzyjm", "chongzuyin", "ZHONGZUYIN", f"博{mark}", "重组蚓"):
        assert found(question) == [first], question
    digits = ean13(880_001)
    trace = "8188001" + "0" * 13
    for question in (
        digits,
        f"0{digits}",
        digits[:-1],
        digits[4:],
        "8188001",
        trace,
        f"s{mark}-1",
        first.lower(),
    ):
        assert found(question) == [first], question
    assert found("国药准字h20188002") == found("H2018 8002") == [second]
    assert found("%25") == found("_") == found("酶蚓") == []
    assert found("蚓激酶", "&legal_class=otc_a") == [second]
    assert found("蚓激酶", "&category=otc&day=2020-01-01") == []
    # what a product was called is found on the days on which it was
    first_day = earliest(utc_now())
    catalogue.told({**rows[2], "generic_name": "溶栓酶"})
    assert found("溶栓酶") == []
    assert found("溶栓酶", f"&day={first_day}") == [third]
    assert found("蚓激酶", f"&day={first_day}") == [second, first]
    assert found("蚓激酶")[0] == third
    # a page ends between two ranks or inside one
    pages, cursor = [], ""
    while cursor is not None:
        answer = catalogue.office.get(f"/v1/products?search=蚓激酶&limit=1{cursor}", role="qa").json
        pages += [each["product_id"] for each in answer["items"]]
        cursor = answer["next_cursor"] and f"&cursor={answer['next_cursor']}"
    assert pages == [third, second, first]


@pytest.mark.parametrize("question", ["", "%20%E3%80%80", "a" * 65])
def test_a_search_for_nothing_or_for_too_much_is_refused_in_both_languages(office, catalogue, question):
    told = {}
    for language in ("en", "zh-CN"):
        answer = office.app.test_client().get(
            f"/v1/products?search={question}", headers={**office.headers("qa"), "Accept-Language": language}
        )
        told[language] = refused(answer, 422, "payload_invalid")["errors"]
        assert {each["path"] for each in told[language]} == {"search"}
    assert all(each["message"].isascii() for each in told["en"])
    assert not any(each["message"].isascii() for each in told["zh-CN"])
