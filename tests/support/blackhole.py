"""A way to PostgreSQL that can fall silent: connections stay open, new ones are taken, and nothing is answered."""

import selectors
import socket
import threading
from contextlib import suppress
from typing import Self

from sqlalchemy import URL, make_url

PIECE_BYTES = 1 << 16


class Blackhole:
    """`.url` leads to the database of `url` as long as nothing is `swallowed`; use as a context manager."""

    def __init__(self, url: str) -> None:
        self._target = make_url(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._selector = selectors.DefaultSelector()
        self._others: dict[socket.socket, socket.socket] = {}
        self._swallows = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()
        there = self._target.set(host=host, port=port, query={})
        return there.render_as_string(hide_password=False)

    def swallow(self) -> None:
        """From now on nothing passes, in either direction, on old connections and on new ones."""
        self._swallows.set()

    def heal(self) -> None:
        """New connections pass again; what was swallowed is lost, and its connections stay silent."""
        self._others = {}
        self._swallows.clear()

    def __enter__(self) -> Self:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def _carry(self) -> None:
        silent = []
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.05):
                if key.fileobj is self._listener:
                    client = self._listener.accept()[0]
                    if self._swallows.is_set():
                        silent.append(client)
                    else:
                        self._join(client, _connect(self._target))
                else:
                    self._pass_on(key.fileobj)
        for each in silent:
            each.close()

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        for end, other in ((client, server), (server, client)):
            self._others[end] = other
            self._selector.register(end, selectors.EVENT_READ)

    def _pass_on(self, end: socket.socket) -> None:
        if self._swallows.is_set() or end not in self._others:
            self._selector.unregister(end)  # read no more: what comes stays in the kernel, acknowledged
            return
        piece = b""
        with suppress(OSError):
            piece = end.recv(PIECE_BYTES)
        with suppress(OSError):
            if piece:
                self._others[end].sendall(piece)
                return
            self._others[end].shutdown(socket.SHUT_WR)
        self._selector.unregister(end)


def _connect(target: URL) -> socket.socket:
    folder = target.query.get("host")
    if folder:
        made = socket.socket(socket.AF_UNIX)
        made.connect(f"{folder}/.s.PGSQL.5432")
        return made
    return socket.create_connection((target.host or "127.0.0.1", target.port or 5432))
