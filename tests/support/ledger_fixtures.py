"""The fixture of a till and a book on real servers, in the transport the test asks for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import queues
from tests.support.ledger_service import BOOK, World, world

LOG_CHARS_SHOWN_MAX = 20_000


@pytest.fixture
def open_world(postgres, request, tmp_path: Path) -> Iterator[Callable[[str], World]]:
    """Call it with `amqp` or `feed`: two fresh databases, a fresh virtual host with its queues, the till's feed served."""
    with ExitStack() as stack:

        def opened(transport: str) -> World:
            urls = [postgres.create_database() for _ in range(2)]
            for url in urls:
                stack.callback(postgres.drop_database, url)
            amqp_url = request.getfixturevalue("rabbitmq").vhost() if transport == "amqp" else None
            if amqp_url:
                queues.declare(BOOK, amqp_url)
            return stack.enter_context(world(*urls, tmp_path, transport=transport, amqp_url=amqp_url))

        yield opened
    for log in sorted(tmp_path.glob("*.log")):  # pytest shows this where the test failed
        print(f"--- {log.name}", log.read_text()[-LOG_CHARS_SHOWN_MAX:], sep="\n")
