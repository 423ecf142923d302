"""The list of goods of an invoice (销售货物清单), with the amount in words; no name and no address of the buyer.

Source: F24, regulations 3.0c (papers of sales)
"""

from collections.abc import Mapping, Sequence
from typing import Any

from finance import printing
from finance.settings import company_on

KINDS: Mapping[str, Mapping[str, str]] = {
    "special": {"zh": "增值税专用发票", "en": "Special VAT invoice"},
    "ordinary": {"zh": "增值税普通发票", "en": "Ordinary VAT invoice"},
}
COLOURS: Mapping[str, Mapping[str, str]] = {
    "blue": {"zh": "蓝字", "en": "blue"},
    "red": {"zh": "红字（冲回）", "en": "red, takes back"},
}
LABELS: Mapping[str, Mapping[str, str]] = {
    "title": {"zh": "销售货物清单", "en": "List of goods sold"},
    "number": {"zh": "发票号码", "en": "Invoice"},
    "kind": {"zh": "发票种类", "en": "Kind"},
    "issued_on": {"zh": "开票日期", "en": "Issued on"},
    "seller": {"zh": "销售方", "en": "Seller"},
    "buyer": {"zh": "购买方编号", "en": "Buyer"},
    "walk_in": {"zh": "零散顾客", "en": "walk-in customer"},
    "goods": {"zh": "货物名称", "en": "Goods"},
    "specification": {"zh": "规格", "en": "Specification"},
    "lot": {"zh": "批号", "en": "Lot"},
    "quantity": {"zh": "数量", "en": "Quantity"},
    "net": {"zh": "金额（元）", "en": "Net (CNY)"},
    "rate": {"zh": "税率", "en": "VAT rate"},
    "tax": {"zh": "税额（元）", "en": "VAT (CNY)"},
    "invoiced": {"zh": "本发票金额", "en": "On this invoice"},
    "part": {
        "zh": "本发票只开具上列货物的一部分金额。",
        "en": "This invoice covers a part of these goods' amount.",
    },
    "total": {"zh": "价税合计", "en": "Total"},
    "words": {"zh": "金额大写", "en": "Amount in words"},
    "seal": {"zh": "（盖章）", "en": "(seal)"},
}
PAPER = """<!doctype html><html lang="zh"><head><title>{{ label.title.zh }}</title></head><body>
{% include "head" %}
<table><thead><tr>{% for name in ("goods", "specification", "lot") %}<th>{{ label[name].zh }} {{ label[name].en }}</th>
{% endfor %}{% for name in ("quantity", "net", "rate", "tax") %}
<th class="amount">{{ label[name].zh }} {{ label[name].en }}</th>{% endfor %}</tr></thead><tbody>
{% for line in lines %}
<tr><td>{{ line.generic_name }}</td><td>{{ line.specification or "" }}</td><td>{{ line.lot }}</td>
<td class="amount">{{ line.quantity * sign }}</td><td class="amount">{{ yuan(line.net_fen * sign) }}</td>
<td class="amount">{{ rate(line.tax_bp) }}</td><td class="amount">{{ yuan(line.tax_fen * sign) }}</td></tr>
{% endfor %}
{% for bp, net_fen, tax_fen in rates %}
<tr><td colspan="4">{{ label.invoiced.zh }} {{ label.invoiced.en }}</td><td class="amount">{{ yuan(net_fen * sign) }}</td>
<td class="amount">{{ rate(bp) }}</td><td class="amount">{{ yuan(tax_fen * sign) }}</td></tr>
{% endfor %}
<tr><td colspan="4">{{ label.total.zh }} {{ label.total.en }}</td>
<td class="amount" colspan="3">{{ yuan(total_fen * sign) }}</td></tr></tbody></table>
{% if is_part %}<p>{{ label.part.zh }} {{ label.part.en }}</p>{% endif %}
<p>{{ label.words.zh }} {{ label.words.en }}: {{ words }}</p>
<p class="signature">{{ label.seal.zh }} {{ label.seal.en }}</p>
</body></html>"""


def _percent(tax_bp: int) -> str:
    whole, rest = divmod(tax_bp, 100)
    return f"{whole}.{rest:02d} %" if rest else f"{whole} %"


def sheet(invoice: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> bytes:
    """The list as A4; amounts of a red invoice are below 0."""
    kind, colour = KINDS[invoice["kind"]], COLOURS[invoice["colour"]]
    rates: dict[int, list[int]] = {}
    for each in invoice["amounts"]:
        sums = rates.setdefault(each["tax_bp"], [0, 0])
        sums[0] += each["net_fen"]
        sums[1] += each["tax_fen"]
    buyer = invoice["customer_id"] or f"{LABELS['walk_in']['zh']} {LABELS['walk_in']['en']}"
    seller = company_on(invoice["issued_on"])
    is_red = invoice["colour"] == "red"
    return printing.pdf(
        PAPER,
        {
            "label": LABELS,
            "rate": _percent,
            "heads": [
                ("number", invoice["number"]),
                ("kind", f"{kind['zh']} {kind['en']}, {colour['zh']} {colour['en']}"),
                ("issued_on", invoice["issued_on"]),
                ("seller", f"{seller['zh']} {seller['en']} ({invoice['branch_id']}) {seller['uscc'] or ''}"),
                ("buyer", buyer),
            ],
            "lines": lines,
            "rates": [(bp, net, tax) for bp, (net, tax) in sorted(rates.items())],
            "sign": -1 if is_red else 1,
            "total_fen": invoice["total_fen"],
            "is_part": sum(line["net_fen"] + line["tax_fen"] for line in lines) != invoice["total_fen"],
            "words": f"负{invoice['words']}" if is_red else invoice["words"],
        },
    )
