"""What a function of ours may come to: the functions it names, the methods of classes it names, and theirs.

A graph of names, found in the sources: whoever names a function may call it, directly, through a table or as an
argument. `value.name` may be the method `name` of every class that is named on the way, in annotations too. So the
graph holds every call there is, and some that never happen. What stands in `except` or `isinstance` is no call.
"""

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from deploy.generate.repository import SERVICES, parsed, sources_of

Target = tuple[str, str]
"""A module and a name in it, `Class.method` for a method."""
WIDE = frozenset({"DomainError", "Exception"})
"""Who catches these answers for every refusal of the block."""
UNNAMED = ("__init__", "__post_init__", "__enter__", "__exit__", "__call__", "__iter__")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Node:
    """A function, class or value of a module: what it names, plainly and where refusals are caught."""

    named: set[Target] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    named_caught: set[Target] = field(default_factory=set)
    attributes_caught: set[str] = field(default_factory=set)
    methods: dict[str, Target] = field(default_factory=dict)


class Graph:
    """Of all packages of services and `shared`."""

    def __init__(self) -> None:
        self._trees = {
            _module(path.with_suffix("").parts): parsed(path)
            for package in ("shared", *SERVICES)
            for path in sources_of(package)
        }
        self._names = {module: dict(_names(module, tree)) for module, tree in self._trees.items()}
        self.nodes: dict[Target, Node] = {}
        for module, tree in self._trees.items():
            for statement in tree.body:
                self._add(module, statement)
        for module, tree in self._trees.items():
            for statement in tree.body:
                self._extend(module, statement)

    def reached(
        self, start: Iterable[Target], *, also_caught: bool = False, but: Collection[Target] = ()
    ) -> set[Target]:
        """All that is reached from `start` without `but`; `also_caught`: through blocks that catch refusals as well."""
        found: set[Target] = set()
        attributes: set[str] = set()
        waiting = set(start)
        while waiting:
            new = {each for each in waiting if each in self.nodes and each not in but} - found
            found |= new
            waiting = set()
            for target in new:
                node = self.nodes[target]
                attributes |= node.attributes | (node.attributes_caught if also_caught else set())
                waiting |= node.named | (node.named_caught if also_caught else set())
            for target in found:
                methods = self.nodes[target].methods
                waiting |= {
                    method for name, method in methods.items() if name in attributes or name in UNNAMED
                }
            waiting -= found
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
            self.nodes[target].named |= self._node(module, [given]).named

    def _add_class(self, module: str, statement: ast.ClassDef) -> None:
        functions = [each for each in statement.body if isinstance(each, Function)]
        rest = [each for each in statement.body if not isinstance(each, Function)]
        node = self._node(module, [*statement.bases, *rest])
        for each in functions:
            target = (module, f"{statement.name}.{each.name}")
            node.methods[each.name] = target
            self.nodes[target] = self._node(module, [each])
        self.nodes[module, statement.name] = node

    def _node(self, module: str, parts: Iterable[ast.AST]) -> Node:
        node = Node()
        for part in parts:
            for found, is_caught in _expressions(part, is_caught=False):
                target = self._target(module, found)
                named, attributes = (
                    (node.named_caught, node.attributes_caught)
                    if is_caught
                    else (node.named, node.attributes)
                )
                if target is not None:
                    named.add(target)
                elif isinstance(found, ast.Attribute):
                    attributes.add(found.attr)
        return node

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


def _expressions(part: ast.AST, *, is_caught: bool) -> Iterator[tuple[ast.expr, bool]]:
    """Names and attributes below `part`, and whether refusals are caught there."""
    if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == "isinstance":
        yield from _expressions(part.args[0], is_caught=is_caught)
        return
    if isinstance(part, ast.Name | ast.Attribute):
        yield part, is_caught
    inside = list(ast.iter_child_nodes(part))
    if isinstance(part, ast.Try):
        within = is_caught or any(_catches_all(each) for each in part.handlers)
        for each in part.body:
            yield from _expressions(each, is_caught=within)
        inside = [*part.orelse, *part.finalbody, *(s for each in part.handlers for s in each.body)]
    for each in inside:
        yield from _expressions(each, is_caught=is_caught)


def _catches_all(handler: ast.ExceptHandler) -> bool:
    """Whether it catches every refusal, and raises none again."""
    named = {each.id for each in ast.walk(handler.type or handler) if isinstance(each, ast.Name)}
    again = any(isinstance(each, ast.Raise) for each in ast.walk(handler))
    return bool(named & WIDE) and not again
