"""What is known of contracts: each with its version in force, its fulfilment, its history.

Source: F9, F26, X7
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from finance import contract_forms, contract_sales
from finance.contracts import rules
from shared import audit
from shared.clock import business_date
from shared.paging import decode_cursor, page
from shared.transaction import Tx

_OVERDUE = """
state in ('signed', 'active', 'expired') and exists (
    select from contract_versions v
    cross join jsonb_to_recordset(v.content -> 'lines') as l(line_no int, delivery_date date)
    join contract_fulfilment f on f.contract_id = v.contract_id and f.line_no = l.line_no
    where v.contract_id = c.contract_id and v.version = c.version and f.shipped < f.quantity
        and l.delivery_date < :today)
"""

_WAITS = {
    "review": "c.state = 'legal_review' and c.reviewed_on is null",
    "signatures": "c.state = 'legal_review' and c.reviewed_on is not null",
    "amendment_decision": "exists (select from contract_amendments a where a.contract_id = c.contract_id"
    " and a.state = 'proposed' and a.approved_by is null)",
    "customer_confirmation": "exists (select from contract_amendments a where a.contract_id = c.contract_id"
    " and a.state = 'proposed' and a.contact_id is null)",
    "termination_decision": "exists (select from contract_terminations t where t.contract_id = c.contract_id"
    " and t.state = 'requested')",
    None: "true",
}


def contract(tx: Tx, contract_id: UUID) -> dict[str, Any]:
    """One contract. Raises ContractNotFound, ForeignBranch."""
    row = _row(tx, contract_id)
    content = row["draft"] if row["version"] == 0 else _version(tx, row, row["version"])["content"]
    key = {"id": contract_id}
    signatures = tx.conn.execute(
        text(
            "select * from contract_signatures where contract_id = :id and submission = :submission"
            " order by recorded_at"
        ),
        {**key, "submission": row["submissions"]},
    ).mappings()
    asked = tx.conn.execute(
        text("select 1 from contract_terminations where contract_id = :id and state = 'requested'"), key
    ).first()
    return {
        **summary(row),
        "content": content,
        "content_hash": audit.digest(content),
        "missing": contract_forms.Content.of(content).missing,
        "signatures": [dict(each) for each in signatures],
        "fulfilment": _fulfilment(tx, contract_id, content),
        "termination_requested": asked is not None,
        **asdict(contract_sales.collected(tx, contract_id)),
    }


def contracts(tx: Tx, args: Mapping[str, Any]) -> dict[str, Any]:
    """Contracts, newest first; keyset by id. Raises ForeignBranch."""
    branches = tx.actor.branch_filter(args["branch_id"])
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(
            "select * from contracts c where (cast(:branches as text[]) is null or branch_id = any(:branches))"
            " and (cast(:customer as uuid) is null or customer_id = :customer)"
            " and (cast(:state as text) is null or state = :state)"
            " and (cast(:late as boolean) is null or late = :late)"
            f" and (not :overdue or ({_OVERDUE})) and {_WAITS[args['waits_for']]}"
            " and (cast(:after as text) is null or contract_id < cast(:after as uuid))"
            " order by contract_id desc limit :limit"
        ),
        {
            "branches": branches,
            "customer": args["customer_id"],
            "state": args["state"],
            "late": args["late"],
            "overdue": args["overdue"],
            "today": business_date(tx.now),
            "after": after,
            "limit": args["limit"] + 1,
        },
    ).mappings()
    return page((summary(dict(row)) for row in rows), args["limit"], "contract_id")


def version(tx: Tx, contract_id: UUID, number: int) -> dict[str, Any]:
    """A signed version as it was agreed. Raises ContractNotFound, ForeignBranch, ContractVersionNotFound."""
    row = _row(tx, contract_id)
    return {**_version(tx, row, number), "number": row["number"]}


def history(tx: Tx, contract_id: UUID, args: Mapping[str, Any]) -> dict[str, Any]:
    """Who changed what, when and why, oldest first. Raises ContractNotFound, ForeignBranch."""
    row = _row(tx, contract_id)
    (after,) = decode_cursor(args["cursor"], int)
    changes = tx.conn.execute(
        text(
            "select * from contract_changes where contract_id = :id and id > :after order by id limit :limit"
        ),
        {"id": contract_id, "after": after or 0, "limit": args["limit"] + 1},
    ).mappings()
    return {**page(changes, args["limit"], "id"), "form": contract_forms.form(), "number": row["number"]}


def amendments(tx: Tx, contract_id: UUID, args: Mapping[str, Any]) -> dict[str, Any]:
    """The amendments of a contract, newest first. Raises ContractNotFound, ForeignBranch."""
    _row(tx, contract_id)
    (after,) = decode_cursor(args["cursor"], UUID)
    rows = tx.conn.execute(
        text(
            "select * from contract_amendments where contract_id = :id"
            " and (cast(:after as text) is null or amendment_id < cast(:after as uuid))"
            " order by amendment_id desc limit :limit"
        ),
        {"id": contract_id, "after": after, "limit": args["limit"] + 1},
    ).mappings()
    return page(rows, args["limit"], "amendment_id")


def amendment(tx: Tx, amendment_id: UUID) -> dict[str, Any]:
    """One amendment, for whoever has just changed it."""
    row = tx.conn.execute(
        text("select * from contract_amendments where amendment_id = :id"), {"id": amendment_id}
    ).mappings()
    return dict(row.one())


def paper(tx: Tx, contract_id: UUID, number: int | None) -> bytes:
    """A version on paper, or the draft. Raises ContractNotFound, ForeignBranch, ContractVersionNotFound, PrintingUnavailable."""
    row = _row(tx, contract_id)
    wanted = number or row["version"]
    content = _version(tx, row, wanted)["content"] if wanted else row["draft"]
    versions = tx.conn.execute(
        text(
            "select version, agreed_on, reason, content_hash, made_by from contract_versions"
            " where contract_id = :id order by version limit 200"
        ),
        {"id": contract_id},
    ).mappings()
    return contract_forms.contract(row, content, version=wanted, versions=[dict(each) for each in versions])


def summary(row: Mapping[str, Any]) -> dict[str, Any]:
    """A contract's row as it is shown, with its entry lag and how long its paper is kept."""
    signed, ends = row["signed_on"], row["ended_on"] or row["valid_until"]
    kept_by = signed or business_date(row["drafted_at"])
    return {
        **row,
        "lag_days": None if signed is None else (row["entered_on"] - signed).days,
        "retention_classes": rules.retention_classes(kept_by),
        "keep_until": None if ends is None else rules.keep_until(max(ends, row["valid_until"]), kept_by),
    }


