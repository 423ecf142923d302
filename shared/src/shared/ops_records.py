"""The operator's commands on records: chains, anchors, archived months, the audit of one subject."""

import argparse
import sys
from pathlib import Path
from typing import Any

from shared import (
    anchoring,
    anchors,
    archive,
    archiving,
    chain,
    chain_archive,
    findings,
    verification,
    verifying,
)
from shared.clock import utc_now
from shared.ops_desk import Desk, say
from shared.settings import SettingsFaulty
from shared.transaction import Tx


def chains_verify(desk: Desk, given: argparse.Namespace) -> bool:
    good = True
    for name, faults in verification.verify(desk.database, desk.service, desk.settings):
        if faults is None:
            say(
                chain=name,
                result="not anchored",
                means="APOTHECA_ANCHORS and APOTHECA_ANCHOR_KEY are not set",
            )
            continue
        for fault in faults:
            say(
                chain=fault.chain,
                stream=fault.stream,
                no=fault.no,
                row=fault.row,
                fault=fault.kind,
                means=chain.KINDS[fault.kind],
            )
        if not faults:
            say(chain=name, result="sound")
        good = good and not faults
    with desk.database.read() as conn:
        for row in findings.acknowledged(conn):
            say(chain="rows", no=row.log_id, result="acknowledged", by=row.acknowledged_by, reason=row.reason)
    return good


def chains_findings(desk: Desk, given: argparse.Namespace) -> bool:
    with desk.database.read() as conn:
        rows = verifying.findings(conn)
    for row in rows:
        say(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return not any(row.findings for row in rows)


def chains_acknowledge(desk: Desk, given: argparse.Namespace) -> bool:
    with desk.database.begin() as conn:
        findings.acknowledge(Tx(conn=conn, actor=desk.actor, now=utc_now()), given.ids, given.reason)
    say(result="acknowledged", ids=given.ids)
    return True


def audit_show(desk: Desk, given: argparse.Namespace) -> bool:
    with desk.database.read() as conn:
        for row in chain_archive.audit_of(conn, archiving.folder_of(desk.settings), given.subject):
            say(**row)
    return True


def anchors_key(desk: Desk, given: argparse.Namespace) -> bool:
    if desk.settings.anchor_key is None:
        raise SettingsFaulty("APOTHECA_ANCHORS and APOTHECA_ANCHOR_KEY are not set")
    sys.stdout.write(anchors.pem_of(anchors.key_of(desk.settings.anchor_key).public_key()))
    return True


def anchors_write(desk: Desk, given: argparse.Namespace) -> bool:
    if desk.settings.anchor_key is None:
        raise SettingsFaulty("APOTHECA_ANCHORS and APOTHECA_ANCHOR_KEY are not set")
    with desk.database.begin() as conn:
        tx = Tx(conn=conn, actor=desk.actor, now=utc_now())
        anchoring.anchor_heads(tx, desk.service.name, desk.settings)
    say(result="anchored")
    return True


def archive_list(desk: Desk, given: argparse.Namespace) -> bool:
    with desk.database.begin() as conn:
        for row in archiving.archived(conn):
            say(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
        for month in archiving.due(conn, desk.service, utc_now().date(), desk.settings.archive_after_months):
            say(due=f"{month.month:%Y-%m}", events=month.events, waits_for=month.waits_for)
        for row in chain_archive.archived(conn):
            say(
                chain=row.chain,
                stream=row.stream,
                first_no=row.first_no,
                last_no=row.last_no,
                file=row.file,
                sha256=row.sha256,
                archived_at=row.archived_at,
            )
        for old in chain_archive.due(conn, utc_now().date(), desk.settings.audit_kept_months):
            say(due=old.stream, chain=old.chain.name, rows=old.rows, waits_for=old.waits_for)
    return True


def archive_run(desk: Desk, given: argparse.Namespace) -> bool:
    folder = _archive_folder(desk)
    is_log_done = _archive_log(desk, folder)
    return _archive_chains(desk, folder) and is_log_done


def _archive_chains(desk: Desk, folder: Path) -> bool:
    while True:
        with desk.database.begin() as conn:
            months = chain_archive.due(conn, utc_now().date(), desk.settings.audit_kept_months)
            ready = [each for each in months if each.waits_for is None]
            if not ready:
                break
            manifest = chain_archive.archive_month(conn, desk.service.name, folder, ready[0])
        say(
            archived=ready[0].stream,
            chain=ready[0].chain.name,
            rows=ready[0].rows,
            file=manifest.file if manifest else None,
        )
    for each in months:
        say(month=each.stream, chain=each.chain.name, waits_for=each.waits_for)
    return not months


def _archive_log(desk: Desk, folder: Path) -> bool:
    while True:
        with desk.database.begin() as conn:
            months = archiving.due(conn, desk.service, utc_now().date(), desk.settings.archive_after_months)
            if not months:
                return True
            if months[0].waits_for:
                say(month=f"{months[0].month:%Y-%m}", waits_for=months[0].waits_for)
                return False
            manifest = archiving.archive_month(conn, desk.service, folder, months[0])
        say(
            archived=f"{months[0].month:%Y-%m}",
            events=months[0].events,
            file=manifest.file if manifest else None,
        )


def archive_verify(desk: Desk, given: argparse.Namespace) -> bool:
    folder = _archive_folder(desk)
    with desk.database.begin() as conn:
        rows = archiving.archived(conn)
    good = True
    for row in rows:
        try:
            read = archive.check(folder, row.file.removesuffix(archive.SUFFIX))
            fault = None if read.sha256 == row.sha256 else "another file than the one that was written"
        except archive.ArchiveDamaged as damage:
            fault = damage.detail
        good = good and fault is None
        say(file=row.file, result=fault or "sound")
    with desk.database.begin() as conn:
        stretches = chain_archive.archived(conn)
    for row in stretches:
        found = chain_archive.verify_file(folder, row)
        good = good and found is None
        say(file=row.file, result=f"{found.kind} at row {found.no}: {found.row}" if found else "sound")
    return good


def _archive_folder(desk: Desk) -> Path:
    folder = archiving.folder_of(desk.settings)
    if folder is None:
        raise SettingsFaulty("APOTHECA_ARCHIVE is not set: the folder where old months of the log go")
    return folder


def add_to(groups: Any) -> None:
    """The groups `chains`, `anchors`, `archive` and `audit`."""
    chains = groups.add_parser("chains").add_subparsers(dest="command", required=True)
    chains.add_parser("verify").set_defaults(run=chains_verify)
    chains.add_parser("findings").set_defaults(run=chains_findings)
    each = chains.add_parser("acknowledge")
    each.add_argument(
        "ids", type=int, nargs="+", metavar="NO", help="the `no` of findings of the kind foreign"
    )
    each.add_argument("--reason", required=True)
    each.set_defaults(run=chains_acknowledge)
    heads = groups.add_parser("anchors").add_subparsers(dest="command", required=True)
    heads.add_parser("key").set_defaults(run=anchors_key)
    heads.add_parser("write").set_defaults(run=anchors_write)
    files = groups.add_parser("archive").add_subparsers(dest="command", required=True)
    files.add_parser("list").set_defaults(run=archive_list)
    files.add_parser("run").set_defaults(run=archive_run)
    files.add_parser("verify").set_defaults(run=archive_verify)
    each = groups.add_parser("audit").add_subparsers(dest="command", required=True).add_parser("show")
    each.add_argument("subject")
    each.set_defaults(run=audit_show)
