"""The papers customers get: letters of demand and statements of account.

Finance holds no names and addresses: the addressee is left open for the window of the envelope, the customer is
named by its id. Items bear the numbers of their receipts and payments, by which the customer knows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from finance import printing
from finance.kernel import dated
from finance.kernel.words import in_words
from finance.settings import company_on, pay_to_on

LABELS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "to": "收件人",
        "customer": "客户编号",
        "number": "函件编号",
        "date": "日期",
        "document": "单据",
        "kind": "性质",
        "booked_on": "入账日",
        "due_on": "到期日",
        "days": "逾期天数",
        "amount": "原金额（元）",
        "open": "未付（元）",
        "total": "合计",
        "pay_to": "收款账户",
        "seal": "（盖章）",
        "agrees": "信息证明无误（盖章、日期）：",
        "differs": "信息不符，列明不符项目（盖章、日期）：",
    },
    "en": {
        "to": "To",
        "customer": "Customer",
        "number": "Number",
        "date": "Date",
        "document": "Document",
        "kind": "Kind",
        "booked_on": "Booked on",
        "due_on": "Due on",
        "days": "Days past due",
        "amount": "Amount (CNY)",
        "open": "Open (CNY)",
        "total": "Total",
        "pay_to": "Pay to",
        "seal": "(seal)",
        "agrees": "Confirmed (seal, date):",
        "differs": "Does not agree, namely (seal, date):",
    },
}
KINDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "sale": "货款",
        "interest": "逾期利息",
        "payment_reversal": "退回款项",
        "other": "其他",
        "credit_note": "退货贷项",
        "payment": "预收款项",
        "write_off": "核销",
    },
    "en": {
        "sale": "goods",
        "interest": "interest",
        "payment_reversal": "returned payment",
        "other": "other",
        "credit_note": "credit note",
        "payment": "payment on account",
        "write_off": "written off",
    },
}
PAPER = """<!doctype html><html lang="{{ language }}"><head><title>{{ title }}</title>
<style>.answer { table-layout: fixed; } .answer td { height: 32mm; vertical-align: top; }</style></head><body>
<p>{{ label.to }}: ________________________________</p>
<h1>{{ title }}</h1>
<p class="meta">{{ label.number }}: {{ number }}<br>{{ label.customer }}: {{ customer_id }}<br>
{{ label.date }}: {{ day }}</p>
{% for line in body %}<p>{{ line }}</p>
{% endfor %}
<table><thead><tr><th>{{ label.document }}</th><th>{{ label.kind }}</th><th>{{ label.booked_on }}</th>
<th>{{ label.due_on }}</th><th class="amount">{{ label.days }}</th><th class="amount">{{ label.amount }}</th>
<th class="amount">{{ label.open }}</th></tr></thead><tbody>
{% for item in items %}
<tr><td>{{ documents.get(item.item_id, item.item_id[-12:]) }}</td><td>{{ kinds[item.kind] }}</td><td>{{ item.booked_on }}</td>
<td>{{ item.due_on }}</td><td class="amount">{{ item.days }}</td><td class="amount">{{ yuan(item.amount_fen) }}</td>
<td class="amount">{{ yuan(item.open_fen) }}</td></tr>
{% endfor %}
<tr><td colspan="6">{{ label.total }}</td><td class="amount">{{ yuan(total_fen) }}</td></tr></tbody></table>
{% if asks_for_answer %}<table class="answer"><tr><td>{{ label.agrees }}</td><td>{{ label.differs }}</td></tr></table>{% endif %}
{% if pay_to %}<p>{{ label.pay_to }}: {{ pay_to }}</p>{% endif %}
<p>{{ closing }}</p><p class="signature">{{ company }}<br>{{ label.seal }}<br>{{ day }}</p>
</body></html>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A letter or statement as it is frozen; `kind` names its text in `dunning_texts`."""

    kind: str
    language: str
    number: str
    customer_id: str
    day: date
    items: list[dict[str, Any]]
    total_fen: int
    asks_for_answer: bool = False

    def printed(self, documents: Mapping[str, str]) -> bytes:
        """As PDF; `documents` are the numbers by which the customer knows the items. Raises PrintingUnavailable."""
        said = script(
            self.kind,
            self.language,
            self.day,
            {
                "as_of": self.day.isoformat(),
                "count": len(self.items),
                "total": printing.yuan(self.total_fen),
                "words": in_words(self.total_fen),
                "days": max(each["days"] for each in self.items),
            },
        )
        return printing.pdf(
            PAPER,
            {
                "language": self.language,
                "title": said["title"],
                "body": said["body"],
                "closing": said["closing"],
                "label": LABELS[self.language],
                "kinds": KINDS[self.language],
                "number": self.number,
                "customer_id": self.customer_id,
                "day": self.day.isoformat(),
                "items": self.items,
                "total_fen": self.total_fen,
                "documents": documents,
                "company": company_on(self.day)["zh" if self.language == "zh" else "en"],
                "pay_to": pay_to_on(self.day),
                "asks_for_answer": self.asks_for_answer,
            },
        )


def printed_letter(row: Mapping[str, Any], documents: Mapping[str, str]) -> bytes:
    """The letter as it was issued: its frozen items in the text that was in force then."""
    paper = Paper(
        kind=row["kind"],
        language=row["language"],
        number=str(row["letter_id"]),
        customer_id=str(row["customer_id"]),
        day=row["issued_on"],
        items=row["items"],
        total_fen=row["total_fen"],
    )
    return paper.printed(documents)


def script(kind: str, language: str, day: date, values: Mapping[str, Any]) -> dict[str, Any]:
    """The text of a level in force on a day, its places filled in."""
    template = dated.value("dunning_texts", kind, day)
    words = template[language]
    return {
        "version": template["version"],
        "title": words["title"],
        "body": [line.format(**values) for line in words["body"]],
        "closing": words.get("closing", ""),
    }
