"""Who works at the service desk, and who reads."""

STAFF = ("cs_agent", "cs_manager", "pharmacist", "qa")
READERS = (*STAFF, "store_manager", "management")
