"""The catalogue of refusals, docs/errors.md: what each says in both languages, and what to do.

The Chinese form is in the catalogs. What no operation answers is refused of events, and has a chapter of its own.
"""

from pathlib import Path

from deploy.generate.errors import EDGE, TITLES, refusals_of, sentences
from deploy.generate.general import GENERAL
from deploy.generate.refusals import answered
from deploy.generate.repository import GENERATED, ROOT, SERVICES
from shared.errors import DomainError
from shared.languages import in_language

CHINESE = "zh_CN"
SENTENCES_MAX = 3
TABLE = ("| code | status | says | 中文 | what to do |", "|---|---|---|---|---|")
HEAD = f"""# Refusals

{GENERATED}

Every answer that refuses is a problem document (RFC 9457): `code` never changes its meaning, `detail` is one sentence for people, in
Chinese where `Accept-Language` asks for it, and `errors` or `faults` name each place that is wrong. A refusal changes nothing.
In an upload each line carries its own `code` and `detail`. Where the sentence is put together from what was found, the row says what it is about.
The OpenAPI document of a service lists for each operation which of these it may answer. What is refused only of an event from another
service stands in the [last chapter](#parked-events).

| status | means | what the caller does |
|---|---|---|
| 400 | the request cannot be read | mend the program that writes it; the same request is refused again |
| 401 | no valid token | sign in again, send the same with the same `Idempotency-Key` |
| 403 | a right is missing: role, branch, or a duty that excludes another | ask who may; `x-roles` of the operation names the roles |
| 404 | there is no such thing, or not for this token | look it up in its list |
| 409 | a state or a rule forbids it now | show `detail` to the person; repeat it only when what it names has changed |
| 413 | over a size limit | send less at once |
| 415 | a media type, charset or encoding that is not read here | send what the operation names |
| 422 | well formed, but never acceptable | mend what `errors` names |
| 429 | too often, or too many at once | send the same after `Retry-After` seconds, with the same key |
| 503 | it may succeed later | send the same after `Retry-After` seconds, with the same key |
"""
PARKED = """## Parked events

A service may also refuse an event that another told: it is parked with one of these codes, the others go on, and its month does not close
until the operator has applied it again or discarded it ([runbook](runbook.md)). No request is answered with them.

"""
WITHOUT_OPERATION = frozenset(
    {"cross_site_request", "feed_query_invalid", "page_not_found", "token_in_address"}
)
"""Answered by pages and by the feed between services, which no document describes."""


def documents() -> dict[Path, str]:
    said = sentences()
    answers = answered() | WITHOUT_OPERATION
    parked: dict[str, str] = {}
    sections = []
    for package, title in TITLES.items():
        rows = {each.code: _row(each, said) for each in refusals_of(package)}
        parked |= {code: rows.pop(code) for code in rows.keys() - answers}
        if package == "shared":
            rows |= {
                code: _cells(code, status, [says], [_chinese(says)], cure)
                for code, (status, says, cure) in EDGE.items()
            }
        sections.append("\n".join([f"## {title}", "", *_table(rows)]))
    sections.append(PARKED + "\n".join(_table(parked)))
    return {ROOT / "docs/errors.md": "\n\n".join([HEAD.rstrip(), *sections]) + "\n"}


def _table(rows: dict[str, str]) -> list[str]:
    return [*TABLE, *(rows[code] for code in sorted(rows))]


def _row(refusal: type[DomainError], said: dict[str, list[str]]) -> str:
    raised = said.get(refusal.__name__, [])[:SENTENCES_MAX]
    english, chinese = (
        (raised, [*map(_chinese, raised)]) if raised else ([each] for each in GENERAL[refusal.code])
    )
    return _cells(refusal.code, refusal.status, english, chinese, refusal.cure)


def _cells(code: str, status: int, english: list[str], chinese: list[str], cure: str) -> str:
    says, told = ("<br>".join(_cell(each) for each in texts if each) for texts in (english, chinese))
    return f"| `{code}` | {status} | {says} | {told} | {_cell(cure)} |"


def _chinese(sentence: str) -> str:
    """From whichever catalog knows it: a refusal of `shared` may be raised by a service, in words of its own."""
    for service in (None, *SERVICES):
        told = in_language(sentence, CHINESE, service)
        if told != sentence:
            return told
    return ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
