"""Signed lines outside the database: written whole, chained across months, and no change of them goes unseen."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from shared import anchors
from shared.anchors import FIRST, append, key_of, read
from shared.settings import Settings, SettingsFaulty

SEED = base64.b64encode(bytes(32)).decode()
KEY = key_of(SEED)
OTHER = key_of(base64.b64encode(b"o" * 32).decode())
HASH = "ab" * 32


def at(month, day=1):
    return datetime(2026, month, day, 2, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    """Three lines of October and two of November."""
    for no, month in ((1, 10), (2, 10), (3, 10), (4, 11), (5, 11)):
        heads = {("journal", "main-2026"): (no, HASH), ("audit", "2026-10"): (7, HASH)}
        assert append(tmp_path, "finance", KEY, at(month, no), heads, (0, FIRST))[0] == no
    return tmp_path


def lines(path):
    return path.read_bytes().splitlines(keepends=True)


def faults(folder, last=(0, FIRST)):
    return [
        (each.file[16:23], each.row, each.what.split(":")[0])
        for each in read(folder, "finance", KEY.public_key(), last)[1]
    ]


def october(folder):
    return folder / "finance-anchors-2026-10.jsonl"


def november(folder):
    return folder / "finance-anchors-2026-11.jsonl"


def test_lines_follow_each_other_across_months_and_are_sound(folder):
    found, wrong = read(folder, "finance", KEY.public_key())
    assert wrong == []
    assert [(each.file[-13:-6], each.row, each.no) for each in found] == [
        ("2026-10", 1, 1), ("2026-10", 2, 2), ("2026-10", 3, 3), ("2026-11", 1, 4), ("2026-11", 2, 5)
    ]  # fmt: skip


def test_a_line_holds_the_heads_that_moved_and_the_first_of_a_file_all(folder):
    counts = [
        len(json.loads(line)["heads"]) for path in (october(folder), november(folder)) for line in lines(path)
    ]
    assert counts == [2, 1, 1, 2, 1]


def test_nothing_is_written_when_no_head_moved(folder):
    heads = {("journal", "main-2026"): (5, HASH)}
    assert append(folder, "finance", KEY, at(11, 6), heads, (0, FIRST)) is None


def test_every_flipped_byte_is_found(folder):
    path = october(folder)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert faults(folder), place


def test_a_flipped_byte_of_the_very_last_line_is_found(folder):
    path = november(folder)
    whole = path.read_bytes()
    for place in range(len(whole) - 200, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert faults(folder), place


def test_an_altered_line_is_named(folder):
    path = october(folder)
    path.write_bytes(path.read_bytes().replace(b'"journal","main-2026",2', b'"journal","main-2026",9'))
    assert faults(folder)[0] == ("2026-10", 2, "altered")


def test_a_removed_line_is_named(folder):
    rows = lines(october(folder))
    october(folder).write_bytes(rows[0] + rows[2])
    assert faults(folder) == [("2026-10", 2, "missing")]


def test_a_removed_month_is_named(folder):
    october(folder).unlink()
    assert faults(folder) == [("2026-11", 1, "missing")]


def test_reordered_lines_are_named(folder):
    rows = lines(october(folder))
    october(folder).write_bytes(rows[0] + rows[2] + rows[1])
    assert ("2026-10", 3, "reordered") in faults(folder)


def test_a_line_forged_with_another_key_is_named(folder):
    append(folder, "finance", OTHER, at(11, 6), {("journal", "main-2026"): (6, HASH)}, (0, FIRST))
    assert faults(folder) == [("2026-11", 3, "altered")]


def test_a_line_of_another_service_is_named(folder):
    found = read(folder, "finance", KEY.public_key())[0][-1]
    line = anchors._signed("returns", KEY, at(11, 6), {("audit", "x"): (1, HASH)}, 6, found.digest)
    with november(folder).open("ab") as file:
        file.write(line + b"\n")
    assert faults(folder) == [("2026-11", 3, "altered")]


def test_lines_cut_off_at_the_end_are_missed_and_stay_missed(folder):
    last = read(folder, "finance", KEY.public_key())[0][-1]
    november(folder).write_bytes(lines(november(folder))[0])
    known = (last.no, last.digest)
    assert faults(folder, known) == [("2026-11", 0, "missing")]
    written = append(folder, "finance", KEY, at(11, 7), {("journal", "main-2026"): (9, HASH)}, known)
    assert written[0] == 6
    assert faults(folder, written) == [("2026-11", 2, "missing")]


def test_an_emptied_folder_is_missed(folder, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    [fault] = read(empty, "finance", KEY.public_key(), (5, HASH))[1]
    assert fault.what == "missing: the files end at line 0, and line 5 was written"


def test_a_torn_last_line_is_cut_off_and_the_next_one_follows(folder):
    with november(folder).open("ab") as file:
        file.write(b'{"at":"2026-11-06T')
    assert faults(folder) == []
    assert (
        append(folder, "finance", KEY, at(11, 7), {("journal", "main-2026"): (6, HASH)}, (0, FIRST))[0] == 6
    )
    assert faults(folder) == []


def test_a_month_that_was_torn_at_its_first_line_follows_the_month_before(folder):
    november(folder).write_bytes(b'{"at":"2026-')
    assert (
        append(folder, "finance", KEY, at(11, 7), {("journal", "main-2026"): (6, HASH)}, (0, FIRST))[0] == 4
    )
    assert faults(folder) == []


def test_a_clock_set_back_keeps_the_months_in_order(folder):
    append(folder, "finance", KEY, at(9), {("journal", "main-2026"): (6, HASH)}, (0, FIRST))
    assert len(lines(november(folder))) == 3


def test_the_public_key_lies_beside_the_files(folder):
    assert (folder / "finance-anchors.pub").read_text() == anchors.pem_of(KEY.public_key())


def test_a_key_is_a_pem_or_a_seed():
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    assert anchors.pem_of(key_of(pem).public_key()) == anchors.pem_of(KEY.public_key())
    for wrong in ("", "x", base64.b64encode(b"short").decode(), "-----BEGIN NOTHING-----"):
        with pytest.raises(anchors.KeyFaulty):
            key_of(wrong)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"APOTHECA_ANCHORS": "/x"}, "APOTHECA_ANCHOR_KEY is not"),
        ({"APOTHECA_ANCHOR_KEY": SEED}, "APOTHECA_ANCHORS is not"),
        ({"APOTHECA_ANCHORS": "/x", "APOTHECA_ANCHOR_KEY": "nonsense"}, "must be an Ed25519 private key"),
    ],
)
def test_settings_of_anchors_are_both_right_or_refused(given, named):
    with pytest.raises(SettingsFaulty, match=named):
        Settings.from_env({"APOTHECA_DATABASE_URL": "postgresql://x", **given})


def test_the_worked_example_of_the_document_is_what_the_code_writes():
    document = (Path(__file__).parents[3] / "docs" / "verification.md").read_text()
    digest = "f3714c9c3e05df55b6db629cc9a900d45d2b4f1bb1cec9f868a8adcd39a41466"
    made = anchors._signed("finance", KEY, at(3, 2), {("journal", "main-2026"): (1, digest)}, 1, FIRST)
    assert f"```\n{made.decode()}\n```" in document
