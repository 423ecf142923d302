"""A network that fails on demand: a TCP proxy whose connections can be delayed, silenced or reset."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

CHUNK_BYTES = 65_536
HELD_CHUNKS_MAX = 256
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends a reset, not a farewell."""


class Network:
    """Forwards to one host and port. Every switch holds for open connections and new ones alike."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.delay_s = 0.0
        self._loop = asyncio.new_event_loop()
        self._flows = {"up": asyncio.Event(), "down": asyncio.Event()}
        for flow in self._flows.values():
            flow.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def silence(self, *directions: str) -> None:
        """Swallow what goes `up` (to the server) or `down`: nothing is closed, nothing arrives until `heal`."""
        for direction in directions:
            self._loop.call_soon_threadsafe(self._flows[direction].clear)

    def heal(self) -> None:
        for flow in self._flows.values():
            self._loop.call_soon_threadsafe(flow.set)

    def reset(self) -> None:
        """End every connection on both sides with a TCP reset."""

        async def now() -> None:
            for writer in list(self._writers):
                sock = writer.get_extra_info("socket")
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()

        self._call(now())

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        self._call(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(reader, back, "up"))
                pumps.create_task(self._pump(there, writer, "down"))
        except* OSError:
            pass
        finally:
            for each in (writer, back):
                self._writers.discard(each)
                each.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str) -> None:
        """Chunks keep their order and pipeline: each leaves `delay_s` after it came."""
        held: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(HELD_CHUNKS_MAX)

        async def deliver() -> None:
            while True:
                due, chunk = await held.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                await self._flows[direction].wait()
                if not chunk:
                    raise ConnectionResetError
                writer.write(chunk)
                await writer.drain()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(deliver())
            while True:
                chunk = await reader.read(CHUNK_BYTES)
                await held.put((self._loop.time() + self.delay_s, chunk))
                if not chunk:
                    return


@contextmanager
def through_a_network(url: str) -> Iterator[tuple[Network, str]]:
    """The network before the server of `url`, and the URL through it."""
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    network = Network(parts.hostname, parts.port)
    login = f"{parts.username}:{parts.password}@" if parts.username else ""
    try:
        yield network, urlunsplit(parts._replace(netloc=f"{login}127.0.0.1:{network.port}"))
    finally:
        network.close()
