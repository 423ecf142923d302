"""What a function of ours may come to: the functions it names, the methods of classes it names, and theirs.

A graph of names, found in the sources: whoever names a function may call it, directly, through a table or as an
argument. `value.name` may be the method `name` of every class that is named on the way, in annotations too. So the
graph holds every call there is, and some that never happen. What stands in `except` or `isinstance` is no call, nor is
`Refusal.code`.

Every call has its guard: what is caught around it, by `try`, by a context manager of ours, or by a loop that calls what it
goes through within a `try`. A refusal that is made and not raised at once (a value, a fault of a list) is told apart.
"""

import ast
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from deploy.generate.repository import SERVICES, parsed, sources_of

Target = tuple[str, str]
"""A module and a name in it, `Class.method` for a method."""
EXCEPTION: Target = ("builtins", "Exception")
WIDE = frozenset({("shared.errors", "DomainError"), EXCEPTION})
"""Who catches these answers for every refusal of the block."""
Catch = tuple[frozenset[Target], frozenset[Target]]
"""Classes that a handler answers for, and those of them that one before it raises again."""
Guard = frozenset[Catch]
OPEN: Guard = frozenset()
UNNAMED = ("__init__", "__post_init__", "__enter__", "__exit__", "__call__", "__iter__")
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Edge(NamedTuple):
    """A name, or an attribute as a text, with its guard; `maker` is the package that makes an instance without raising it."""

    target: Target | str
    guard: Guard
    maker: str


class Reached(NamedTuple):
    """What is reached, and how it is guarded on the way."""

    target: Target
    guard: Guard
    maker: str


@dataclass(slots=True)
class Node:
    """A function, class or value of a module: what it names, an attribute as a text, and whether it raises a value."""

    edges: set[Edge] = field(default_factory=set)
    methods: dict[str, Target] = field(default_factory=dict)
    is_raiser: bool = False


