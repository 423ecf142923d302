"""What time demands of open items: that others hear of them.

A sale writes its items in its own statement; telling them afterwards costs it nothing, and covers the items of before.
"""

from finance.open_items.events import receivable_opened
from finance.open_items.store.items import take_untold
from shared import outbox
from shared.service import Job
from shared.transaction import Tx

BATCH_ITEMS = 500


def tell_opened(tx: Tx) -> int:
    """Tell each item once, as it was written."""
    opened = take_untold(tx, BATCH_ITEMS)
    outbox.append(tx, *map(receivable_opened, opened))
    return len(opened)


JOBS = [Job(name="tell_opened", every_s=5, rest_s=20, run=tell_opened, before_close=True)]
