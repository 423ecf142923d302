"""A decision is stored by `shared.approvals.decide_and_store`, which judges it in the same breath."""

import ast
import re

from deploy.generate.repository import SERVICES, parsed, shown, sources_of

SIGNED = {"services/service-desk/src/service_desk/feedback/model.py"}
"""A ledger holds who signed it, one person at a time and withdrawn when it is compiled anew."""


def tables_of_decisions() -> set[str]:
    """By name and by variable, every table that has the columns of a decision."""
    found = set()
    for package in SERVICES:
        for path in sources_of(package):
            for node in parsed(path).body:
                if isinstance(node, ast.Assign) and "decision_columns(" in ast.unparse(node.value):
                    assert isinstance(node.targets[0], ast.Name)
                    assert isinstance(node.value, ast.Call)
                    assert isinstance(node.value.args[0], ast.Constant)
                    found |= {node.targets[0].id, node.value.args[0].value}
    return found


def test_nobody_writes_a_decision_by_hand():
    tables = tables_of_decisions()
    assert {"return_decisions", "approval_decisions", "stop_sale_lifting_decisions"} <= tables
    names = "|".join(sorted(tables))
    by_hand = re.compile(rf"insert\((?:\w+\.)?(?:{names})\b|insert into (?:{names})\b")
    assert {
        shown(path)
        for package in SERVICES
        for path in sources_of(package)
        if "migrations" not in path.parts and by_hand.search(path.read_text())
    } == set()


def test_nobody_judges_a_decision_without_storing_it():
    """Who makes an `Approval` calls no `decide` of it, nor makes a `Decision` of its own."""
    judging = {
        shown(path)
        for package in SERVICES
        for path in sources_of(package)
        if "migrations" not in path.parts and set(judgements(parsed(path)))
    }
    assert judging == SIGNED


def judgements(module: ast.Module) -> list[str]:
    """Calls of `decide` on what is no module, and of `Decision`."""
    names = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    approvals = {
        alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module == "shared.approvals"
        for alias in node.names
    }
    found = []
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr == "decide":
            is_module = isinstance(called.value, ast.Name) and called.value.id in names
            found += [] if is_module else [ast.unparse(called)]
        if isinstance(called, ast.Name) and called.id == "Decision" and "Decision" in approvals:
            found.append(called.id)
    return found
