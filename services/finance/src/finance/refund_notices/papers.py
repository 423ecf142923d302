"""The refund notice (退款通知) that a customer gets: amounts and where they went, no name and no address.

Source: F22
"""

from collections.abc import Mapping
from typing import Any

from finance import printing
from finance.kernel.words import in_words
from finance.settings import company_on

TENDERS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "cash": "现金",
        "wechat": "微信支付",
        "alipay": "支付宝",
        "card": "银行卡",
        "medical_insurance": "医保",
        "medical_insurance_pooled": "医保统筹基金",
        "medical_insurance_personal": "医保个人账户",
        "credit": "挂账（冲减应付货款）",
        "points": "积分",
        "bank": "银行转账",
    },
    "en": {
        "cash": "cash",
        "wechat": "WeChat Pay",
        "alipay": "Alipay",
        "card": "bank card",
        "medical_insurance": "medical insurance",
        "medical_insurance_pooled": "medical insurance, pooled fund",
        "medical_insurance_personal": "medical insurance, personal account",
        "credit": "your account (what you owe is less)",
        "points": "points",
        "bank": "bank transfer",
    },
}
STATES: Mapping[str, Mapping[str, str]] = {
    "zh": {"paid": "已退款", "open": "待退款"},
    "en": {"paid": "paid", "open": "to be paid"},
}
LABELS: Mapping[str, Mapping[str, str]] = {
    "title": {"zh": "退款通知", "en": "Refund notice"},
    "number": {"zh": "退款编号", "en": "Refund"},
    "return": {"zh": "退货编号", "en": "Return"},
    "state": {"zh": "状态", "en": "State"},
    "paid_on": {"zh": "退款日期", "en": "Paid on"},
    "due_on": {"zh": "最迟退款日", "en": "To be paid by"},
    "means": {"zh": "退款方式", "en": "Paid by"},
    "amount": {"zh": "金额（元）", "en": "Amount (CNY)"},
    "total": {"zh": "合计", "en": "Total"},
    "words": {"zh": "金额大写", "en": "Amount in words"},
    "seal": {"zh": "（盖章）", "en": "(seal)"},
}
PAPER = """<!doctype html><html lang="zh"><head><title>{{ label.title.zh }}</title></head><body>
{% include "head" %}
<table><thead><tr><th>{{ label.means.zh }} {{ label.means.en }}</th>
<th>{{ label.state.zh }} {{ label.state.en }}</th>
<th class="amount">{{ label.amount.zh }} {{ label.amount.en }}</th></tr></thead><tbody>
{% for part in parts %}
<tr><td>{{ part.zh }} {{ part.en }}</td><td>{{ part.state.zh }} {{ part.state.en }}</td>
<td class="amount">{{ yuan(part.fen) }}</td></tr>
{% endfor %}
<tr><td colspan="2">{{ label.total.zh }} {{ label.total.en }}</td>
<td class="amount">{{ yuan(total_fen) }}</td></tr></tbody></table>
<p>{{ label.words.zh }} {{ label.words.en }}: {{ words }}</p>
<p class="signature">{{ seller.zh }}<br>{{ seller.en }}<br>{{ label.seal.zh }} {{ label.seal.en }}</p>
</body></html>"""


def notice(refund: Mapping[str, Any]) -> dict[str, Any]:
    """What the notice says, for a page or a message; no name, no address, no channel's reference."""
    return {
        "refund_id": refund["refund_id"],
        "return_id": refund["return_id"],
        "branch_id": refund["branch_id"],
        "state": "paid" if refund["state"] == "paid" else "open",
        "paid_on": refund["paid_on"],
        "due_on": refund["due_on"],
        "parts": [
            {
                "tender": part["tender"],
                "means": part["means"],
                "fen": part["fen"],
                "state": "open" if part["paid_on"] is None else "paid",
            }
            for part in refund["parts"]
        ],
        "total_fen": refund["total_fen"],
        "words": in_words(refund["total_fen"]),
    }


def printed(refund: Mapping[str, Any]) -> bytes:
    """The notice on paper, Chinese first."""
    said = notice(refund)
    day = ("paid_on", said["paid_on"]) if said["paid_on"] else ("due_on", said["due_on"])
    heads = [("number", said["refund_id"]), ("return", said["return_id"]), day]
    parts = [
        {
            "zh": TENDERS["zh"][part["means"]],
            "en": TENDERS["en"][part["means"]],
            "state": {language: STATES[language][part["state"]] for language in STATES},
            "fen": part["fen"],
        }
        for part in said["parts"]
    ]
    return printing.pdf(
        PAPER,
        {
            "label": LABELS,
            "heads": heads,
            "parts": parts,
            "total_fen": said["total_fen"],
            "words": said["words"],
            "seller": company_on(day[1]),
        },
    )
