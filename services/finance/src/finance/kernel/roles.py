"""Roles that several areas admit."""

SELLERS = ("till", "cashier", "invoicing_clerk")
SALE_READERS = (
    *SELLERS,
    "salesperson",
    "business_head",
    "qa",
    "cs_agent",
    "cs_manager",
    "pharmacist",
    "store_manager",
    "accountant",
    "finance_auditor",
    "finance_head",
    "management",
)
BOOKKEEPERS = ("accountant", "finance_auditor", "finance_head", "unit_head", "management")


ORDER_SELLERS = ("salesperson", "invoicing_clerk", "store_manager", "business_head")
SHIPPERS = ("storekeeper",)
ORDER_READERS = (
    *ORDER_SELLERS,
    *SHIPPERS,
    "accountant",
    "finance_auditor",
    "finance_head",
    "management",
    "qa",
)


DEBT_KEEPERS = ("accountant", "finance_head")
DEBT_COLLECTORS = (*DEBT_KEEPERS, "salesperson")
DEBT_READERS = (*DEBT_COLLECTORS, "business_head", "store_manager", "finance_auditor", "management")
