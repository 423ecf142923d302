"""Who asks for returns, and who reads of them."""

REQUESTERS = (
    "salesperson",
    "invoicing_clerk",
    "cs_agent",
    "cs_manager",
    "pharmacist",
    "cashier",
    "store_manager",
    "till",
)
READERS = (
    *REQUESTERS,
    "business_head",
    "qa",
    "receiver",
    "inspector",
    "storekeeper",
    "purchaser",
    "accountant",
    "finance_auditor",
    "finance_head",
    "supervision_member",
    "management",
    "operator",
)
