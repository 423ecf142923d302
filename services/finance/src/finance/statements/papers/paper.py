"""A statement on paper, as it is handed to the tax office: title, form, unit, period, rows, signatures, hash.

What is printed is the frozen content. Chinese comes first, English beneath or beside it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import orjson

from finance import printing
from finance.kernel import dated
from finance.kernel.chart import Standard, chart_of
from finance.kernel.statement import Kind, Span
from finance.statements.rules import StatementNotProvable, signatures
from shared.clock import business_date, next_month

LABELS: Mapping[str, str] = {
    "unit": "编制单位 Company",
    "uscc": "统一社会信用代码 USCC",
    "currency": "单位：元 Unit: CNY yuan",
    "item": "项目 Item",
    "assets": "资产 Assets",
    "claims": "负债和所有者权益 Liabilities and equity",
    "row": "行次 Row",
    "seal": "（签章）",
    "date": "日期 Date",
    "draft": "未发布 Not published",
    "version": "版本 Version",
    "unclassified": "下列现金收支未分类，暂列“其他与经营活动有关的现金” Cash movements not classified, shown as other operating",
    "continued": "（续 continued）",
}
DIRECTIONS: Mapping[str, str] = {"received": "收到 received", "paid": "支付 paid"}
GROUPS: Mapping[str, str] = {"current": "本年金额 This year", "prior": "上年金额 Year before"}
STATES: Mapping[str, str] = {
    "prepared": "未发布（已编制） Not published (prepared)",
    "reviewed": "未发布（已复核） Not published (reviewed)",
    "signed": "未发布（已签章） Not published (signed)",
    "published": "已发布 Published",
    "restated": "已被更正 Restated",
    "withdrawn": "已撤回 Withdrawn",
}
REVIEWER = "finance_head"
REVIEWED, PREPARED = ("复核人", "Reviewed by"), ("制表人", "Prepared by")
PAPERS_KEPT_MAX = 16
BALANCE_ROWS_LARGE = 34
TEMPLATE = """<!doctype html><html lang="zh"><head><title>{{ title }}</title><style>
@page { size: A4 {{ layout }} !important; margin: 9mm 12mm 12mm !important;
  @bottom-left { content: "{{ foot }}"; font-family: "Apotheca Sans"; font-size: 6pt; width: 85%; white-space: nowrap; }
  @bottom-center { content: none !important; }
  @top-left { content: "{{ later }}"; font-family: "Apotheca Sans"; font-size: 7pt; width: 85%; white-space: nowrap; }
  @top-right { content: "{{ form }}"; font-family: "Apotheca Sans"; font-size: 7pt; }
  @bottom-right { content: counter(page) " / " counter(pages); font-family: "Apotheca Sans"; font-size: 7pt; } }
