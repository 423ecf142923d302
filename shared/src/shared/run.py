"""Start one process of one service: `python -m shared.run <package> <role>`.

Roles: `web`, `relay`, `consumer`, `scheduler`, `background` (the three loops as threads of one process, for the
embedded system), `migrate` (one shot), `new-migration <message>`. Settings come from the environment
(shared.settings). SIGTERM and SIGINT stop cleanly within 10 s.
"""

import os
import resource
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import make_url

from shared import logs
from shared.service import Service, load
from shared.settings import Settings, SettingsFaulty

STOP_S_MAX = 10
WEB_CONNECTIONS_MAX = 2_048
SWITCH_INTERVAL_S = 0.0005
"""How long a busy thread may keep another waiting. With the usual 5 ms the thread that applies a batch may lose
a turn after each of its statements to the thread that reads the socket: the consumer then reached 0.31 to 0.45 of
a bare one (two runs), with 0.5 ms 0.44 and 0.45 (two runs). A sale asks the database some ten times, and while
another thread of the web process is busy it would wait 5 ms after each answer."""
Loop = Callable[[Service, Settings, threading.Event], None]


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        sys.stderr.write((__doc__ or "") + "\n")
        return 2
    package, role, *rest = arguments
    try:
        settings = Settings.from_env()
    except SettingsFaulty as fault:
        sys.stderr.write(f"settings are faulty:\n{fault}\n")
        return 2
    logs.configure(service=package, process=role, level=settings.log_level)
    service = load(package)
    if role in {"migrate", "new-migration"}:
        return _migrate(service, settings, role, rest)
    if role == "web":
        return _web(service, settings)
    loops = _loops(role)
    if not loops:
        sys.stderr.write(f"no such role: {role}\n")
        return 2
    return _loop(service, settings, loops)


def _migrate(service: Service, settings: Settings, role: str, rest: list[str]) -> int:
    from shared import migrations

    url = settings.owner_url or settings.database_url
    if role == "new-migration":
        migrations.new(service, url, " ".join(rest) or "change")
    else:
        migrations.upgrade(service, url, make_url(settings.database_url).username)
    return 0


def _loops(role: str) -> list[Loop]:
    from shared import consuming, relay, scheduler

    every: dict[str, Loop] = {"relay": relay.run, "consumer": consuming.run, "scheduler": scheduler.run}
    return list(every.values()) if role == "background" else [every[role]] if role in every else []


def _loop(service: Service, settings: Settings, loops: list[Loop]) -> int:
    if settings.metrics_port:
        from prometheus_client import start_http_server

        start_http_server(settings.metrics_port, addr=settings.host)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threads = [
        threading.Thread(target=loop, args=(service, settings, stop), name=loop.__module__, daemon=True)
        for loop in loops
    ]
    for thread in threads:
        thread.start()
    while not stop.wait(0.5):
        if not all(thread.is_alive() for thread in threads):
            stop.set()
            sys.stderr.write("a loop ended unexpectedly; the process stops so that it is started anew\n")
            _join(threads)
            return 1
    return _join(threads)


def _join(threads: list[threading.Thread]) -> int:
    """0 when all have ended in time; else the process ends here, and what a loop had begun is rolled back.

    Python would wait for the threads of a pool, however long their statements take.
    """
    for thread in threads:
        thread.join(STOP_S_MAX / len(threads))
    if any(thread.is_alive() for thread in threads):
        sys.stderr.write("a loop was still at work after its time to stop\n")
        sys.stderr.flush()
        os._exit(1)
    return 0


def _web(service: Service, settings: Settings) -> int:
    if settings.web_workers > 1:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="apotheca-metrics-"))

    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in gunicorn_options(settings).items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            # Before the fork and before the port is open, so that whoever is let in is answered. Nothing connects
            # here: the database's pool, the bell and the keys begin with the first request, in the worker.
            from shared.app import new_app

            return new_app(service, settings)

    _raise_open_files()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    Server().run()
    return 0


def _raise_open_files() -> None:
    """Every connection is an open file; the usual soft limit of 1,024 is below what the worker is made for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WEB_CONNECTIONS_MAX + 512
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def gunicorn_options(settings: Settings) -> dict[str, Any]:
    """Threads, not processes, share the pool; a worker is recycled only by an operator."""
    from shared.web_worker import WebWorker

    options: dict[str, Any] = {
        "bind": f"{settings.host}:{settings.port}",
        "workers": settings.web_workers,
        "worker_class": WebWorker,
        "worker_connections": WEB_CONNECTIONS_MAX,
        "preload_app": True,
        "forwarded_allow_ips": ",".join(settings.trusted_proxies),
        "threads": settings.web_threads,
        "timeout": 120,
        "graceful_timeout": STOP_S_MAX - 2,
        "keepalive": 30,
        "limit_request_line": 8190,
        "accesslog": None,
        "errorlog": "-",
        "loglevel": "warning",
        "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: PTH112, S108
        "control_socket_disable": True,
    }
    if settings.web_workers > 1:
        from prometheus_client import multiprocess

        options["child_exit"] = lambda _server, worker: multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
