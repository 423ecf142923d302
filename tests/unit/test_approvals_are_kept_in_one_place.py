"""A decision is stored by `shared.approvals.decide_and_store`, which judges it in the same breath."""

import re

from deploy.generate.repository import SERVICES, shown, sources_of

BY_HAND = re.compile(r"insert\(\w*(?:decisions|approvals)\b|insert into \w*(?:decisions|approvals)\b")
LEFT = {
    "services/customers/src/customers/licences/store.py",  # its rows have ids of their own, in whose order they are read
    "services/finance/src/finance/lots/store.py",  # what quality assurance says of an expiry is asked of nobody else
}
"""Only shrinks."""


def test_nobody_writes_an_approval_by_hand():
    found = {
        shown(path)
        for package in SERVICES
        for path in sources_of(package)
        if "migrations" not in path.parts and BY_HAND.search(path.read_text())
    }
    assert found == LEFT
