"""Ways to type a prescription drug as something else, and the catalogue that knows better."""

from datetime import timedelta

from shared.clock import business_date, utc_now
from tests.support.cataloguing import a_product

TODAY = business_date(utc_now())
DRUG = {
    "product_id": "P-RX",
    "generic_name": "阿莫西林胶囊",
    "category": "rx",
    "temp_class": "cool",
    "dosage_form": "胶囊剂",
    "specification": "0.25 g × 24",
    "mah": "某某制药有限公司",
    "maker": "某某制药有限公司二厂",
    "approval_number": "国药准字H20170001",
}
"""As the catalogue of these days has it."""
BEFORE = {"category": "otc_b", "approval_number": "国药准字H20100001"}
LATER = {"category": "otc_a", "approval_number": "国药准字H20270001"}
VITAMIN = {
    "product_id": "P-VC",
    "generic_name": "维生素C片",
    "category": "otc_b",
    "temp_class": "normal",
    "approval_number": "国药准字H20190002",
}
OF_VITAMIN = {name: VITAMIN[name] for name in ("product_id", "category", "temp_class", "approval_number")}

REVIEW = {"number": "RX-1", "reviewed_by": "pharmacist-7", "reviewed_at": "2026-03-03T10:10:00+08:00"}
CONTRADICTS, UNKNOWN = "product_contradicts_catalogue", "product_unknown"
MALFORMED = "malformed"
"""Refused before the catalogue is asked: no such thing can be written."""

DISGUISES = {
    "an OTC drug": ({"category": "otc"}, CONTRADICTS),
    "a class A OTC drug": ({"category": "otc_a"}, CONTRADICTS),
    "no drug": ({"category": "general"}, CONTRADICTS),
    "a category almost like it": ({"category": "rx_"}, MALFORMED),
    "a category in capitals": ({"category": "RX"}, MALFORMED),
    "a category in full width": ({"category": "ｒｘ"}, MALFORMED),
    "a category with a blank": ({"category": "rx "}, MALFORMED),
    "a category with a zero-width space": ({"category": "r\u200bx"}, MALFORMED),
    "no category": ({"category": ""}, MALFORMED),
    "an id in small letters": ({"product_id": "p-rx", "category": "otc"}, UNKNOWN),
    "an id with a blank": ({"product_id": "P-RX ", "category": "otc"}, MALFORMED),
    "an id in full width": ({"product_id": "Ｐ-RX", "category": "otc"}, MALFORMED),
    "an id with a zero-width joiner": ({"product_id": "P-RX\u200d", "category": "otc"}, MALFORMED),
    "an id with a letter more": ({"product_id": "P-RXX", "category": "otc"}, UNKNOWN),
    "an id of no product": ({"product_id": "P-0", "category": "otc"}, UNKNOWN),
    "another product's id": ({"product_id": "P-VC"}, CONTRADICTS),
    "another product, but for the name": (OF_VITAMIN, CONTRADICTS),
    "no approval number": ({"approval_number": None}, CONTRADICTS),
    "another approval number": ({"approval_number": "国药准字H20190002"}, CONTRADICTS),
    "an approval number in small letters": ({"approval_number": "国药准字h20170001"}, CONTRADICTS),
    "an approval number in full width": ({"approval_number": "国药准字Ｈ20170001"}, CONTRADICTS),
    "an approval number with a zero-width space": (
        {"approval_number": "国药准字H2017\u200b0001"},
        CONTRADICTS,
    ),
    "another storage": ({"temp_class": "normal"}, CONTRADICTS),
    "another strength": ({"specification": "0.5 g × 24"}, CONTRADICTS),
    "another form": ({"dosage_form": "片剂"}, CONTRADICTS),
    "another name": ({"generic_name": "维生素C片"}, CONTRADICTS),
    "another maker": ({"maker": "另一制药厂"}, CONTRADICTS),
    "what it was called before": (BEFORE, CONTRADICTS),
    "what it is to be called": (LATER, CONTRADICTS),
}
"""By what it is: what is said instead, and how every door that asks for it answers."""


def told(product):
    """A product of the catalogue, as a receipt would name it."""
    return a_product(**{name: value for name, value in product.items() if value is not None})


def keep_version(office, product, version, day, legal_class="rx", control_class="none"):
    """A version from a day on: of days gone by, and of days to come, at once."""
    row = {
        **dict.fromkeys(("dosage_form", "specification", "mah", "maker")),
        **product,
        "legal_class": legal_class,
        "control_class": control_class,
    }
    names = ", ".join(row)
    office.rows(
        f"insert into product_versions ({names}, version, effective_from, unit, pack_factor, gtins,"
        " trace_prefixes, source, source_version, changed_by, changed_at)"
        f" values ({', '.join(f':{name}' for name in row)}, :version, :day, '盒', 1, '{{}}', '{{}}', 'master', '1', 'x',"
        " now()) returning 1",
        **row,
        version=version,
        day=day,
    )


def fill(office):
    """The drug as it was, is and will be; and the vitamin."""
    keep_version(office, DRUG | BEFORE, 1, "2024-01-01", "otc_b")
    keep_version(office, DRUG, 2, "2025-06-01")
    keep_version(office, DRUG | LATER, 3, TODAY + timedelta(days=3), "otc_a")
    keep_version(office, VITAMIN, 1, "2024-01-01", "otc_b")


def set_mode(office, mode, day):
    """A mode proposed by management, approved by both."""
    body = {"mode": mode, "effective_from": str(day), "reason": "r"}
    answer = office.post("/v1/product-check-settings", body, role="management")
    assert answer.status_code == 201, answer.text
    path = f"/v1/product-check-settings/{answer.json['setting_id']}/decisions"
    for role in ("qa", "finance_head"):
        answer = office.post(path, {"decision": "approved", "reason": None}, role=role)
        assert answer.status_code == 200, answer.text
    return answer.json
