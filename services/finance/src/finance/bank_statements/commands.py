"""Statements are kept: what is new of them, once, in the order of the bank. An import posts nothing.

A statement is what it says of days, balances and lines; the number that the bank gives it may repeat. It fits in one of three ways:

    covers      it begins where the days before it end and has every line known of its days; what it has more is new
    repeats     its lines stand one after another among those known, beginning at its opening balance: nothing is new
    continues   it opens with the balance that everything known leaves, on the last day known or later: all of it is new

A page, which opens with an intermediate balance, continues first. Anything else is a gap or a contradiction.
Source: F3, F16, X1
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from uuid import UUID

from finance import bank_files
from finance.bank_files import Statement, StatementLine, Upload
from finance.bank_statements import queries, rules, store
from finance.bank_statements.model import Account, Imported, ImportedFile, Known, NewAccount
from finance.book import require_in_books
from shared import audit
from shared.clock import business_date, new_id
from shared.languages import Text
from shared.texts import FIRST_DAY
from shared.transaction import Tx

Fresh = Sequence[Known]


def import_file(tx: Tx, account_id: UUID, upload: Upload) -> ImportedFile:
    """Import a file to the account, and what it has of other accounts of ours to theirs.

    Raises AccountNotFound, AccountDiffers, StatementUnreadable, DialectUnknown, and as `import_statement`.
    """
    account = store.account(tx, account_id)
    found: dict[UUID, list[Statement]] = {}
    passed_over, named = [], []
    for statement in bank_files.statements_of(tx.conn, upload):
        whose = account if statement.account is None else _account_meant(tx, account, statement.account)
        if whose is None:
            passed_over.append(_ending(statement.account or ""))
            named.append(passed_over[-1])
        else:
            found.setdefault(whose.account_id, []).append(statement)
            named.append(_ending(whose.number))
    if account_id not in found:
        raise rules.AccountDiffers(
            Text("the file is of other accounts: {accounts}", accounts=", ".join(named[:20]))
        )
    work = sorted(
        ((each, bank_files.chained(those)) for each, those in found.items()), key=lambda each: str(each[0])
    )
    done = {
        each: import_statement(tx, each, statement, upload.file, upload.format) for each, statement in work
    }
    return ImportedFile(statement=done.pop(account_id), also=list(done.values()), passed_over=passed_over)


def _account_meant(tx: Tx, account: Account, told: str) -> Account | None:
    for key in rules.number_keys(told):
        known = account if key == account.number_key else store.account_of_number(tx, key)
        if known is not None:
            return known
    return next((each for each in [account, *queries.accounts(tx)] if rules.is_one(each.number, told)), None)


def _ending(number: str) -> str:
    return "…" + rules.number_key(number)[-4:]


def import_statement(tx: Tx, account_id: UUID, statement: Statement, content: bytes, kind: str) -> Imported:
    """Keep what is new of a statement; the same statement again changes nothing.

    Raises AccountNotFound, AccountClosed, StatementDaysWrong, BeforeTheBooks, StatementUnbalanced, StatementGap,
    StatementContradicts.
    """
    account = store.account(tx, account_id)
    bank_files.hold(tx, str(account_id))
    _require_sound(tx, account, statement)
    identity, digest = bank_files.identity(statement), hashlib.sha256(content).digest()
    known = store.imported_before(tx, account_id, identity, digest)
    if known is not None:
        return known
    statement_id = new_id()
    if store.has_begun(tx, account_id):
        fresh = _fresh(tx, account_id, statement)
        count = len(fresh)
    else:
        fresh = [*_opening(statement), *_hashed(statement)]
        count = len(statement.lines)
    imported = Imported(
        statement_id=statement_id,
        account_id=account_id,
        number=statement.number,
        format=kind,
        from_on=statement.from_on,
        to_on=statement.to_on,
        opening_fen=statement.opening_fen,
        closing_fen=statement.closing_fen,
        lines=len(statement.lines),
        new_lines=count,
        imported_by=tx.actor.id,
        imported_at=tx.now,
        is_new=True,
    )
    store.add_statement(tx, imported, identity, digest)
    store.add_lines(tx, imported, fresh)
    told = {**asdict(imported), "content_hash": digest.hex(), "identity": identity.hex()}
    del told["is_new"]
    audit.record(tx, "bank_statement.import", str(statement_id), after=told)
    return imported


def _opening(statement: Statement) -> Fresh:
    """The first statement of an account brings what was there before it as a line of the day before."""
    if not statement.opening_fen:
        return []
    line = StatementLine(
        booked_on=statement.from_on - timedelta(days=1),
        fen=statement.opening_fen,
        reference="",
        summary="opening balance",
        clearing=None,
    )
    return [Known(line, store.OPENING)]


def _hashed(statement: Statement, before: Iterable[StatementLine] = ()) -> Fresh:
    """The lines of the statement, told from equal ones of `before`."""
    hashes = bank_files.hashes(statement.lines, before)
    return [Known(*each) for each in zip(statement.lines, hashes, strict=True)]


def _require_sound(tx: Tx, account: Account, statement: Statement) -> None:
    days = [line.booked_on for line in statement.lines]
    if (
        not FIRST_DAY <= statement.from_on <= statement.to_on
        or statement.to_on > business_date(tx.now)
        or min(days, default=statement.from_on) < statement.from_on
        or max(days, default=statement.to_on) > statement.to_on
    ):
        raise rules.StatementDaysWrong("a line lies outside the days of the statement, or they are not over")
    for day in sorted({statement.to_on, *days}):
        require_in_books(tx.conn, day)
    if account.last_day is not None and max(days, default=date.min) > account.last_day:
        raise rules.AccountClosed(
            Text("the account was closed on {day}, and the statement has later lines", day=account.last_day)
        )
    moved = sum(line.fen for line in statement.lines)
    if statement.opening_fen + moved != statement.closing_fen:
        raise rules.StatementUnbalanced(
            "opening balance and lines do not make the closing balance",
            opening_fen=statement.opening_fen,
            lines_fen=moved,
            closing_fen=statement.closing_fen,
        )


def _fresh(tx: Tx, account_id: UUID, statement: Statement) -> Fresh:
    """The lines of the statement that are not known yet. Raises StatementGap, StatementContradicts."""
    left = store.balance_at(tx.conn, account_id, statement.from_on - timedelta(days=1))
    known = store.known_lines(tx, account_id, statement)
    ways: list[Callable[[], Fresh | None]] = [
        lambda: _covering(statement, left, known),
        lambda: _repeating(statement, left, known),
        lambda: _continuing(tx, account_id, statement, known),
    ]
    if statement.continues:
        is_page_known = store.has_number(tx, account_id, statement)
        ways = [ways[1], ways[2], ways[0]] if is_page_known else [ways[2], ways[1], ways[0]]
    for way in ways:
        fresh = way()
        if fresh is not None:
            return fresh
    if left == statement.opening_fen:
        raise rules.StatementContradicts("a line that an earlier statement had for these days is missing")
    raise rules.StatementGap(
        "earlier statements leave another balance", left_fen=left, opening_fen=statement.opening_fen
    )


def _covering(statement: Statement, left: int, known: Sequence[Known]) -> Fresh | None:
    told = _hashed(statement)
    old = {each.line_hash for each in known}
    if left != statement.opening_fen or not old <= {each.line_hash for each in told}:
        return None
    return [each for each in told if each.line_hash not in old]


def _repeating(statement: Statement, left: int, known: Sequence[Known]) -> Fresh | None:
    """Nothing, where the lines are known in this order from this balance on.

    Other lines of its days are those of its day's statement before or after it, or of other pages.
    """
    keys = [each.line.key for each in known]
    wanted = [line.key for line in statement.lines]
    balance = left
    for at in range(len(known) + 1):
        end = at + len(wanted)
        if (
            balance == statement.opening_fen
            and keys[at:end] == wanted
            and (statement.continues or all(each.line.booked_on == statement.from_on for each in known[:at]))
            and (statement.goes_on or all(each.line.booked_on == statement.to_on for each in known[end:]))
        ):
            return []
        balance += known[at].line.fen if at < len(known) else 0
    return None


def _continuing(tx: Tx, account_id: UUID, statement: Statement, known: Sequence[Known]) -> Fresh | None:
    end = store.end_of(tx, account_id)
    first = min((line.booked_on for line in statement.lines), default=statement.to_on)
    follows = first >= (end.line_on or first) and (statement.continues or first >= (end.to_on or first))
    if end.fen != statement.opening_fen or not follows:
        return None
    return _hashed(statement, (each.line for each in known))


def register_account(tx: Tx, new: NewAccount) -> Account:
    """The first account is the main one. Raises ForeignBranch, AccountKnown."""
    tx.actor.require_branch(new.branch_id)
    bank_files.hold(tx, "accounts")
    numbers = store.numbers(tx)
    known = next((each for each in numbers if rules.is_one(each, new.number)), None)
    if known is not None:
        raise rules.AccountKnown(
            Text("an account of this number is registered, written {number}", number=known)
        )
    account = Account(
        account_id=new_id(),
        name=new.name,
        bank=new.bank,
        number=new.number,
        branch_id=new.branch_id,
        number_key=rules.number_key(new.number),
        is_main=not numbers,
        registered_by=tx.actor.id,
        registered_at=tx.now,
        last_day=None,
        closed_by=None,
        closed_at=None,
    )
    store.add_account(tx, account)
    audit.record(tx, "bank_account.register", str(account.account_id), after=asdict(account))
    return account


def close(
    tx: Tx,
    account: Account,
    last_day: date,
    successor_id: UUID | None,
    *,
    unmatched_lines: int,
    book_fen: int,
) -> Account:
    """Close an account whose balance is zero on its last day. The caller holds it and says what no line explains.

    Where the main account closes and others stay open, `successor_id` becomes the main one, and entries on 1002 that no
    account claims are its own. Raises AccountClosed, AccountInUse.
    """
    if account.last_day is not None:
        raise rules.AccountClosed(Text("the account was closed on {day}", day=account.last_day))
    if last_day > business_date(tx.now):
        raise rules.AccountInUse("the last day of an account is not in the future")
    use = {**queries.use_of(tx.conn, account.account_id, last_day), "unmatched_lines": unmatched_lines}
    if any(use.values()):
        raise rules.AccountInUse(
            "an account closes when its balance is zero on its last day, every line of it is matched and none comes later",
            **use,
        )
    if account.is_main:
        _hand_over(tx, account, book_fen, successor_id)
    after = {"last_day": last_day, "closed_by": tx.actor.id, "closed_at": tx.now}
    store.close_account(tx, account.account_id, last_day)
    audit.record(tx, "bank_account.close", str(account.account_id), before=asdict(account), after=after)
    return store.account(tx, account.account_id)


def _hand_over(tx: Tx, account: Account, book_fen: int, successor_id: UUID | None) -> None:
    """What the main account was asked for passes to another, or nothing is left to pass."""
    others = [
        each
        for each in queries.accounts(tx)
        if each.last_day is None and each.account_id != account.account_id
    ]
    if not others:
        if book_fen:
            raise rules.AccountInUse("the books still have money on the account", book_fen=book_fen)
        return
    successor = next((each for each in others if each.account_id == successor_id), None)
    if successor is None or successor.branch_id is not None:
        raise rules.AccountInUse(
            "this is the main account: name an open account of the chain in successor_id that becomes it"
        )
    store.set_main(tx, account.account_id, is_main=False)
    store.set_main(tx, successor.account_id, is_main=True)
    audit.record(
        tx, "bank_account.become_main", str(successor.account_id), after={"before": account.account_id}
    )
