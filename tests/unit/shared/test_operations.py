"""Names of operations follow from their addresses, words of parameters from their names."""

import pytest

from shared.operations import operation_id, singular, words_of


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("get", "/v1/ageing-reports", "get_ageing_reports"),
        ("post", "/v1/orders", "create_order"),
        ("get", "/v1/orders/{order_id}", "get_order"),
        ("put", "/v1/orders/{order_id}", "replace_order"),
        ("patch", "/v1/customers/{customer_id}", "update_customer"),
        ("post", "/v1/orders/{order_id}/cancel", "cancel_order"),
        ("post", "/v1/returns/{return_id}/pick-up", "pick_up_return"),
        ("post", "/v1/orders/{order_id}/decisions", "decide_order"),
        ("post", "/v1/expense-claims/{claim_id}/overrun/decisions", "decide_expense_claim_overrun"),
        ("post", "/v1/periods/{month}/reopenings/{reopening_id}/decisions", "decide_period_reopening"),
        ("post", "/v1/receivable-items/{item_id}/write-offs", "create_receivable_item_write_off"),
        ("get", "/v1/feedback-ledgers/{branch_id}/{month}", "get_feedback_ledger"),
        ("get", "/v1/journals/{month}/xlsx", "get_journal_xlsx"),
        ("post", "/v1/sales/bulk", "upload_sales"),
        ("post", "/v1/refunds/decisions/bulk", "decide_refunds"),
        ("post", "/v1/refunds/pay/bulk", "pay_refunds"),
    ],
)
def test_an_address_names_its_operation(method, path, name):
    assert operation_id(method, path) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/v1/orders", "list_orders"),
        ("/v1/contracts/{contract_id}/amendments", "list_contract_amendments"),
        ("/v1/bank-accounts/{account_id}/reconciliations", "list_bank_account_reconciliations"),
    ],
)
def test_what_answers_with_items_is_listed(path, name):
    assert operation_id("get", path, is_list=True) == name


@pytest.mark.parametrize(
    ("noun", "one"),
    [("orders", "order"), ("bank-matches", "bank-match"), ("lot-expiries", "lot-expiry"), ("expense-claims", "expense-claim")],
)  # fmt: skip
def test_one_of_many_has_the_noun_in_the_singular(noun, one):
    assert singular(noun) == one


@pytest.mark.parametrize(
    ("name", "schema", "place", "said"),
    [
        ("until", {"type": "string"}, "query", "Last day, included: a date in Asia/Shanghai."),
        ("claim_id", {"type": "string"}, "path", "Which claim is meant."),
        ("is_overdue", {"type": ["boolean", "null"]}, "query", "`true`: only what is overdue; `false`: only what is not."),
        ("branch_id", {"type": "string"}, "query", "Only of this branch."),
        ("discount_bp", {"type": "integer"}, "query", "Only of this discount bp. In basis points: 10000 are 100 %."),
    ],
)  # fmt: skip
def test_a_parameter_that_says_nothing_of_itself_gets_words(name, schema, place, said):
    assert words_of(name, schema, place) == said
