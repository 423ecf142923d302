"""May this customer buy, what, and until when: computed from its status and licences for any day.

A permission is a value that others keep: its version grows with every change, and `valid_until` lets them refuse
at 24:00 Asia/Shanghai without hearing from us first. Source: G2, I34; model 3.1 invariant 2
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from customers.domain.licence import Licence, in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """`categories` are the product categories in scope; `reasons` say why not; `valid_until` is the last day on
    which the same holds (None: no end known).
    """

    allowed: bool
    categories: tuple[str, ...]
    reasons: tuple[str, ...]
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the permission of an institution depends on beside the day."""

    status: str
    suspended_for: str | None
    mandatory: Sequence[Collection[str]]
    licences: Sequence[Licence]

    @property
    def is_admitted(self) -> bool:
        """Suspension for a licence is not a status of its own here: the licences themselves decide for the day."""
        return self.status == "active" or (self.status == "suspended" and self.suspended_for == "licence")


def licence_reasons(standing: Standing, on: date) -> tuple[str, ...]:
    """Which mandatory groups have no valid licence on the day: `licence_expired:…` or `licence_missing:…`."""
    valid = {each.type for each in in_force(standing.licences, on)}
    reasons = []
    for group in standing.mandatory:
        if valid & set(group):
            continue
        ended = any(
            each.type in group and each.has_ended(on) and each.state in {"verified", "expired"}
            for each in standing.licences
        )
        reasons.append(f"{'licence_expired' if ended else 'licence_missing'}:{'|'.join(sorted(group))}")
    return tuple(reasons)


def _on(standing: Standing, on: date) -> tuple[bool, tuple[str, ...], tuple[str, ...]]:
    reasons = licence_reasons(standing, on)
    if not standing.is_admitted:
        reasons = (f"status_{standing.status}", *reasons)
    if reasons:
        return False, (), reasons
    categories = {category for each in in_force(standing.licences, on) for category in each.scope}
    return True, tuple(sorted(categories)), ()


def _change_days(licences: Sequence[Licence], after: date) -> list[date]:
    days = set()
    for each in licences:
        if each.state == "verified":
            days.add(each.valid_from)
            if each.valid_until is not None and each.valid_until < date.max:
                days.add(each.valid_until + timedelta(days=1))
    return sorted(day for day in days if day > after)


def changes_on(standing: Standing, on: date) -> date | None:
    """The next day after `on` when a licence begins or has ended: when to look again."""
    return next(iter(_change_days(standing.licences, on)), None)


def permission_on(standing: Standing, on: date) -> Permission:
    """The permission of an institution on a day."""
    now = _on(standing, on)
    until = None
    if now[0]:
        for day in _change_days(standing.licences, on):
            if _on(standing, day)[:2] != now[:2]:
                until = day - timedelta(days=1)
                break
    return Permission(allowed=now[0], categories=now[1], reasons=now[2], valid_until=until)


def for_categories(permission: Permission, wanted: Collection[str]) -> Permission:
    """The answer for an order of these categories: each must be in scope."""
    if not permission.allowed:
        return permission
    outside = sorted(set(wanted) - set(permission.categories))
    if not outside:
        return permission
    return Permission(
        allowed=False,
        categories=permission.categories,
        reasons=tuple(f"category_not_in_scope:{each}" for each in outside),
        valid_until=permission.valid_until,
    )