class Graph:
    """Of all packages of services and `shared`."""

    def __init__(self) -> None:
        self._trees = {
            _module(path.with_suffix("").parts): parsed(path)
            for package in ("shared", *SERVICES)
            for path in sources_of(package)
        }
        self._names = {module: dict(_names(module, tree)) for module, tree in self._trees.items()}
        self._managers = dict(self._guards_of_managers())
        self.nodes: dict[Target, Node] = {}
        for module, tree in self._trees.items():
            for statement in tree.body:
                self._add(module, statement)
        for module, tree in self._trees.items():
            for statement in tree.body:
                self._extend(module, statement)

    def reached(
        self, start: Iterable[Target], *, also_caught: bool = False, but: Collection[Target] = ()
    ) -> set[Reached]:
        """All that is reached from `start` without `but`; `also_caught`: as if nobody caught anything."""
        found: set[Reached] = set()
        attributes: dict[Guard, set[str]] = defaultdict(set)
        waiting = {Reached(each, OPEN, "") for each in start}
        while waiting:
            new = {each for each in waiting if each.target in self.nodes and each.target not in but} - found
            found |= new
            waiting = set()
            for target, guard, _ in new:
                for named, inner, maker in self.nodes[target].edges:
                    guarded = OPEN if also_caught else guard | inner
                    if _is_closed(guarded):
                        continue
                    if isinstance(named, str):
                        attributes[guarded].add(named)
                    else:
                        waiting.add(Reached(named, guarded, maker))
            for target, guard, _ in found:
                for name, method in self.nodes[target].methods.items():
                    if name in UNNAMED:
                        waiting.add(Reached(method, guard, ""))
                    waiting |= {
                        Reached(method, each, "") for each, names in attributes.items() if name in names
                    }
            waiting -= found
            waiting = {each for each in waiting if each._replace(guard=OPEN) not in found or not each.guard}
        return found

    def _add(self, module: str, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.nodes[module, statement.name] = self._node(module, [statement])
            case ast.ClassDef():
                self._add_class(module, statement)
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                self.nodes[module, name] = self._node(module, [value])
            case ast.If() | ast.Try() | ast.With():
                for inner in ast.iter_child_nodes(statement):
                    if isinstance(inner, ast.stmt):
                        self._add(module, inner)

    def _extend(self, module: str, statement: ast.stmt) -> None:
        """What a list of another module is given: `checks += [one]`, `checks.append(one)`."""
        match statement:
            case ast.AugAssign(target=holder, value=given):
                pass
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(value=holder, attr="append" | "extend"), args=[given])
            ):
                pass
            case _:
                return
        target = self._target(module, holder)
        if target in self.nodes:
            self.nodes[target].edges |= {
                each for each in self._node(module, [given]).edges if not isinstance(each.target, str)
            }

    def _add_class(self, module: str, statement: ast.ClassDef) -> None:
        functions = [each for each in statement.body if isinstance(each, Function)]
        rest = [each for each in statement.body if not isinstance(each, Function)]
        node = self._node(module, [*statement.bases, *rest])
        for each in functions:
            target = (module, f"{statement.name}.{each.name}")
            node.methods[each.name] = target
            self.nodes[target] = self._node(module, [each])
        self.nodes[module, statement.name] = node

    def _node(self, module: str, parts: Sequence[ast.AST]) -> Node:
        node = Node(is_raiser=any(_raises_a_value(part) for part in parts))
        for part in parts:
            for found, guard, is_made in self._expressions(module, part, OPEN):
                target = self._target(module, found)
                if target is not None:
                    node.edges.add(Edge(target, guard, module.partition(".")[0] if is_made else ""))
                elif isinstance(found, ast.Attribute):
                    node.edges.add(Edge(found.attr, guard, ""))
        return node

    def _expressions(
        self, module: str, part: ast.AST, guard: Guard, *, is_raised: bool = False
    ) -> Iterator[tuple[ast.expr, Guard, bool]]:
        """Names and attributes below `part`, each with its guard and whether it is a class that is called, not raised."""
        inside = [(each, guard) for each in ast.iter_child_nodes(part)]
        match part:
            case ast.Call(func=ast.Name(id="isinstance"), args=[first, *_]):
                inside = [(first, guard)]
            case ast.Attribute(attr="code", value=value) if _is_class(value):
                return
            case ast.Call(func=func, args=args, keywords=keywords) if _is_class(func) and not is_raised:
                yield func, guard, True
                inside = [(each, guard) for each in (*args, *keywords)]
            case ast.Name() | ast.Attribute():
                yield part, guard, False
            case ast.Raise():
                is_raised = True
            case ast.Try(body=body, handlers=handlers):
                within = guard | self._guard_of(module, handlers)
                after = [*part.orelse, *part.finalbody, *(s for each in handlers for s in each.body)]
                inside = [*((each, within) for each in body), *((each, guard) for each in after)]
            case ast.With(items=items, body=body):
                within = guard.union(
                    *(self._managers.get(_name_of(each.context_expr), OPEN) for each in items)
                )
                inside = [*((each, guard) for each in items), *((each, within) for each in body)]
            case ast.For(iter=gone_through, body=body):
                within = guard | self._guard_of(module, _handlers_of_calls(part))
                inside = [(gone_through, within), *((each, guard) for each in (*body, *part.orelse))]
        for each, around in inside:
            yield from self._expressions(module, each, around, is_raised=is_raised)

    def _guard_of(self, module: str, handlers: Iterable[ast.ExceptHandler]) -> Guard:
        """What these handlers answer for; a handler that raises the same again answers for nothing."""
        catches: set[Catch] = set()
        again: set[Target] = set()
        for handler in handlers:
            caught = self._caught(module, handler.type)
            if _raises_again(handler):
                again |= caught
            elif caught:
                catches.add((frozenset(caught), frozenset(again)))
        return frozenset(catches)

    def _caught(self, module: str, named: ast.expr | None) -> set[Target]:
        if named is None:
            return {EXCEPTION}
        if isinstance(named, ast.Tuple):
            return {target for each in named.elts for target in self._caught(module, each)}
        if isinstance(named, ast.Name) and named.id in {"Exception", "BaseException"}:
            return {EXCEPTION}
        target = self._target(module, named)
        return set() if target is None else {target}

    def _guards_of_managers(self) -> Iterator[tuple[str, Guard]]:
        """By name what a context manager of ours catches around its `yield`."""
        for module, tree in self._trees.items():
            for function in ast.walk(tree):
                if isinstance(function, Function) and "contextmanager" in map(
                    _name_of, function.decorator_list
                ):
                    for each in ast.walk(function):
                        if isinstance(each, ast.Try) and any(_yields(inner) for inner in each.body):
                            yield function.name, self._guard_of(module, each.handlers)

    def _target(self, module: str, found: ast.expr) -> Target | None:
        """What a name, or a name behind modules, stands for."""
        match found:
            case ast.Name(id=name):
                return self._resolved(self._names[module].get(name))
            case ast.Attribute(value=value, attr=attr):
                holder = self._target(module, value)
                if holder is None:
                    return None
                within, name = holder
                if name == "":
                    return self._resolved(self._names.get(within, {}).get(attr) or (within, attr))
                return None
            case _:
                return None

    def _resolved(self, target: Target | None) -> Target | None:
        """Through what packages hand on, to where it is defined; a module is (its name, "")."""
        for _ in range(10):
            if target is None:
                return None
            module, name = target
            inside = self._names.get(module, {}).get(name, target)
            if name and f"{module}.{name}" in self._trees and inside == target:
                return f"{module}.{name}", ""
            if name == "" or module not in self._names:
                return target if module in self._trees else None
            further = self._names[module].get(name)
            if further is None or further == target:
                return target
            target = further
        return target