def _fulfilment(tx: Tx, contract_id: UUID, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    today = business_date(tx.now)
    due = {line["line_no"]: line["delivery_date"] for line in content["lines"] or []}
    rows = tx.conn.execute(
        text(
            "select line_no, product_id, quantity, ordered, shipped, quantity - ordered as remaining,"
            " quantity - shipped as unshipped, late, shipped_fen, last_shipped_on from contract_fulfilment"
            " where contract_id = :id and quantity > 0 order by line_no"
        ),
        {"id": contract_id},
    ).mappings()
    return [
        {
            **row,
            "overdue": row["unshipped"] > 0 and date.fromisoformat(due[row["line_no"]]) < today,
        }
        for row in rows
    ]


def _row(tx: Tx, contract_id: UUID) -> dict[str, Any]:
    row = (
        tx.conn.execute(text("select * from contracts where contract_id = :id"), {"id": contract_id})
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise rules.ContractNotFound("no such contract")
    tx.actor.require_branch(row["branch_id"])
    return dict(row)


def _version(tx: Tx, row: Mapping[str, Any], number: int) -> dict[str, Any]:
    found = (
        tx.conn.execute(
            text("select * from contract_versions where contract_id = :id and version = :version"),
            {"id": row["contract_id"], "version": number},
        )
        .mappings()
        .one_or_none()
    )
    if found is None:
        raise rules.ContractVersionNotFound("no such version of this contract")
    return dict(found)
