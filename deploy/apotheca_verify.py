#!/usr/bin/env python3
"""Recompute books from their exports alone: one file, no product, nothing but Python (3.10 or later).

    apotheca_verify.py journal FILE [--month 2026-03] [--anchors FOLDER [--key FILE]]
    apotheca_verify.py ledger FILE [--month 2026-03] [--hash HEX]
    apotheca_verify.py archive FILE [--hash HEX]
    apotheca_verify.py anchors FOLDER [--service finance] [--key FILE]

`journal` reads what finance answers to GET /v1/journal-chains/{month}/ndjson, `ledger` what reporting answers to
GET /v1/<kind>-ledgers/{month} as JSON once the month is closed, `archive` an archived month of the audit or of the log of rows, `anchors` the folder of signed heads. Says SOUND, or
NOT SOUND with the first bad row and what is wrong with it. Exit code 0: sound; 1: not sound; 2: cannot be judged.

Signatures of anchors are checked where the package `cryptography` is installed; else it says that they were not.
docs/verification.md of the product gives the recipes, so that nobody need trust this program.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

LINE_BYTES_MAX = 16 * 1024 * 1024
JOURNAL, ANCHOR = "apotheca-journal/1", "apotheca-anchor/1"
GENESIS = "0" * 64
HEX = re.compile("[0-9a-f]{64}")
MONTH = re.compile("[0-9]{4}-(0[1-9]|1[0-2])")


class NotSound(Exception):
    """One sentence: where, and what is wrong."""


class CannotJudge(Exception):
    """One sentence: why there is nothing to judge."""


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a member is named twice")
    return found


def _no_such_number(value: str) -> NoReturn:
    raise ValueError(f"{value} is no number of these exports")


def parsed(raw: bytes) -> Any:
    """JSON without repeated names, halves of numbers or bad UTF-8. Raises ValueError."""
    return json.loads(
        raw.decode(),
        object_pairs_hook=_no_repeats,
        parse_float=_no_such_number,
        parse_constant=_no_such_number,
    )


def rows_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """Row from 1 and bytes without line feed of every line. Raises NotSound at a torn one."""
    with path.open("rb") as file:
        row = 0
        while raw := file.readline(LINE_BYTES_MAX):
            row += 1
            if not raw.endswith(b"\n"):
                raise NotSound(f"row {row}: missing: the file ends in the middle of it")
            yield row, raw[:-1]


# --- the journal of a month ------------------------------------------------------------------------------

HEAD = {
    "format": str,
    "month": str,
    "stream": str,
    "first_no": int,
    "last_no": int,
    "previous_hash": str,
    "last_hash": str,
    "head_no": int,
    "head_hash": str,
    "entries": int,
    "unsealed": int,
    "accounts": dict,
}
ENTRY = (int, str, str, str, str, int, (str, type(None)), (int, type(None)), str, str, (list, type(None)))
LINE = (int, str, str, (str, type(None)), int, int)


class Journal:
    """One pass over an export: the chain from the first to the last number of the month, and its sums.

    Entries of other months that were numbered between are part of the chain and not of the sums.
    """

    def __init__(self, path: Path, month: str | None) -> None:
        self.path = path
        self.rows = rows_of(path)
        self.head = self._head(month)
        self.accounts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        self.entries = 0
        self.hashes: dict[int, str] = {}

    def _head(self, month: str | None) -> dict[str, Any]:
        first = next(self.rows, None)
        try:
            head = parsed(first[1]) if first else None
        except ValueError:
            head = None
        if not isinstance(head, dict) or head.get("format") != JOURNAL:
            raise CannotJudge(f"row 1 of {self.path.name} is no head line of a journal ({JOURNAL})")
        if set(head) != set(HEAD) or any(type(head[name]) is not kind for name, kind in HEAD.items()):
            raise NotSound("row 1: altered: the head line has not the members of one")
        if month and head["month"] != month:
            raise NotSound(f"row 1: another month: this is {head['month']}, not {month}")
        if not MONTH.fullmatch(head["month"]) or not all(
            HEX.fullmatch(head[name]) for name in ("previous_hash", "last_hash", "head_hash")
        ):
            raise NotSound("row 1: altered: its month or a hash is none")
        if head["stream"] != f"main-{head['month'][:4]}":
            raise NotSound(f"row 1: altered: {head['stream']} is not the stream of {head['month']}")
        return head

    def verify(self) -> None:
        """Raises NotSound at the first row that is wrong."""
        head = self.head
        previous = head["previous_hash"]
        if head["first_no"] <= 1 and previous != GENESIS:
            raise NotSound("row 1: altered: nothing stands before the first number, its hash is 64 zeros")
        number = head["first_no"] - 1
        self.hashes[number] = previous
        for row, raw in self.rows:
            number += 1
            previous = self._link(row, raw, number, previous)
            self.hashes[number] = previous
        if not head["entries"] and head["first_no"] == 0:
            number = 0
        if number != head["last_no"]:
            raise NotSound(
                f"row {max(number - head['first_no'], -1) + 3}: missing: entry {number + 1}; the head line says"
                f" that the month ends with {head['last_no']}, the file ends with {number}"
            )
        if previous != head["last_hash"]:
            raise NotSound(f"row 1: another head: entry {number} has not the hash that the head line says")
        if head["head_no"] < number or (head["head_no"] == number and head["head_hash"] != previous):
            raise NotSound("row 1: another head: the head of the stream contradicts the last entry")
        self._compare_sums()

    def _link(self, row: int, raw: bytes, number: int, previous: str) -> str:
        no, claimed, entry = self._row(row, raw)
        where = f"row {row} (entry {number})"
        if no != number:
            raise NotSound(f"{where}: {self._out_of_order(no, number)}")
        digest = hashlib.sha256(
            bytes.fromhex(previous) + no.to_bytes(8, "big") + content_of(entry)
        ).hexdigest()
        if digest != claimed:
            raise NotSound(f"{where}: altered: its hash is not that of its content after the row before")
        lines = entry[10] or []
        debit, credit = sum(line[4] for line in lines), sum(line[5] for line in lines)
        if debit != credit:
            raise NotSound(f"{where}: unbalanced: debits are {debit} fen, credits {credit} fen")
        if entry[1][:7] == self.head["month"]:
            self.entries += 1
            for line in lines:
                self.accounts[line[2]][0] += line[4]
                self.accounts[line[2]][1] += line[5]
        return digest

    def _row(self, row: int, raw: bytes) -> tuple[int, str, list[Any]]:
        try:
            found = parsed(raw)
            no, claimed, entry = found["chain_no"], found["chain_hash"], found["entry"]
            is_one = len(found) == 3 and type(no) is int and no > 0 and HEX.fullmatch(claimed)
            is_one = is_one and _fits(entry, ENTRY) and all(_fits(line, LINE) for line in entry[10] or [])
        except (ValueError, KeyError, TypeError, RecursionError):
            is_one = False
        if not is_one or written(no, claimed, entry) != raw:
            raise NotSound(f"row {row}: altered: it is not written as entries are")
        return no, claimed, entry

    def _out_of_order(self, no: int, wanted: int) -> str:
        if no < wanted:
            return f"reordered or repeated: entry {no} stands here"
        sought = b'{"chain_no":%d,' % wanted
        if any(raw.startswith(sought) for _, raw in self.rows):
            return f"reordered: entry {no} stands here, {wanted} comes later"
        return f"missing: entry {no} stands here"

    def _compare_sums(self) -> None:
        month, said = self.head["month"], self.head["accounts"]
        if self.entries != self.head["entries"]:
            raise NotSound(
                f"row 1: sums differ: {self.entries} entries are of {month}, the head line says {self.head['entries']}"
            )
        for account in sorted(set(said) | set(self.accounts)):
            if said.get(account) != self.accounts.get(account):
                raise NotSound(
                    f"row 1: sums differ: account {account} has debits and credits"
                    f" {self.accounts.get(account)} fen, the head line says {said.get(account)}"
                )


def _fits(values: Any, kinds: tuple[Any, ...]) -> bool:
    if not isinstance(values, list) or len(values) != len(kinds):
        return False
    pairs = zip(values, kinds, strict=True)
    return all(type(value) in (kind if isinstance(kind, tuple) else (kind,)) for value, kind in pairs)


def content_of(entry: list[Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode()


def written(no: int, claimed: str, entry: list[Any]) -> bytes:
    return b'{"chain_no":%d,"chain_hash":"%s","entry":%s}' % (no, claimed.encode(), content_of(entry))


def verify_journal(given: argparse.Namespace) -> list[str]:
    journal = Journal(given.file, given.month)
    journal.verify()
    head = journal.head
    numbers = f"{head['stream']} {head['first_no']} to {head['last_no']}"
    said = [f"{head['month']}: {journal.entries} entries, {numbers}, last hash {head['last_hash']}"]
    if head["unsealed"]:
        said.append(f"{head['unsealed']} entries of the month had no number yet and are not in this export")
    for account, (debit, credit) in sorted(journal.accounts.items()):
        said.append(f"{account:<16}{yuan(debit):>20}{yuan(credit):>20}")
    debit, credit = (sum(each[side] for each in journal.accounts.values()) for side in (0, 1))
    said.append(f"{'total':<16}{yuan(debit):>20}{yuan(credit):>20}")
    if given.anchors:
        lines, note = read_anchors(given.anchors, "finance", given.key)
        said += [note, _compare_anchors(journal, lines)]
    else:
        said.append("not compared with anchors: an export that was rewritten as a whole is not recognized")
    return said


def yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"


def _compare_anchors(journal: Journal, lines: list[dict[str, Any]]) -> str:
    head, agreed = journal.head, []
    for line in lines:
        for chain, stream, no, digest in line["heads"]:
            if (chain, stream) != ("journal", head["stream"]):
                continue
            if no > head["head_no"]:
                raise NotSound(
                    f"row 1: another head: anchor {line['no']} of {line['at']} has number {no} already"
                )
            if journal.hashes.get(no, digest) != digest:
                row = no - head["first_no"] + 2
                raise NotSound(
                    f"row {row} (entry {no}): anchor {line['no']} of {line['at']} has another hash"
                )
            if no in journal.hashes:
                agreed.append(no)
    if not agreed:
        return "no anchor is of these entries: an export that was rewritten as a whole is not recognized"
    return f"{len(agreed)} anchors agree; they vouch for everything up to entry {max(agreed)} of {head['last_no']}"


# --- a closed ledger -------------------------------------------------------------------------------------

LEDGERS = {
    "sales": ({"receipts", "identified_receipts"}, {"day", "category"}, "tenders"),
    "returns": ({"returns"}, {"reason", "disposition"}, "events"),
    "feedback": (set(), {"channel", "kind"}, None),
}
"""Totals that are counted and not added up, the names of a row, and the further part of each kind."""


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """`net: {"fen": 5, "currency": "CNY"}` becomes `net_fen: 5`, as it was hashed."""
    found = {}
    for name, value in row.items():
        if isinstance(value, dict):
            if (
                set(value) != {"fen", "currency"}
                or value["currency"] != "CNY"
                or type(value["fen"]) is not int
            ):
                raise NotSound(f"altered: {name} is no amount of money")
            found[f"{name}_fen"] = value["fen"]
        else:
            found[name] = value
    return found


def hash_of(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def verify_ledger(given: argparse.Namespace) -> list[str]:
    try:
        body = parsed(given.file.read_bytes())
        kind, month, claimed = body["kind"], body["month"], body["content_hash"]
        counted, names, further = LEDGERS[kind]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CannotJudge(f"{given.file.name} is no ledger of reporting as JSON: {error}") from error
    if body.get("state") != "closed" or claimed is None:
        raise CannotJudge("the ledger has no content hash: its month is open, or its branch had no facts")
    if given.month and month != given.month:
        raise NotSound(f"another month: this is {month}, not {given.month}")
    try:
        content = _content(body, further)
        _add_up(content, counted, names, month)
    except (KeyError, TypeError, AttributeError) as error:
        raise NotSound(f"altered: a part is missing or of another kind: {error}") from error
    if hash_of(content) != claimed:
        raise NotSound(f"altered: the content has the hash {hash_of(content)}, the ledger says {claimed}")
    if given.hash and given.hash.lower() != claimed:
        raise NotSound(f"another ledger: its hash is {claimed}, and {given.hash} was expected")
    note = "" if given.hash else "; compare this hash with one that was kept elsewhere (--hash)"
    return [
        f"{kind} {month} {body.get('branch_id') or 'whole chain'}: {len(content['rows'])} rows, {claimed}{note}",
        "covered are rows, totals, tenders and events; not the month's name, who closed it, and later revisions",
    ]


def _content(body: dict[str, Any], further: str | None) -> dict[str, Any]:
    content: dict[str, Any] = {"rows": [], "totals": plain(body["totals"])}
    for row, each in enumerate(body["rows"], 1):
        try:
            content["rows"].append(plain(each))
        except NotSound as fault:
            raise NotSound(f"row {row}: {fault}") from fault
    if further == "tenders":
        content["tenders"] = {each["tender"]: plain(each)["amount_fen"] for each in body["tenders"]}
    elif further == "events":
        content["events"] = [plain(each) for each in body["events"]]
    return content


def _add_up(content: dict[str, Any], counted: set[str], names: set[str], month: str) -> None:
    sums: dict[str, int] = defaultdict(int)
    known: list[list[str]] = []
    for row, each in enumerate(content["rows"], 1):
        if each.get("day", month)[:7] != month:
            raise NotSound(f"row {row}: another month: it is of {each['day']}")
        key = [each[name] for name in sorted(names, key=_order)]
        if known and key <= known[-1]:
            raise NotSound(f"row {row}: reordered: {key} stands behind {known[-1]}")
        known.append(key)
        for name, value in each.items():
            if name not in names:
                sums[name] += value
    for name, total in content["totals"].items():
        if name not in counted and sums[name] != total:
            raise NotSound(f"sums differ: {name} adds up to {sums[name]} in the rows, the total says {total}")


def _order(name: str) -> int:
    return ("day", "category", "reason", "disposition", "channel", "kind").index(name)


# --- anchors ---------------------------------------------------------------------------------------------


def verifier(key: Path | None) -> Any:
    """A function (signature, message) that raises where it is not of the key; None when it cannot be had."""
    try:
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        return None
    if key is None:
        return None
    try:
        return load_pem_public_key(key.read_bytes()).verify
    except (ValueError, OSError) as error:
        raise CannotJudge(f"{key} is no public key as PEM: {error}") from error


def read_anchors(folder: Path, service: str, key: Path | None) -> tuple[list[dict[str, Any]], str]:
    """The lines in order, and what is to be said of them. Raises NotSound at the first that is wrong."""
    name = re.compile(rf"{re.escape(service)}-anchors-[0-9]{{4}}-[0-9]{{2}}\.jsonl")
    files = sorted(path for path in folder.iterdir() if name.fullmatch(path.name))
    if not files:
        raise CannotJudge(f"{folder} holds no anchors of {service}")
    check = verifier(key)
    lines: list[dict[str, Any]] = []
    no, previous = 0, GENESIS
    for path in files:
        for row, raw in rows_of(path):
            where, line = f"{path.name} row {row}", _anchor(raw)
            no += 1
            if line is None or line["service"] != service:
                raise NotSound(f"{where}: altered: it is no anchor of {service}")
            if line["no"] != no:
                raise NotSound(
                    f"{where}: missing or reordered: it is number {line['no']}, {no} should follow"
                )
            if line["previous"] != previous:
                raise NotSound(f"{where}: the line before it was altered")
            _check_signature(check, line, where)
            previous = hashlib.sha256(raw).hexdigest()
            lines.append(line)
    how = "signatures checked" if check else "SIGNATURES WERE NOT CHECKED (package cryptography and --key)"
    return lines, f"{no} anchors from {lines[0]['at']} to {lines[-1]['at']}, {how}, last line {previous}"


def _check_signature(check: Any, line: dict[str, Any], where: str) -> None:
    if check is None:
        return
    unsigned = {name: value for name, value in line.items() if name != "signature"}
    try:
        check(bytes.fromhex(line["signature"]), compact(unsigned))
    except Exception as error:  # of another package, which need not be there
        raise NotSound(f"{where}: forged: its signature is not of this key over this line") from error


def compact(members: dict[str, Any]) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _anchor(raw: bytes) -> dict[str, Any] | None:
    try:
        line = parsed(raw)
        is_one = line["format"] == ANCHOR and compact(line) == raw and type(line["no"]) is int
        is_one = is_one and all(_fits(head, (str, str, int, str)) for head in line["heads"])
        is_one = is_one and all(
            type(line[name]) is str for name in ("at", "previous", "service", "signature")
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return line if is_one else None


def verify_anchors(given: argparse.Namespace) -> list[str]:
    return [read_anchors(given.folder, given.service, given.key)[1]]


# --- an archived month of a chain ------------------------------------------------------------------------

CHAIN = "apotheca-chain/1"
SEALED = re.compile(rb'\{"chain_no":([1-9][0-9]{0,18}),"chain_hash":"([0-9a-f]{64})","row":(\[.*\])\}\n')


def verify_archive(given: argparse.Namespace) -> list[str]:
    """Every row from the hash before the first to the hash of the last, as the manifest beside the file says."""
    name = given.file.name.removesuffix(".ndjson.gz")
    try:
        manifest = parsed(given.file.with_name(f"{name}.manifest.json").read_bytes())
    except (ValueError, OSError) as fault:
        raise CannotJudge(f"the manifest beside the file cannot be read: {fault}") from fault
    if not isinstance(manifest, dict) or manifest.get("format") != CHAIN:
        raise CannotJudge(f"the manifest is not one of {CHAIN}")
    no, previous = manifest["first_no"] - 1, manifest["previous_hash"]
    with gzip.open(given.file, "rb") as packed:
        try:
            while raw := packed.readline(4 * LINE_BYTES_MAX):
                no, previous = no + 1, _sealed(raw, no + 1, previous)
        except (EOFError, gzip.BadGzipFile, zlib.error) as fault:
            raise NotSound(f"row {no + 1}: the file is damaged: {fault}") from fault
    if (no, previous) != (manifest["last_no"], manifest["last_hash"]):
        raise NotSound(f"the file ends at row {no}, {previous}; {manifest['last_no']} is missing")
    said = (
        f"{manifest['chain']} {manifest['stream']}: rows {manifest['first_no']} to {no}, last hash {previous}"
    )
    if not given.hash:
        return [said, "the last hash was not compared with one that was kept elsewhere: give it with --hash"]
    if given.hash != previous:
        raise NotSound(f"the last hash is {previous}, and not {given.hash}")
    return [said, "the last hash is the one that was kept elsewhere"]


def _sealed(raw: bytes, no: int, previous: str) -> str:
    line = SEALED.fullmatch(raw)
    if line is None:
        raise NotSound(f"row {no}: it is not a line of an archive")
    if int(line[1]) != no:
        raise NotSound(f"row {no}: missing: the line bears the number {int(line[1])}")
    found = hashlib.sha256(bytes.fromhex(previous) + no.to_bytes(8, "big") + line[3]).hexdigest()
    if found != line[2].decode():
        raise NotSound(f"row {no}: altered: its hash is {found}, and not {line[2].decode()}")
    return found


# --- the command -----------------------------------------------------------------------------------------


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    each = commands.add_parser("journal")
    each.add_argument("file", type=Path)
    each.add_argument("--month")
    each.add_argument("--anchors", type=Path, metavar="FOLDER")
    each.add_argument("--key", type=Path, metavar="FILE", help="the public key of the anchors, as PEM")
    each.set_defaults(run=verify_journal)
    each = commands.add_parser("ledger")
    each.add_argument("file", type=Path)
    each.add_argument("--month")
    each.add_argument("--hash", help="the content hash that was kept elsewhere")
    each.set_defaults(run=verify_ledger)
    each = commands.add_parser("archive")
    each.add_argument("file", type=Path)
    each.add_argument("--hash", help="the hash of the last row that was kept elsewhere, as by the anchors")
    each.set_defaults(run=verify_archive)
    each = commands.add_parser("anchors")
    each.add_argument("folder", type=Path)
    each.add_argument("--service", default="finance")
    each.add_argument("--key", type=Path, metavar="FILE", help="the public key, as PEM")
    each.set_defaults(run=verify_anchors)
    return parser


def main() -> int:
    given = arguments().parse_args()
    try:
        said = given.run(given)
    except NotSound as fault:
        print(f"NOT SOUND: {fault}")
        return 1
    except (CannotJudge, OSError) as why:
        print(f"CANNOT JUDGE: {why}", file=sys.stderr)
        return 2
    print("\n".join(["SOUND", *said]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
