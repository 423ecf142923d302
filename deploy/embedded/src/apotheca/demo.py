"""The demonstration: real receipts become monthly ledgers."""

from __future__ import annotations

import argparse

from apotheca.system import System


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the demonstration's own options to `parser`."""


def run_demo(system: System, options: argparse.Namespace) -> None:
    """Do the main job on real input, with the system up; prints what came of it."""
