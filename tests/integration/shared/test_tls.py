"""Whoever connects to broker or database over TLS checks the certificate and the host name, each by one setting."""

import threading
from contextlib import ExitStack

import psycopg
import pytest
import sqlalchemy

from shared import amqp_source, migrations, ops, topology
from shared import postgres as connections
from shared.database import Database
from shared.service import load
from shared.settings import Settings
from tests.support.eventually import eventually
from tests.support.infrastructure import open_tls_rabbitmq
from tests.support.tls import TlsDoor, make_files

SAID = "CERTIFICATE_VERIFY_FAILED|certificate verify failed|Hostname mismatch|does not match host name"


@pytest.fixture(scope="module")
def files(make_folder):
    folder = make_folder()
    folder.chmod(0o755)
    return make_files(folder / "ours"), make_files(folder / "strangers")


@pytest.fixture(scope="module")
def broker(files):
    with ExitStack() as stack:
        yield open_tls_rabbitmq(stack, files[0])


def settings(database_url="postgresql+psycopg://nobody@/none", **given):
    return Settings.from_env(
        {
            "APOTHECA_DATABASE_URL": database_url,
            **{f"APOTHECA_{name}": str(value) for name, value in given.items()},
        }
    )


def of_broker(broker, files, *, host="localhost", authority=0):
    return settings(AMQP_URL=broker.tls_url(host), AMQP_CA=files[authority] / "ca.pem").amqp_url


def speak_as_relay(url):
    with topology.connect(url) as connection:
        topology.declare_producer(connection, threading.Event())


def speak_as_consumer(url):
    amqp_source.open_connection(url).close()


def test_relay_and_consumer_accept_the_right_certificate(broker, files):
    url = of_broker(broker, files)
    eventually(lambda: speak_as_relay(url) is None, within_s=30)
    speak_as_consumer(url)


@pytest.mark.parametrize("speak", [speak_as_relay, speak_as_consumer])
@pytest.mark.parametrize(("host", "authority"), [("127.0.0.1", 0), ("localhost", 1)])
def test_another_host_name_and_an_unknown_authority_are_refused_by_both(
    broker, files, speak, host, authority
):
    url = of_broker(broker, files, host=host, authority=authority)
    with pytest.raises(Exception, match=SAID) as refused:
        speak(url)
    assert not isinstance(refused.value, AssertionError)


def test_without_the_setting_only_the_authorities_of_the_machine_count(broker):
    with pytest.raises(OSError, match=SAID):
        speak_as_relay(settings(AMQP_URL=broker.tls_url("localhost")).amqp_url)


@pytest.mark.parametrize(("host", "exit_code"), [("localhost", 0), ("127.0.0.1", 1)])
def test_the_operators_commands_check_likewise(broker, files, postgres, monkeypatch, capsys, host, exit_code):
    for name, value in {
        "DATABASE_URL": postgres.create_database(),
        "TRANSPORT": "amqp",
        "AMQP_URL": broker.tls_url(host),
        "AMQP_CA": files[0] / "ca.pem",
    }.items():
        monkeypatch.setenv(f"APOTHECA_{name}", str(value))
    assert ops.main(["finance", "topology", "declare"]) == exit_code
    assert ("broker_unreachable" in capsys.readouterr().out) == (exit_code == 1)


@pytest.fixture
def door(postgres, files):
    with TlsDoor(postgres.create_database(), files[0]) as opened:
        yield opened


def ask_the_pool(url):
    database = Database(url, pool_size=1)
    try:
        database.ping()
    finally:
        database.dispose()


def ask_outside_the_pool(url):
    with connections.connect(url) as conn:
        conn.execute("select 1")


def migrate(url):
    migrations.upgrade(load("customers"), url)


WAYS = [ask_the_pool, ask_outside_the_pool, migrate]


@pytest.mark.parametrize("ask", WAYS)
def test_the_database_is_spoken_to_when_its_certificate_is_right(door, files, ask):
    ask(settings(door.url("localhost"), DATABASE_CA=files[0] / "ca.pem").database_url)


@pytest.mark.parametrize("ask", WAYS)
@pytest.mark.parametrize(("host", "authority"), [("127.0.0.1", 0), ("localhost", 1)])
def test_the_database_is_refused_by_another_name_or_an_unknown_authority(door, files, ask, host, authority):
    url = settings(door.url(host), DATABASE_CA=files[authority] / "ca.pem").database_url
    with pytest.raises((sqlalchemy.exc.OperationalError, psycopg.OperationalError), match=SAID):
        ask(url)
