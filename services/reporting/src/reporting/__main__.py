"""`python -m reporting rebuild [--accept-differences]`: build all facts anew from the feeds and swap them in."""

import argparse
import sys

from sqlalchemy import make_url

from reporting import facts
from reporting.app import SERVICE
from shared import logs
from shared.consuming import open_feeds
from shared.errors import DomainError
from shared.settings import Settings, SettingsFaulty

DIFFERENCES_SHOWN_MAX = 50


def main(arguments: list[str]) -> int:
    """0: swapped in; 1: refused, with the reason; 2: settings or arguments are faulty."""
    parser = argparse.ArgumentParser(prog="python -m reporting", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("rebuild", help="build all facts anew from the feeds, compare, swap")
    one.add_argument(
        "--accept-differences",
        action="store_true",
        help="swap although the new facts differ from the live ones (after a projection was mended)",
    )
    options = parser.parse_args(arguments)
    try:
        settings = Settings.from_env()
    except SettingsFaulty as fault:
        sys.stderr.write(f"settings are faulty:\n{fault}\n")
        return 2
    missing = [source for source in SERVICE.sources if source not in settings.feeds]
    if missing:
        sys.stderr.write(f"APOTHECA_FEEDS names no address for: {', '.join(missing)}\n")
        return 2
    logs.configure(service=SERVICE.name, process="rebuild", level=settings.log_level)
    feeds = open_feeds(SERVICE, settings)
    try:
        done = facts.rebuild(
            settings.owner_url or settings.database_url,
            SERVICE,
            feeds,
            role=make_url(settings.database_url).username,
            accept_differences=options.accept_differences,
            tell=_say,
        )
    except DomainError as refusal:
        sys.stderr.write(f"{refusal.code}: {refusal.detail}\n")
        for line in refusal.context.get("differences", [])[:DIFFERENCES_SHOWN_MAX]:
            sys.stderr.write(f"  {line}\n")
        return 1
    finally:
        for feed in feeds:
            feed.close()
    _say(f"{done.events:,} events, {done.refused} refused, {len(done.differences)} differences accepted")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
