"""What a recorded history and the tables at the end say about each other. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One line of a history: what a till asked, or was answered.

    `outcome` is `asked`, then `ok` (acknowledged), `refused`, or `unknown`: no answer, or one that says nothing.
    """

    at_s: float
    till: int
    receipt: str
    fen: int
    outcome: str
    detail: str = ""


@dataclass(slots=True)
class Verdict:
    """Receipts by what is wrong with them; empty lists are sound. `recovered` were in doubt and are there."""

    lost: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    acknowledged: int = 0
    recovered: int = 0

    @property
    def is_sound(self) -> bool:
        return not (self.lost or self.unexpected or self.doubled or self.wrong or self.refused)

    def told(self) -> dict[str, object]:
        counts = {
            name: value if isinstance(value, int) else len(value) for name, value in asdict(self).items()
        }
        examples = {
            name: value[:5] for name, value in asdict(self).items() if isinstance(value, list) and value
        }
        return {**counts, "examples": examples}


def check(
    history: Iterable[Op],
    books: Mapping[str, int],
    readers: Mapping[str, Sequence[tuple[str, int]]],
) -> Verdict:
    """`books` maps each receipt in finance to its fen; `readers` hold (receipt, fen) once for each fact they have.

    Lost: acknowledged, and not in the books or not with a reader. Unexpected: somewhere, and never asked for, or with
    a reader and not in the books. Doubled: more than one fact of a receipt. Wrong: another amount.
    """
    asked: dict[str, int] = {}
    outcomes: dict[str, set[str]] = {}
    for op in history:
        asked[op.receipt] = op.fen
        outcomes.setdefault(op.receipt, set()).add(op.outcome)
    verdict = Verdict()
    acknowledged = {receipt for receipt, seen in outcomes.items() if "ok" in seen}
    verdict.acknowledged = len(acknowledged)
    verdict.recovered = len({each for each in outcomes if each not in acknowledged} & set(books))
    verdict.refused = sorted(receipt for receipt, seen in outcomes.items() if "refused" in seen)
    verdict.lost += sorted(f"{each} from the books" for each in acknowledged - set(books))
    verdict.unexpected += sorted(f"{each} in the books" for each in set(books) - set(asked))
    verdict.wrong += sorted(
        f"{each} in the books" for each in set(books) & set(asked) if books[each] != asked[each]
    )
    for name, facts in readers.items():
        held = Counter(receipt for receipt, _ in facts)
        verdict.lost += sorted(f"{each} from {name}" for each in set(books) - set(held))
        verdict.unexpected += sorted(f"{each} in {name}" for each in set(held) - set(books))
        verdict.doubled += sorted(f"{each} in {name}" for each, times in held.items() if times > 1)
        verdict.wrong += sorted(
            {f"{each} in {name}" for each, fen in facts if each in books and books[each] != fen}
        )
    return verdict
