"""The verifier of exports runs with nothing but Python and the exports, and names the first row that is wrong."""

import gzip
import hashlib
import json
import subprocess
import sys
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from shared import anchors, chain

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "deploy" / "apotheca_verify.py"
SALE = [[1, "S001", "1001", None, 113, 0], [2, "S001", "6001", None, 0, 100], [3, "S001", "2221.01.02", None, 0, 13]]  # fmt: skip
ID = "00000000-0000-0000-0000-000000000001"


def run(folder, *words):
    """Exit code and output of the tool, without this project's packages, in a folder that holds the exports alone."""
    command = [sys.executable, "-I", "-S", str(TOOL), *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def entry(no, day="2026-03-02", lines=SALE, actor="till"):
    return [no, day, "S001", "sale", ID, 113, None, None, actor, f"{day}T02:00:00.000000Z", lines]


def sealed(entries):
    """Lines of an export from number 1, and the hashes."""
    rows, hashes, previous = [], [chain.GENESIS.hex()], chain.GENESIS
    for no, each in enumerate(entries, 1):
        content = json.dumps(each, ensure_ascii=False)
        previous = chain.link(previous, no, content)
        hashes.append(previous.hex())
        rows.append(f'{{"chain_no":{no},"chain_hash":"{previous.hex()}","entry":{content}}}\n'.encode())
    return rows, hashes


ENTRIES = [entry(1), entry(2, "2026-02-27"), entry(3, actor="王芳"), entry(4), entry(5, "2026-03-31")]


def head_of(hashes, **other):
    members = {
        "format": "apotheca-journal/1",
        "month": "2026-03",
        "stream": "main-2026",
        "first_no": 1,
        "last_no": 5,
        "previous_hash": hashes[0],
        "last_hash": hashes[5],
        "head_no": 5,
        "head_hash": hashes[5],
        "entries": 4,
        "unsealed": 0,
        "accounts": {"1001": [452, 0], "2221.01.02": [0, 52], "6001": [0, 400]},
    }
    return orjson.dumps(members | other) + b"\n"


@pytest.fixture
def rows(tmp_path):
    """Head line and five entries, one of another month between them; `keep` writes them."""
    entries, hashes = sealed(ENTRIES)
    return [head_of(hashes), *entries]


def judge(folder, rows, *words):
    (folder / "march.ndjson").write_bytes(b"".join(rows))
    return run(folder, "journal", "march.ndjson", *words)


def test_a_journal_is_sound_and_its_accounts_add_up(tmp_path, rows):
    code, said = judge(tmp_path, rows, "--month", "2026-03")
    assert code == 0
    assert said.startswith("SOUND\n2026-03: 4 entries, main-2026 1 to 5")
    assert "total                           4.52                4.52" in said


def test_every_flipped_byte_of_a_journal_is_found(tmp_path, rows):
    whole = b"".join(rows)
    sys.path.insert(0, str(TOOL.parent))
    import apotheca_verify as tool

    path = tmp_path / "flipped.ndjson"
    unfound = []
    for place in range(0, len(whole), 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            tool.Journal(path, None).verify()
            unfound.append(whole[place - 20 : place + 20])
        except (tool.NotSound, tool.CannotJudge):
            pass
    # how many wait for a number, and the head of a stream beyond this month, are told and cannot be recomputed
    assert [each for each in unfound if b"unsealed" not in each and b"head_no" not in each] == []


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda r: [*r[:3], *r[4:]], "row 4 (entry 3): missing"),
        (lambda r: [*r[:2], *r[3:]], "row 3 (entry 2): missing"),
        (lambda r: r[:-1], "missing: entry 5"),
        (lambda r: [*r[:2], r[3], r[2], *r[4:]], "row 3 (entry 2): reordered"),
        (lambda r: [*r[:3], r[2], *r[3:]], "row 4 (entry 3): reordered or repeated"),
        (lambda r: [*r[:4], r[4].replace(b'"till"', b'"cash"'), *r[5:]], "row 5 (entry 4): altered"),
        (lambda r: [*r[:4], r[4].replace(b", 113, 0]", b", 114, 0]"), *r[5:]], "row 5 (entry 4): altered"),
        (
            lambda r: [r[0].replace(b"452", b"453"), *r[1:4], r[4].replace(b"113", b"114"), *r[5:]],
            "row 5 (entry 4): altered",
        ),
        (lambda r: [r[0].replace(b"452", b"453"), *r[1:]], "sums differ: account 1001"),
        (lambda r: [r[0].replace(b'"entries":4', b'"entries":5'), *r[1:]], "sums differ: 4 entries"),
        (lambda r: [r[0].replace(b'"2026-03"', b'"2026-02"'), *r[1:]], "sums differ"),
        (lambda r: [*r[:-1], r[-1][:-1]], "row 6: missing: the file ends in the middle of it"),
    ],
)
def test_what_was_done_to_a_journal_is_named(tmp_path, rows, harm, said):
    code, answer = judge(tmp_path, harm(rows))
    assert (code, answer[:10]) == (1, "NOT SOUND:")
    assert said in answer


