"""How long a step took, as facts tell it."""

from datetime import datetime

from shared.money import half_up


def hours_between(start: datetime, end: datetime) -> int:
    """Rounded half up; never below 0, also when a server's clock was set back between the two."""
    return max(0, half_up(int((end - start).total_seconds()), 3_600))
