"""The command line says in one sentence why it cannot do something, and never shows a traceback."""

import json
import socket
import subprocess
import sys

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from apotheca import secret_files
from apotheca.postgres import FORGETFUL, Postgres, PostgresFailed
from shared.settings import SERVICES
from tests.support.ports import five_free_ports


def apotheca(*arguments):
    command = [sys.executable, "-m", "apotheca", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def assert_refused(done, exit_code, sentence):
    assert done.returncode == exit_code, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_port_in_use_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = apotheca("up", "--once", "--folder", tmp_path, "--first-port", port)
    assert_refused(done, 3, f"Port {port} (for customers) is in use")


def test_a_folder_that_cannot_be_made_is_refused():
    assert_refused(
        apotheca("up", "--once", "--folder", "/dev/null/var", "--first-port", five_free_ports()),
        3,
        "The operating system refused",
    )


def test_a_token_of_the_local_issuer_names_roles_and_branches(tmp_path):
    done = apotheca(
        "token",
        "--folder",
        tmp_path,
        "--role",
        "cashier",
        "--branch",
        "B001",
        "--branch",
        "B002",
        "--subject",
        "p7",
    )
    assert done.returncode == 0, done.stderr
    keys = KeySet.import_key_set(json.loads((tmp_path / "jwks.json").read_text()))
    claims = jwt.decode(done.stdout.strip(), keys, algorithms=["Ed25519"]).claims
    assert (claims["sub"], claims["roles"], claims["branches"]) == ("p7", ["cashier"], ["B001", "B002"])


@pytest.mark.requirement("X1")
def test_a_token_that_combines_duties_is_refused(tmp_path):
    done = apotheca("token", "--folder", tmp_path, "--role", "cashier", "--role", "finance_auditor")
    assert_refused(done, 2, "one person may not be cashier and finance_auditor")


def test_an_unknown_role_is_refused(tmp_path):
    assert_refused(apotheca("token", "--folder", tmp_path, "--role", "king"), 2, "no such role: king")


def test_secret_files_are_made_once_and_only_the_owner_gets_at_them(tmp_path):
    folder = tmp_path / "secrets"
    made = secret_files.make(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert secret_files.make(folder) == []
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert folder.stat().st_mode & 0o777 == 0o700
    passwords = [before[name] for name in made if name.endswith("-password")]
    # postgres, rabbitmq, and of each service the role that runs and the role that owns
    assert len(set(passwords)) == len(passwords) == 2 + 2 * len(SERVICES)


def test_private_postgres_keeps_roles_out_of_each_others_databases(make_folder, monkeypatch):
    import psycopg

    folder = make_folder()
    server = Postgres(folder, FORGETFUL)
    server.start()
    try:
        server.ensure_database("finance", "finance", "one")
        server.ensure_database("returns", "returns", "two")
        foreign = server.url("returns", "finance", "one").replace("+psycopg", "")
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(foreign)
        wrong = server.url("finance", "finance", "guessed").replace("+psycopg", "")
        with pytest.raises(psycopg.OperationalError, match="authentication failed"):
            psycopg.connect(wrong)
        monkeypatch.setattr("apotheca.postgres.END_WITHIN_S", 0)
        with pytest.raises(PostgresFailed, match="in use by another run"):
            Postgres(folder, FORGETFUL).start()
    finally:
        server.stop()
    assert not server.is_running
