"""The delivery note that goes with a shipment (随货同行单): what GSP asks of it, in Chinese with English.

Finance holds no names and addresses: the buyer is named by its id, its name and address are left open.
Source: X11, F24, 药品经营质量管理规范 (随货同行单)
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from finance import printing
from finance.kernel import dated
from finance.kernel.words import in_words
from finance.settings import company_on

PAPER = """<!doctype html><html lang="{{ language }}"><head><title>{{ label.title }}</title>
<style>@page { size: A4 landscape; } td { overflow-wrap: anywhere; }</style></head><body>
<h1>{{ label.title }}</h1>
<p class="meta">{{ label.supplier }}: {{ supplier }} ({{ note.branch_id }})　{{ label.buyer }}: {{ note.customer_id }}<br>
{{ label.number }}: {{ note.receipt_number }}　{{ label.order }}: {{ note.number }}　{{ label.date }}: {{ note.sent_on }}<br>
{{ label.consignee }}: ________________________　{{ label.address }}: ________________________________</p>
<table><thead><tr>
{% for name in columns %}<th{% if name in amounts %} class="amount"{% endif %}>{{ label[name] }}</th>
{% endfor %}</tr></thead><tbody>
{% for line in note.lines %}
<tr><td>{{ line.product.generic_name }}</td><td>{{ line.product.dosage_form }}</td>
<td>{{ line.product.specification }}</td><td>{{ line.product.mah }}</td><td>{{ line.product.maker }}</td>
<td>{{ line.product.approval_number }}</td><td>{{ line.lot }}</td><td>{{ line.expiry }}</td>
<td>{{ temperatures[line.product.temp_class] }}</td><td class="amount">{{ line.quantity }}</td>
<td class="amount">{{ yuan(line.unit_price_fen - line.unit_discount_fen) }}</td>
<td class="amount">{{ yuan(line.total_fen) }}</td></tr>
{% endfor %}
<tr><td colspan="11">{{ label.total }}: {{ words }}</td><td class="amount">{{ yuan(note.total_fen) }}</td></tr>
</tbody></table>
{% if codes %}<p class="meta">{{ label.trace_codes }}: {{ codes | join(" ") }}</p>{% endif %}
<p class="meta">{{ label.sent_by }}: {{ note.sent_by }}　{{ label.received_by }}: ________________</p>
<p class="signature">{{ label.seal }}<br>{{ note.sent_on }}</p>
</body></html>"""
COLUMNS = (
    "generic_name",
    "dosage_form",
    "specification",
    "mah",
    "maker",
    "approval_number",
    "lot",
    "expiry",
    "storage",
    "quantity",
    "unit_price",
    "amount",
)
AMOUNTS = frozenset({"quantity", "unit_price", "amount"})


@cache
def labels(language: str) -> dict[str, Any]:
    """The words of the note."""
    words: dict[str, Any] = dated.read("delivery_note")[language]
    return words


def delivery_note(note: Mapping[str, Any], language: str) -> bytes:
    """The note of a shipment, as PDF. Raises PrintingUnavailable."""
    words = labels(language)
    return printing.pdf(
        PAPER,
        {
            "language": language,
            "label": words["labels"],
            "temperatures": words["temperatures"],
            "columns": COLUMNS,
            "amounts": AMOUNTS,
            "note": note,
            "supplier": company_on(note["sent_on"])["zh" if language == "zh" else "en"],
            "codes": [code for line in note["lines"] for code in line["trace_codes"]],
            "words": in_words(note["total_fen"]),
        },
    )