@page :first { @top-left { content: none; } @top-right { content: none; } }
html { font-size: 8pt; line-height: 1.2; }
h1 { font-size: 14pt; margin: 0; } h1 small { font-size: 8pt; letter-spacing: 0; display: block; }
.head { display: flex; justify-content: space-between; font-size: 8pt; margin-top: .8mm; }
table { margin: 1.2mm 0; font-size: {{ size }}; break-inside: {{ breaks }}; }
th, td { padding: {{ gap }} 1mm; } th { text-align: center; }
td.row { text-align: center; width: 6mm; } td.amount { white-space: nowrap; }
.total { background: #f2f2f2; } .en { color: #333; } td.share { padding-left: 4mm; }
.sign { table-layout: fixed; } .sign td { border: none; font-size: 7.5pt; vertical-align: top; }
.sign .person { height: 9mm; }
</style></head><body>
<h1>{{ title }}<small>{{ title_en }}</small></h1>
<div class="head"><span>{{ state }}</span><span>{{ period }}</span><span>{{ form }}</span></div>
<div class="head"><span>{{ label.unit }}：{{ company }}{% if uscc %}　{{ label.uscc }}：{{ uscc }}{% endif %}</span>
<span>{{ label.currency }}</span></div>
{% for table in tables %}
<table><thead>{% if table.group %}<tr><th colspan="{{ table.columns|length + 2 }}">{{ table.group }}</th></tr>{% endif %}
<tr>{% for half in table.heads %}<th>{{ half }}</th><th>{{ label.row }}</th>
{% for column in table.columns %}<th>{{ column.zh }}<br><span class="en">{{ column.en }}</span></th>{% endfor %}
{% endfor %}</tr></thead><tbody>
{% for cells in table.rows %}<tr>{% for cell in cells %}
{% if cell is none %}<td></td><td></td>{% for column in table.columns %}<td></td>{% endfor %}
{% elif cell.heading %}<td>{{ cell.zh }} <span class="en">{{ cell.en }}</span></td><td></td>
{% for column in table.columns %}<td></td>{% endfor %}
{% else %}{% set shade = " total" if not cell.leaf and not cell.share else "" %}
<td class="{{ "share" if cell.share }}{{ shade }}">{{ cell.zh }} <span class="en">{{ cell.en }}</span></td>
<td class="row{{ shade }}">{{ cell.row }}</td>
{% for amount in cell.amounts %}<td class="amount{{ shade }}">{% if amount is not none %}{{ yuan(amount) }}{% endif %}</td>{% endfor %}
{% endif %}{% endfor %}</tr>
{% endfor %}</tbody></table>
{% endfor %}
{% if unclassified %}<p>{{ label.unclassified }}：{% for each in unclassified %}{{ each }}；{% endfor %}</p>{% endif %}
<table class="sign"><tr>{% for each in signed %}<td>{{ each.zh }}<br>
<span class="en">{{ each.en }}</span></td>{% endfor %}</tr><tr class="person">
{% for each in signed %}<td>{{ each.seal }}{{ each.person }}</td>{% endfor %}</tr><tr>
{% for each in signed %}<td>{{ label.date }}：{{ each.on }}</td>{% endfor %}</tr></table>
</body></html>"""


def period_of(row: Mapping[str, Any]) -> str:
    """A balance sheet is of a day, the others of a span."""
    month = date.fromisoformat(f"{row['month']}-01")
    last = next_month(month) - timedelta(days=1)
    if row["kind"] == Kind.BALANCE:
        return f"{last.year}年{last.month}月{last.day}日 {last}"
    zh = {
        Span.MONTH: f"{month.year}年{month.month}月",
        Span.QUARTER: f"{month.year}年第{(month.month + 2) // 3}季度",
        Span.HALF_YEAR: f"{month.year}年1—6月",
        Span.YEAR: f"{month.year}年度",
    }[Span(row["span"])]
    return f"{zh} {row['first_month']}-01 – {last}"


def signed(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """Preparer, reviewer and those who sign, each with who it was and when, as far as they did."""
    by_role = {each["role"]: each for each in row["decisions"]}

    def place(zh: str, en: str, role: str, seal: str) -> dict[str, str]:
        done = by_role.get(role)
        return {
            "zh": zh,
            "en": en,
            "seal": seal,
            "person": done["person"] if done else "",
            "on": str(business_date(done["at"])) if done else "",
        }

    prepared_on = business_date(row["prepared_at"])
    return [
        *(place(each.zh, each.en, each.role, LABELS["seal"]) for each in signatures(prepared_on)),
        place(*REVIEWED, REVIEWER, ""),
        {
            "zh": PREPARED[0],
            "en": PREPARED[1],
            "seal": "",
            "person": row["prepared_by"],
            "on": str(prepared_on),
        },
    ]


def unclassified(row: Mapping[str, Any]) -> list[str]:
    """Movements of cash that nobody said the purpose of, in words: column, kind of entry, account, amount."""
    columns = {each["column"]: each["zh"] for each in row["columns"]}
    kinds = dated.read("entry_kinds")
    by_code = chart_of(Standard(row["standard"])).by_code
    return [
        f"{columns[each['column']]} {kinds.get(each['entry_kind'], {}).get('zh', each['entry_kind'])}"
        f" {each['account']} {by_code[each['account']].zh} {DIRECTIONS[each['direction']]} {printing.yuan(each['fen'])}"
        for each in row["unclassified"]
    ]


def foot_of(row: Mapping[str, Any]) -> str:
    """What proves the page: version and hash of the content."""
    published = f" · {row['published_on']}" if row["published_on"] else ""
    return f"{LABELS['version']} {row['version']}{published} · SHA-256 {row['content_hash']}"


def require_form(row: Mapping[str, Any]) -> None:
    """Raises StatementNotProvable for what was frozen before statements named their form."""
    if row["form"] is None:
        raise StatementNotProvable("this statement names no form to print it in")


def paper(row: Mapping[str, Any]) -> bytes:
    """The statement as PDF. Raises StatementNotProvable, PrintingUnavailable."""
    require_form(row)
    is_wide = row["kind"] in {Kind.BALANCE, Kind.EQUITY}
    company, tables = row["company"], tables_of(row)
    return _printed(
        orjson.dumps(
            {
                "title": row["title"]["zh"],
                "title_en": row["title"]["en"],
                "layout": "landscape" if is_wide else "portrait",
                **_sizes(row["kind"], len(tables[0]["rows"])),
                "breaks": "avoid" if row["kind"] == Kind.EQUITY else "auto",
                "foot": foot_of(row),
                "form": row["form"],
                "period": period_of(row),
                "company": f"{company['zh']} {company['en']}",
                "uscc": company["uscc"],
                "state": STATES[row["state"]],
                "label": LABELS,
                "tables": tables,
                "unclassified": unclassified(row),
                "later": f"{row['title']['zh']}{LABELS['continued']} {company['zh']} {period_of(row)} {LABELS['currency']}",
                "signed": signed(row),
            }
        )
    )


def _sizes(kind: str, rows: int) -> dict[str, str]:
    """As large as one page bears: a form is handed in on one."""
    if kind == Kind.BALANCE:
        return (
            {"size": "7pt", "gap": "0.5mm"}
            if rows <= BALANCE_ROWS_LARGE
            else {"size": "6pt", "gap": "0.26mm"}
        )
    return {"size": "6pt", "gap": "0.7mm"} if kind == Kind.EQUITY else {"size": "8pt", "gap": "0.7mm"}


@lru_cache(PAPERS_KEPT_MAX)
def _printed(values: bytes) -> bytes:
    """What is frozen is printed once: the same values are the same paper."""
    return printing.pdf(TEMPLATE, orjson.loads(values))


def tables_of(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One table; for a balance sheet with claims beside assets, for equity one per year."""
    if row["kind"] == Kind.EQUITY:
        return [
            {
                "group": name,
                "columns": (columns := [each for each in row["columns"] if each["group"] == group]),
                "heads": [LABELS["item"]],
                "rows": [[cell] for cell in _cells(row["lines"], columns)],
            }
            for group, name in GROUPS.items()
        ]
    if row["kind"] == Kind.BALANCE:
        left, right = (
            _cells([line for line in row["lines"] if line["half"] == half], row["columns"])
            for half in ("left", "right")
        )
        missing = len(left) - len(right)
        left = [*left[:-1], *[None] * max(0, -missing), left[-1]]
        right = [*right[:-1], *[None] * max(0, missing), right[-1]]
        rows = [list(pair) for pair in zip(left, right, strict=True)]
        heads = [LABELS["assets"], LABELS["claims"]]
        return [{"group": None, "columns": row["columns"], "heads": heads, "rows": rows}]
    cells = [[cell] for cell in _cells(row["lines"], row["columns"])]
    return [{"group": None, "columns": row["columns"], "heads": [LABELS["item"]], "rows": cells}]


def _cells(lines: Sequence[Mapping[str, Any]], columns: Sequence[Mapping[str, str]]) -> list[Any]:
    cells: list[Any] = []
    for line in lines:
        cells += [{"heading": True, **heading} for heading in line["headings"]]
        cells.append(
            {
                "heading": False,
                "row": line["row"],
                "zh": line["zh"],
                "en": line["en"],
                "leaf": line["leaf"],
                "share": line["share"],
                "amounts": [line["amounts"][each["column"]] for each in columns],
            }
        )
    return cells
