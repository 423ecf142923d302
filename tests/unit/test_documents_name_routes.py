"""Whoever follows a document finds what it names: routes with who may call them, tasks, an operator's commands, events."""

import argparse
import json
import re

import pytest

from deploy.generate.repository import ROOT, SERVICES
from shared import ops
from shared.identity import ROLES
from tests.unit.test_documents_name_files import PAGES

METHODS = ("get", "post", "put", "patch", "delete")
ROLES_OF = {
    (method.upper(), path): set(operations[method].get("x-roles", ()))
    for folder in SERVICES.values()
    for path, operations in json.loads(
        (ROOT / "services" / folder / "contracts" / "openapi.json").read_text()
    )["paths"].items()
    for method in METHODS
    if method in operations
}
EVENTS = set(
    re.findall(r'"([a-z_]+(?:\.[a-z_]+)+\.v\d+)"', (ROOT / "shared/src/shared/event_types.json").read_text())
)
TASKS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

ROUTE = re.compile(r"`(?:([A-Z]{3,6}) )?[^\s`/]*(?:/[a-z-]+)?(/v1/[^`\s?#]+)(?:[?#][^`]*)?`")
TASK = re.compile(r"(?:`|^ *)make ([a-z][a-z -]*[a-z])(?= ARGS|`|$)", re.MULTILINE)
COMMAND = re.compile(r"(?:shared\.ops \S+|`…(?: (?:" + "|".join(SERVICES) + r"))?) ([a-z-]+)(?: ([a-z-]+))?")
EVENT = re.compile(r"`((?:" + "|".join(SERVICES) + r")\.[a-z_.]+\.v\d+)`")
ROW = re.compile(r"^\| `([A-Z]+) (/v1/[^`?]+)` \| ([^|]*) \|", re.MULTILINE)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def operations_at(path):
    """The operations whose address it is, whatever stands in the braces, or in their place."""
    asked = path.rstrip("/").split("/")
    return {
        (method, route)
        for method, route in ROLES_OF
        if len(parts := route.split("/")) == len(asked)
        and all(mine == theirs or "{" in theirs for mine, theirs in zip(asked, parts, strict=True))
    }


def lost_routes(text):
    return {
        f"{method} {path}".strip()
        for method, path in ROUTE.findall(text)
        if "…" not in path
        and "<" not in path
        and not any(method in ("", each) for each, _ in operations_at(path))
    }


def choices_of(parser):
    """The commands below a parser: name → its own parser."""
    found = [each.choices for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    return found[0] if found else {}


GROUPS = choices_of(ops.arguments())


def lost_commands(text):
    lost = set()
    for whole in COMMAND.finditer(text):
        group, command = whole[1], whole[2]
        if group not in GROUPS:
            lost |= {group} if whole[0].startswith("shared.ops") else set()
        elif command and (known := choices_of(GROUPS[group])) and command not in known:
            lost.add(f"{group} {command}")
    return lost


def lost_roles(text):
    """What a row says of who may call it, and the operation does not."""
    return {
        f"{method} {path}: {role}"
        for method, path, who in ROW.findall(text)
        for role in set(re.findall(r"[a-z_]+", who.partition("not ")[0])) & set(ROLES)
        if (found := [each for each in operations_at(path) if each[0] == method])
        and not any(role in ROLES_OF[each] for each in found)
    }


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.parent.name != "adr"],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_every_route_that_a_document_names_is_there(page):
    """But for decisions, which tell of routes as they were."""
    assert lost_routes(page.read_text()) == set()


@every_page
def test_whom_a_card_lets_call_is_let_by_the_operation(page):
    assert lost_roles(page.read_text()) == set()


@every_page
def test_every_task_that_a_document_names_is_there(page):
    assert {task for named in TASK.findall(page.read_text()) for task in named.split()} - TASKS == set()


@every_page
def test_every_command_of_an_operator_that_a_document_names_is_there(page):
    assert lost_commands(page.read_text()) == set()


@every_page
def test_every_event_that_a_document_names_is_there(page):
    assert set(EVENT.findall(page.read_text())) - EVENTS == set()


@pytest.mark.parametrize(
    ("lost", "text"),
    [
        (lost_routes, "`/v1/nowhere-at-all`"),
        (lost_routes, "`DELETE /v1/sales`"),
        (lost_commands, "`python -m shared.ops finance nonsense`"),
        (lost_commands, "`… parked forget 1`"),
        (lost_roles, "| `POST /v1/periods/{month}/close` | cashier | ends it |"),
    ],
)
def test_what_is_nowhere_is_seen(lost, text):
    assert lost(text) != set()
    assert {name for named in TASK.findall("`make nonsense`") for name in named.split()} - TASKS == {
        "nonsense"
    }


def test_names_are_found_at_all():
    texts = [page.read_text() for page in PAGES]
    least = [(ROUTE, 200), (TASK, 20), (COMMAND, 20), (EVENT, 60), (ROW, 60)]
    assert [pattern.pattern for pattern, n in least if sum(len(pattern.findall(t)) for t in texts) < n] == []