def test_a_journal_of_another_month_is_not_the_one_that_was_asked_for(tmp_path, rows):
    assert judge(tmp_path, rows, "--month", "2026-04") == (
        1, "NOT SOUND: row 1: another month: this is 2026-03, not 2026-04\n"
    )  # fmt: skip


def test_an_entry_that_does_not_balance_is_named_though_its_hash_is_right(tmp_path):
    entries, hashes = sealed([*ENTRIES[:4], entry(5, lines=SALE[:2])])
    code, said = judge(tmp_path, [head_of(hashes), *entries])
    assert (code, "row 6 (entry 5): unbalanced: debits are 113 fen, credits 100 fen" in said) == (1, True)


def test_entries_chained_anew_have_another_head(tmp_path, rows):
    entries, _ = sealed([*ENTRIES[:4], entry(5, "2026-03-30")])
    assert judge(tmp_path, [rows[0], *entries])[1].startswith("NOT SOUND: row 1: another head")


def test_an_export_rewritten_as_a_whole_is_found_by_its_anchors(tmp_path, rows):
    _, true = sealed(ENTRIES)
    key = anchors.key_of(b64encode(bytes(32)).decode())
    at = datetime(2026, 4, 1, tzinfo=UTC)
    anchors.append(
        tmp_path / "anchors", "finance", key, at, {("journal", "main-2026"): (5, true[5])}, (0, anchors.FIRST)
    )
    code, said = judge(tmp_path, rows, "--anchors", "anchors")
    assert code == 0
    assert "SIGNATURES WERE NOT CHECKED" in said
    assert "vouch for everything up to entry 5 of 5" in said
    entries, hashes = sealed([*ENTRIES[:4], entry(5, "2026-03-30")])
    rewritten = [head_of(hashes), *entries]
    assert judge(tmp_path, rewritten)[0] == 0
    code, said = judge(tmp_path, rewritten, "--anchors", "anchors")
    assert (code, "row 6 (entry 5): anchor 1 of 2026-04-01" in said) == (1, True)


def test_signatures_of_anchors_are_checked_where_the_package_is_installed(tmp_path):
    key, other = (anchors.key_of(b64encode(each * 32).decode()) for each in (b"a", b"b"))
    at = datetime(2026, 4, 1, tzinfo=UTC)
    anchors.append(
        tmp_path, "finance", key, at, {("journal", "main-2026"): (5, "ab" * 32)}, (0, anchors.FIRST)
    )
    (tmp_path / "other.pub").write_text(anchors.pem_of(other.public_key()))
    found = [
        subprocess.run([sys.executable, TOOL, "anchors", tmp_path, "--key", tmp_path / pub], capture_output=True, text=True, check=False)
        for pub in ("finance-anchors.pub", "other.pub")
    ]  # fmt: skip
    assert [each.returncode for each in found] == [0, 1]
    assert "signatures checked" in found[0].stdout
    assert "forged" in found[1].stdout


def test_what_is_no_export_cannot_be_judged(tmp_path):
    (tmp_path / "x").write_text("nothing\n")
    assert [run(tmp_path, kind, "x")[0] for kind in ("journal", "ledger")] == [2, 2]
    assert run(tmp_path, "journal", "absent")[0] == 2


# --- a closed ledger --------------------------------------------------------------------------------------


def money(fen):
    return {"fen": fen, "currency": "CNY"}


def a_ledger():
    """As reporting tells it: two rows of sales."""
    rows = [("2026-03-02", "drug", 2, 1000, 130), ("2026-03-03", "drug", 1, 500, 65)]
    content = {
        "rows": [
            {"day": day, "category": category, "receipts": 1, "quantity": n, "net_fen": net, "tax_fen": tax}
            for day, category, n, net, tax in rows
        ],
        "totals": {"receipts": 2, "identified_receipts": 1, "quantity": 3, "net_fen": 1500, "tax_fen": 195},
        "tenders": {"cash": 1130, "wechat": 565},
    }
    digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
    shown = [
        {
            name.removesuffix("_fen"): money(value) if name.endswith("_fen") else value
            for name, value in each.items()
        }
        for each in (*content["rows"], content["totals"])
    ]
    return {
        "kind": "sales",
        "month": "2026-03",
        "branch_id": None,
        "state": "closed",
        "content_hash": digest,
        "rows": shown[:2],
        "totals": shown[2],
        "tenders": [{"tender": name, "amount": money(fen)} for name, fen in content["tenders"].items()],
    }


def judge_ledger(folder, body, *words):
    (folder / "ledger.json").write_text(json.dumps(body, ensure_ascii=False))
    return run(folder, "ledger", "ledger.json", *words)


def test_a_closed_ledger_has_the_hash_of_its_content(tmp_path):
    body = a_ledger()
    code, said = judge_ledger(tmp_path, body, "--month", "2026-03", "--hash", body["content_hash"])
    assert (code, said.splitlines()[1]) == (0, f"sales 2026-03 whole chain: 2 rows, {body['content_hash']}")