def _module(parts: tuple[str, ...]) -> str:
    inside = parts[len(parts) - parts[::-1].index("src") :]
    return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)


def _names(module: str, tree: ast.Module) -> Iterator[tuple[str, Target]]:
    """What each name of a module stands for; imports inside functions count as of the module."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(source), names=names, level=0):
                for each in names:
                    yield each.asname or each.name, (source, each.name)
            case ast.Import(names=names):
                for each in names:
                    yield each.asname or each.name.partition(".")[0], (each.name, "")
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, (module, name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name, (module, name)


def _is_closed(guard: Guard) -> bool:
    """Nothing comes through."""
    return any(caught & WIDE and not again for caught, again in guard)


def _name_of(called: ast.expr) -> str:
    match called:
        case ast.Call(func=func):
            return _name_of(func)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_class(named: ast.expr) -> bool:
    return isinstance(named, ast.Name | ast.Attribute) and _name_of(named)[:1].isupper()


def _yields(part: ast.AST) -> bool:
    return any(isinstance(each, ast.Yield) for each in ast.walk(part))


def _raises_again(handler: ast.ExceptHandler) -> bool:
    raises = [each.exc for each in ast.walk(handler) if isinstance(each, ast.Raise)]
    return any(each is None or (isinstance(each, ast.Name) and each.id == handler.name) for each in raises)


def _raises_a_value(part: ast.AST) -> bool:
    """`raise refusal`, `raise refusal_of(…)`: what was made elsewhere may be raised here."""
    caught = {each.name for each in ast.walk(part) if isinstance(each, ast.ExceptHandler)}
    raised = [each.exc for each in ast.walk(part) if isinstance(each, ast.Raise) and each.exc is not None]
    called = (each.func if isinstance(each, ast.Call) else each for each in raised)
    return any(not _is_class(each) and _name_of(each) not in caught for each in called)


def _handlers_of_calls(loop: ast.For) -> list[ast.ExceptHandler]:
    """Where a loop only calls what it goes through, and within one `try`: its handlers."""
    tries = [each for each in loop.body if isinstance(each, ast.Try)]
    makes = [each for each in ast.walk(loop.iter) if isinstance(each, ast.Call)]
    deferred = [
        inner for each in ast.walk(loop.iter) if isinstance(each, ast.Lambda) for inner in ast.walk(each)
    ]
    if (
        not isinstance(loop.target, ast.Name)
        or len(tries) != 1
        or any(each not in deferred for each in makes)
    ):
        return []
    used = [each for each in ast.walk(loop) if isinstance(each, ast.Name) and each.id == loop.target.id]
    called = [
        each.func for statement in tries[0].body for each in ast.walk(statement) if isinstance(each, ast.Call)
    ]
    others = [each for each in used if each is not loop.target and each not in called]
    return [] if others else tries[0].handlers
