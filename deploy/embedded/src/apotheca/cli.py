"""The command line: `apotheca up`, `apotheca demo`, `apotheca token`, `apotheca secrets`.

Exit codes: 0 done or stopped as asked; 1 the system failed; 2 faulty arguments; 3 the machine lacks something
(a port, disk space, network, a right). What goes wrong is said in one sentence, never with a traceback.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from types import FrameType

from rich.console import Console

from apotheca import demo, secret_files
from apotheca.progress import Progress
from apotheca.refusals import EXIT_MACHINE, EXIT_USAGE, CannotRun, of_os_error
from apotheca.system import FIRST_PORT, System
from shared.errors import DomainError
from shared.identity import EVERY_BRANCH, ROLES, LocalIssuer
from shared.settings import SERVICES

console = Console(highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except CannotRun as refusal:
        return _refuse(str(refusal), refusal.exit_code)
    except DomainError as refusal:
        return _refuse(str(refusal), EXIT_USAGE)
    except OSError as error:
        return _refuse(str(of_os_error(error)), EXIT_MACHINE)
    except KeyboardInterrupt:
        return _refuse("stopped.", 130)


def _refuse(sentence: str, exit_code: int) -> int:
    print(f"apotheca: {sentence}", file=sys.stderr)
    return exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="apotheca", description="Apotheca on this machine, without containers."
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    up = commands.add_parser("up", help="start the whole system and keep it running until Ctrl-C")
    _add_system_options(up)
    up.set_defaults(run=_up)

    show = commands.add_parser("demo", help="start the system and let real receipts become monthly ledgers")
    _add_system_options(show)
    demo.add_arguments(show)
    show.set_defaults(run=_demo)

    token = commands.add_parser("token", help="print a bearer token of the local issuer")
    token.add_argument(
        "--role", action="append", required=True, metavar="ROLE", help=f"one of: {', '.join(sorted(ROLES))}"
    )
    token.add_argument(
        "--branch", action="append", metavar="BRANCH", help="a branch id; default: every branch"
    )
    token.add_argument("--subject", default="local-user", help="the person's id (default %(default)s)")
    token.add_argument(
        "--lifetime-h", type=int, default=12, help="hours until it expires (default %(default)s)"
    )
    token.add_argument(
        "--folder",
        type=Path,
        default=Path("var/secrets"),
        help="where the issuer's key is (default %(default)s)",
    )
    token.set_defaults(run=_token)

    files = commands.add_parser("secrets", help="make the secret files of a deployment that do not exist yet")
    files.add_argument("folder", type=Path, nargs="?", default=Path("deploy/secrets"))
    files.set_defaults(run=_secrets)
    return parser


def _add_system_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--folder", type=Path, default=Path("var"), help="data, logs and keys (default ./var)"
    )
    parser.add_argument(
        "--first-port",
        type=_first_port,
        default=FIRST_PORT,
        help="five ports from here on (default %(default)s)",
    )
    parser.add_argument("--once", action="store_true", help="stop and exit instead of staying up")


def _first_port(text: str) -> int:
    number = int(text)
    if not 1024 <= number <= 65_535 - len(SERVICES):
        raise argparse.ArgumentTypeError(f"must be from 1024 to {65_535 - len(SERVICES)}")
    return number


def _up(options: argparse.Namespace) -> int:
    with _stop_signals() as asked, _running(options) as system:
        _print_addresses(system)
        return 0 if options.once else _stay(system, asked)


def _demo(options: argparse.Namespace) -> int:
    demo.prepare(options.folder)
    with _stop_signals() as asked, _running(options) as system:
        demo.run_demo(system, options)
        _print_addresses(system)
        return 0 if options.once else _stay(system, asked)


def _stay(system: System, asked: threading.Event) -> int:
    console.print("Ctrl-C stops it.")
    _interrupts.clear()  # from here on a signal ends the wait instead of breaking off work
    stopped_as_asked = system.wait(asked)
    console.print("Stopping …")
    return 0 if stopped_as_asked else 1


@contextmanager
def _running(options: argparse.Namespace) -> Iterator[System]:
    begun = monotonic()
    progress = Progress(System.STEPS, lambda text: print(text, end="", flush=True))
    system = System(options.folder, first_port=options.first_port, progress=progress)
    try:
        system.__enter__()
    finally:
        progress.break_off()
    print(f"The system is up after {monotonic() - begun:.0f} s.", flush=True)
    try:
        yield system
    finally:
        system.stop()


_interrupts = threading.Event()


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """SIGTERM and Ctrl-C break off work in hand; while waiting they only end the wait."""
    asked = threading.Event()
    _interrupts.set()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        if _interrupts.is_set():
            _interrupts.clear()  # a second one does not disturb the stopping
            raise KeyboardInterrupt

    before = {
        number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_addresses(system: System) -> None:
    lines = [f"\nReports        {system.address('reporting')}/ (sign in with a token, see below)"]
    for name in SERVICES:
        address = system.address(name)
        lines.append(f"{name:<14} {address}/docs (API)   {address}/readyz (health)")
    folder = system.folder / "secrets"
    lines.append(f"A token        {sys.executable} -m apotheca token --folder {folder} --role management\n")
    print("\n".join(lines), flush=True)


def _token(options: argparse.Namespace) -> int:
    issuer = LocalIssuer(options.folder)
    branches = options.branch or [EVERY_BRANCH]
    print(issuer.token(options.subject, options.role, branches, lifetime_s=options.lifetime_h * 3600))
    return 0


def _secrets(options: argparse.Namespace) -> int:
    made = secret_files.make(options.folder)
    console.print(f"{options.folder}: {len(made)} made" if made else f"{options.folder}: nothing was missing")
    return 0