def _amount(body):
    body["rows"][1]["net"]["fen"] += 1


def _amount_and_sum(body):
    _amount(body)
    body["totals"]["net"]["fen"] += 1


def _other_day(body):
    body["rows"][1]["day"] = "2026-04-03"


HARMS = {
    "sums differ: net_fen adds up to 1501": _amount,
    "altered: the content has the hash": _amount_and_sum,
    "sums differ: quantity": lambda body: body["rows"].pop(),
    "row 2: reordered": lambda body: body["rows"].reverse(),
    "row 2: another month": _other_day,
    "the ledger says": lambda body: body["tenders"].pop(),
    "altered: a part is missing": lambda body: body.pop("totals"),
}


@pytest.mark.parametrize("said", HARMS)
def test_what_was_done_to_a_ledger_is_named(tmp_path, said):
    body = a_ledger()
    HARMS[said](body)
    code, answer = judge_ledger(tmp_path, body)
    assert (code, said in answer) == (1, True), answer


def test_another_month_or_hash_than_was_expected_is_named(tmp_path):
    assert judge_ledger(tmp_path, a_ledger(), "--month", "2026-02")[0] == 1
    assert judge_ledger(tmp_path, a_ledger(), "--hash", "0" * 64)[0] == 1


def test_an_open_ledger_cannot_be_judged(tmp_path):
    assert judge_ledger(tmp_path, {**a_ledger(), "content_hash": None, "state": "open"})[0] == 2


# --- the document -----------------------------------------------------------------------------------------


def test_the_worked_examples_of_the_document_are_what_is_computed():
    document = (ROOT / "docs" / "verification.md").read_text()
    rows, hashes = sealed([entry(1)])
    head = head_of(
        [hashes[0], *[hashes[1]] * 5], last_no=1, head_no=1, entries=1,
        accounts={"1001": [113, 0], "2221.01.02": [0, 13], "6001": [0, 100]},
    )  # fmt: skip
    assert f"```\n{(head + rows[0]).decode()}```" in document
    content = {"rows": [{"channel": "phone", "kind": "complaint", "records": 2}], "totals": {"records": 2}}
    written = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert f"```\n{written}\n{hashlib.sha256(written.encode()).hexdigest()}\n```" in document


# --- an archived month of a chain ------------------------------------------------------------------------


def archived(folder):
    """A month of three rows as shared.chain_archive writes it, and the hash of its last."""
    lines, previous = [], chain.GENESIS
    for no in (1, 2, 3):
        content = f'[{no}, "2025-03", "till", ["a","b"], "销售 {no}"]'
        previous = chain.link(previous, no, content)
        lines.append(f'{{"chain_no":{no},"chain_hash":"{previous.hex()}","row":{content}}}\n'.encode())
    manifest = {
        "format": "apotheca-chain/1",
        "chain": "audit",
        "stream": "2025-03",
        "first_no": 1,
        "last_no": 3,
        "previous_hash": chain.GENESIS.hex(),
        "last_hash": previous.hex(),
    }
    (folder / "m.manifest.json").write_text(json.dumps(manifest))
    (folder / "m.ndjson.gz").write_bytes(gzip.compress(b"".join(lines)))
    return lines, previous.hex()


def test_an_archived_month_is_sound_as_it_was_written(tmp_path):
    _, last = archived(tmp_path)
    code, said = run(tmp_path, "archive", "m.ndjson.gz", "--hash", last)
    assert (code, said.splitlines()[0]) == (0, "SOUND")
    assert run(tmp_path, "archive", "m.ndjson.gz", "--hash", "0" * 64)[0] == 1


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda lines: [*lines[:1], lines[1].replace(b"till", b"tilt"), *lines[2:]], "row 2: altered"),
        (lambda lines: lines[:1] + lines[2:], "row 2: missing"),
        (lambda lines: lines[:2], "3 is missing"),
        (lambda lines: [*lines[:2], b"\n"], "row 3: it is not a line"),
    ],
)
def test_an_archived_month_that_was_touched_names_its_first_bad_row(tmp_path, harm, said):
    lines, _ = archived(tmp_path)
    (tmp_path / "m.ndjson.gz").write_bytes(gzip.compress(b"".join(harm(lines))))
    code, told = run(tmp_path, "archive", "m.ndjson.gz")
    assert (code, told.startswith("NOT SOUND"), said in told) == (1, True, True)


def test_an_archived_month_cut_short_or_without_its_manifest_is_named(tmp_path):
    archived(tmp_path)
    path = tmp_path / "m.ndjson.gz"
    path.write_bytes(path.read_bytes()[:-12])
    assert run(tmp_path, "archive", "m.ndjson.gz")[0] == 1
    (tmp_path / "m.manifest.json").unlink()
    assert run(tmp_path, "archive", "m.ndjson.gz")[0] == 2
