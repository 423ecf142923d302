"""What the sources are found to refuse, at operations where people know it; every other test shows that none is missing."""

import pytest

from deploy.generate.errors import TITLES, refusals_of
from deploy.generate.openapi import document_of
from shared.refusals import METHODS, of_package


@pytest.mark.parametrize(
    ("package", "operation", "code"),
    [
        ("returns", "settle_return", "handler_may_not_settle"),  # in the command
        ("returns", "decide_return", "approval_same_person"),  # in shared, behind a table of decisions
        ("finance", "create_sale", "lot_stopped"),  # in another area, judged after the insert
        ("finance", "close_period", "drafts_pending"),  # behind a list that other areas fill
        ("customers", "create_customer_lookup", "too_many_look_ups"),  # declared at the view
        ("customers", "create_patient", "json_duplicate_key"),  # at the edge, for a body
        ("reporting", "get_sales_ledger_csv", "chain_not_covered"),  # in a view that a function makes
        ("finance", "create_sale", "credit_limit_exceeded"),  # made in one place, raised in another
        ("finance", "check_order", "credit_not_yet_known"),  # let through by what collects the others
        ("finance", "match_bank_line", "bank_line_not_found"),  # in the place of one that is caught
        ("finance", "create_sale", "busy"),  # made of what the database said
    ],
)
def test_an_operation_lists_what_is_refused_wherever_that_is_decided(package, operation, code):
    assert code in of_package(package)["operations"][operation]["refused"]


@pytest.mark.parametrize(
    ("package", "operation", "code"),
    [
        ("returns", "get_return", "return_step_not_allowed"),
        ("returns", "list_returns", "json_malformed"),
        ("customers", "get_customer", "too_many_look_ups"),
        ("finance", "upload_sales", "lot_stopped"),  # of a line, not of the upload
        ("finance", "match_bank_line", "bank_account_not_found"),  # caught by name
        ("finance", "check_order", "trade_not_permitted"),  # collected by a context manager
        ("finance", "get_period_obstacles", "drafts_pending"),  # asked in a loop that catches all
        ("finance", "get_credit_exposure", "credit_overdue"),  # told as a value
        ("finance", "list_vouchers", "budget_exceeded"),  # its code alone is told
    ],
)
def test_an_operation_lists_nothing_of_others(package, operation, code):
    assert code not in of_package(package)["operations"][operation]["refused"]


def test_an_upload_lists_what_its_lines_are_refused_with():
    assert {"lot_stopped", "tenders_differ"} <= set(
        of_package("finance")["operations"]["upload_sales"]["refused_in_lines"]
    )


@pytest.mark.parametrize("package", ["customers", "finance", "service_desk", "returns", "reporting"])
def test_every_status_of_a_refusal_shows_each_code_by_name(package):
    document = document_of(package)
    responses, examples = (document["components"][part] for part in ("responses", "examples"))
    listed = set()
    for methods in document["paths"].values():
        for operation in (methods[method] for method in METHODS if method in methods):
            for status, answer in operation["responses"].items():
                if status.startswith("2"):
                    continue
                told = responses[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
                shown = told["content"]["application/problem+json"]["examples"]
                assert {str(examples[code]["value"]["status"]) for code in shown} == {status}
                listed |= set(shown)
    assert listed == set(of_package(package)["refusals"]) - lines_alone(package)


def lines_alone(package):
    found = of_package(package)["operations"].values()
    refused = {code for each in found for code in each["refused"]}
    return {code for each in found for code in each.get("refused_in_lines", ())} - refused


def test_every_refusal_says_by_itself_what_to_do():
    generic = [each.code for package in TITLES for each in refusals_of(package) if "cure" not in vars(each)]
    assert generic == []
