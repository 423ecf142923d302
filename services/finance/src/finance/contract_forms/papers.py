"""A contract on paper: Chinese first, English beside it, with its form number and change history.

Finance holds no names: the customer and its signatory are named by their ids, their lines are left open for the seal.
Source: F8, F26, X7
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from finance import printing
from finance.kernel import dated
from finance.kernel.words import in_words
from finance.settings import company_on
from shared.clock import business_date
from shared.money import FEN_MAX

PAPER = """<!doctype html><html lang="zh"><head><title>{{ texts.title }}</title></head><body>
<p class="meta">{{ texts.form_label }}: {{ texts.form }}</p>
<h1>{{ texts.title }}</h1>
<p class="meta">{{ label.number }}: {{ number }}<br>{{ label.version }}: {{ version }}<br>
{{ label.seller }}: {{ seller.zh }} {{ seller.en }} ({{ branch_id }})<br>{{ label.buyer }}: {{ customer_id }}<br>
{{ label.dated_on }}: {{ content.dated_on or "" }}<br>{{ label.place }}: {{ content.place or "" }}</p>
<table><thead><tr><th>{{ label.line }}</th><th>{{ label.product }}</th><th>{{ label.specification }}</th>
<th>{{ label.dosage_form }}</th><th class="amount">{{ label.quantity }}</th>
<th class="amount">{{ label.unit_price }}</th><th class="amount">{{ label.tax }}</th>
<th class="amount">{{ label.amount }}</th><th>{{ label.delivery_date }}</th></tr></thead><tbody>
{% for line in lines %}
<tr><td>{{ line.line_no or "" }}</td><td>{{ line.product_id or "" }} {{ line.generic_name or "" }}</td>
<td>{{ line.specification or "" }}</td><td>{{ line.dosage_form or "" }}</td>
<td class="amount">{{ line.quantity or "" }}</td>
<td class="amount">{{ "" if line.unit_price_fen is none else yuan(line.unit_price_fen) }}</td>
<td class="amount">{{ "" if line.tax_bp is none else line.tax_bp / 100 }}</td>
<td class="amount">{{ yuan(line.amount_fen) }}</td><td>{{ line.delivery_date or "" }}</td></tr>
{% endfor %}
<tr><td colspan="7">{{ label.total }}: {{ words }}</td><td class="amount">{{ yuan(total_fen) }}</td><td></td></tr>
</tbody></table>
<p>{{ label.payment }}: {{ method }}</p>
{% for each in instalments %}<p>{{ (label.instalment if each.days else label.at_once).format(days=each.days, share=each.share_bp / 100) }}</p>
{% endfor %}
<p>{{ label.quality }}: {{ content.quality_clause or "" }}</p>
<p>{{ label.validity }}: {{ content.valid_from or "" }} – {{ content.valid_until or "" }}</p>
<p>{{ label.amendment }}</p>
<table><tbody><tr><td>{{ label.our_signatory }}: {{ content.our_signatory or "" }}</td>
<td>{{ label.customer_signatory }}: {{ content.customer_signatory or "" }}</td></tr>
<tr><td>{{ label.seal }}<br><br><br></td><td>{{ label.seal }}<br><br><br></td></tr></tbody></table>
<p class="meta">{{ label.paper }}: {{ content.file_sha256 or "" }}</p>
{% if versions %}<p>{{ label.history }}</p>
<table><thead><tr><th>{{ label.version }}</th><th>{{ label.agreed_on }}</th><th>{{ label.reason }}</th>
<th>{{ label.person }}</th><th>{{ label.hash }}</th></tr></thead><tbody>
{% for each in versions %}<tr><td>{{ each.version }}</td><td>{{ each.agreed_on }}</td>
<td>{{ each.reason or "" }}</td><td>{{ each.made_by }}</td><td>{{ each.content_hash[:16] }}</td></tr>
{% endfor %}</tbody></table>{% endif %}
</body></html>"""


@cache
def _texts() -> dict[str, Any]:
    texts: dict[str, Any] = dated.read("contract_texts")
    return texts


def form() -> str:
    """The number of the controlled form, with its revision (X7)."""
    number: str = _texts()["form"]
    return number


def _day_of(row: Mapping[str, Any], content: Mapping[str, Any]) -> date:
    dated_on = content["dated_on"]
    return business_date(row["drafted_at"]) if dated_on is None else date.fromisoformat(dated_on)


def contract(
    row: Mapping[str, Any],
    content: Mapping[str, Any],
    *,
    version: int,
    versions: Sequence[Mapping[str, Any]],
) -> bytes:
    """A version, or (0) the draft with what it has so far. Raises PrintingUnavailable."""
    texts = _texts()
    lines = [
        {**line, "amount_fen": (line["quantity"] or 0) * (line["unit_price_fen"] or 0)}
        for line in content["lines"] or []
    ]
    total = sum(line["amount_fen"] for line in lines)
    terms = content["payment_terms"] or {}
    return printing.pdf(
        PAPER,
        {
            "texts": texts,
            "label": texts["labels"],
            "number": row["number"],
            "version": version or texts["draft"],
            "branch_id": row["branch_id"],
            "seller": company_on(_day_of(row, content)),
            "customer_id": str(row["customer_id"]),
            "content": content,
            "lines": lines,
            "total_fen": total,
            "words": in_words(total) if total <= FEN_MAX else "",
            "method": texts["methods"].get(terms.get("method"), ""),
            "instalments": terms.get("instalments") or [],
            "versions": versions,
        },
    )
