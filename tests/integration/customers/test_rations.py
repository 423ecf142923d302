"""Guessing is slow: look-ups of people are counted per actor and per address, for all processes together."""

import base64
import time
from uuid import uuid4

import pytest

from customers.app import SERVICE
from shared.app import new_app
from shared.rations import prune_rations, take
from shared.settings import Settings

PHONE = {"phone": "+8613800001111"}


@pytest.fixture
def processes(app):
    """Two processes over one database; a gateway at 127.0.0.1 is believed."""
    settings = Settings(
        database_url=app.extensions["settings"].database_url,
        jwks=app.extensions["settings"].jwks,
        master_key=base64.b64encode(bytes(range(32))).decode(),
        trusted_proxies=("127.0.0.1/32",),
        look_ups_of_address_per_minute=70,
    )
    made = [new_app(SERVICE, settings) for _ in range(2)]
    for each in made:
        each.extensions["issuer"] = app.extensions["issuer"]
    yield made
    for each in made:
        each.extensions["database"].dispose()


def ask(process, person, *, address="10.0.0.1", path="/v1/customer-lookups", body=PHONE):
    token = process.extensions["issuer"].token(person, ["cs_agent"])
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address}
    return process.test_client().post(path, json=body, headers=headers)


def ask_often(times, ask_once):
    """The answers, and how many look-ups a minute's worth of `limit` may have come back meanwhile, by limit."""
    began = time.monotonic()
    answers = [ask_once(number) for number in range(times)]
    taken_s = time.monotonic() - began
    return answers, lambda limit: int(limit * taken_s / 60) + 1


def granted(answers):
    return [answer.status_code for answer in answers].count(200)


def test_one_actor_gets_thirty_look_ups_a_minute_of_all_processes_together(processes):
    person = uuid4().hex
    answers, came_back = ask_often(
        60, lambda number: ask(processes[number % 2], person, address=uuid4().hex[:8])
    )
    assert granted(answers[:30]) == 30
    assert granted(answers) <= 30 + came_back(30)
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_look_ups")
    assert 1 <= int(refused.headers["Retry-After"]) <= 3
    assert ask(processes[0], uuid4().hex).status_code == 200


def test_one_address_gets_so_many_of_all_its_actors_and_another_address_its_own(processes):
    people = [uuid4().hex for _ in range(10)]
    answers, came_back = ask_often(
        110, lambda number: ask(processes[0], people[number % 10], address="10.9.9.9")
    )
    assert granted(answers[:70]) == 70
    assert granted(answers) <= 70 + came_back(70)
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert "address" in refused.json["detail"]
    assert ask(processes[0], people[0], address="10.9.9.8").status_code == 200


def test_reading_people_unmasked_is_rationed_too(processes):
    person = uuid4().hex
    path = f"/v1/customers/{uuid4()}/disclosures"
    statuses = [ask(processes[0], person, path=path, body={"purpose": "order_service", "fields": ["phone"]}).status_code for _ in range(90)]  # fmt: skip
    assert 429 in statuses


def test_an_address_in_a_header_counts_only_when_the_gateway_is_trusted(app):
    people = [uuid4().hex for _ in range(11)]
    statuses = [ask(app, people[number % 11], address=f"10.1.1.{number % 250}").status_code for number in range(310)]  # fmt: skip
    assert 429 in statuses  # 300 a minute of the one peer, whatever it says


def test_a_receipt_is_forgotten_when_all_look_ups_are_back(app, database):
    take(database, app.extensions["settings"], actor_id="gone", address="10.7.7.7", share=1)
    with database.begin() as conn:
        conn.exec_driver_sql("update rations set used_until = clock_timestamp() - interval '1 second'")

    class Now:
        pass

    tx = Now()
    with database.begin() as conn:
        tx.conn = conn
        assert prune_rations(tx) > 0
    with database.begin() as conn:
        assert conn.exec_driver_sql("select count(*) from rations").scalar_one() == 0


def test_unacceptable_tokens_are_slowed_down_and_acceptable_ones_still_believed(app):
    client = app.test_client()
    answers = [client.get("/v1/customers", headers={"Authorization": f"Bearer x.{number}.y"}) for number in range(40)]  # fmt: skip
    assert [answer.status_code for answer in answers[:30]] == [401] * 30
    assert (answers[-1].status_code, answers[-1].json["code"]) == (429, "too_many_failed_sign_ins")
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert ask(app, uuid4().hex).status_code in {200, 429}
    token = app.extensions["issuer"].token("honest", ["cs_agent"])
    found = client.get(f"/v1/customers/{uuid4()}", headers={"Authorization": f"Bearer {token}"})
    assert found.status_code == 404
