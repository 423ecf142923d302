"""Money is integer fen; nothing here ever sees a float."""

from collections.abc import Iterator, Sequence
from typing import Any

from marshmallow import ValidationError, fields

from shared import explain
from shared.faults import Fault

FEN_MAX = 10**15
"""Ten trillion yuan: every amount of a document stays below it, so sums fit 64 bits."""


class NothingToSplit(ValueError):
    """Every weight is 0."""


def half_up(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero. Units: those of `numerator`. `denominator` must be positive."""
    assert denominator > 0
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def tax_of(net_fen: int, rate_bp: int) -> int:
    """Tax on a net amount in fen at a rate in basis points, rounded half up at line level (model 3.0)."""
    return half_up(net_fen * rate_bp, 10_000)


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split `total` fen in proportion to `weights`, losing nothing.

    Shapes: one share per weight, in order; shares sum to `total`.
    Units: shares in fen; weights are dimensionless, ≥ 0, not all 0.
    Rounding: largest remainder; ties go to the earlier weight.
    Raises: NothingToSplit when every weight is 0.
    """
    whole = sum(weights)
    if whole <= 0:
        raise NothingToSplit("every weight is 0")
    sign = -1 if total < 0 else 1
    amount = abs(total)
    shares = [amount * weight // whole for weight in weights]
    remainders = [amount * weight % whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for index in order[: amount - sum(shares)]:
        shares[index] += 1
    return [sign * share for share in shares]


def money(fen: int) -> dict[str, Any]:
    """An amount as JSON has it."""
    return {"fen": fen, "currency": "CNY"}


class MoneyField(fields.Field[int]):
    """`{"fen": 1250, "currency": "CNY"}` in JSON, int fen in Python."""

    def __init__(self, *, minimum_fen: int = -FEN_MAX, maximum_fen: int = FEN_MAX, **kwargs: Any) -> None:
        schema = {
            "type": "object",
            "additionalProperties": False,
            "required": ["fen", "currency"],
            "properties": {
                "fen": {"type": "integer", "minimum": minimum_fen, "maximum": maximum_fen},
                "currency": {"type": "string", "enum": ["CNY"]},
            },
        }
        super().__init__(metadata={**schema, **kwargs.pop("metadata", {})}, **kwargs)
        self.minimum_fen = minimum_fen
        self.maximum_fen = maximum_fen

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else money(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        for fault in self.faults(value, ""):
            raise ValidationError(fault.message)
        return int(value["fen"])

    def faults(self, value: Any, path: str) -> Iterator[Fault]:
        """Why `value` is no amount for this field."""
        if not isinstance(value, dict) or set(value) != {"fen", "currency"}:
            yield Fault(path, "not_money", 'must be an amount like {"fen": 1250, "currency": "CNY"}')
            return
        fen, currency = value["fen"], value["currency"]
        if type(fen) is not int:
            yield explain.not_whole(f"{path}.fen", fen)
        elif not self.minimum_fen <= fen <= self.maximum_fen:
            yield explain.out_of_range(f"{path}.fen", fen, self.minimum_fen, self.maximum_fen)
        if currency != "CNY":
            yield explain.not_one_of(f"{path}.currency", currency, ["CNY"])
