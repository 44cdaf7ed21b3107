"""Make the mutants of a module: small changes, each of which a test should notice.

Not changed are texts, log messages, annotations, and decorators.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
import copy
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

#: How long the piece of code is that a mutant shows, at most (characters).
_SHOWN = 70

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
#: What says nothing of what the code does.
_SKIPPED = ("annotation", "returns", "decorator_list", "type_params", "format_spec")

#: What can be negated where, if nothing in it can be swapped instead.
_CONDITIONS = ("test", "ifs", "guard")
_PLAIN = (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr, ast.Await)

type Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Place:
    """Hold where a node hangs in its tree: in a field, or in a list at an index."""

    parent: ast.AST
    field: str
    index: int | None

    def put(self, node: ast.AST) -> None:
        """Hang another node there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True, slots=True)
class Mutant:
    """Hold a change of a module.

    `function` is the qualified name of the function it is in, None for what is done
    when the module is imported; then it shows in what uses one of `names`. `lines` are
    those of its statement, without those of statements in it.
    """

    path: Path
    name: str
    function: str | None
    names: frozenset[str]
    lines: range
    _tree: ast.Module = field(repr=False)
    _place: Place = field(repr=False)
    _old: ast.AST = field(repr=False)
    _new: ast.AST = field(repr=False)

    def compile(self) -> CodeType:
        """Return the code of the changed module."""
        self._place.put(self._new)
        try:
            return compile(self._tree, str(self.path), "exec", dont_inherit=True)
        finally:
            self._place.put(self._old)


@dataclass(frozen=True, slots=True)
class _Scope:
    """Hold what is around a node; `context` is what may show it, innermost last."""

    qualname: str = ""
    function: str | None = None
    names: frozenset[str] = frozenset()
    lines: range = range(0)
    context: tuple[ast.AST, ...] = ()


def make_mutants(path: Path) -> list[Mutant]:
    """Return the mutants of a module, in the order of its text.

    They share one tree, so only one can be compiled at a time.
    """
    return [*_Maker(path).make()]


class _Maker:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._tree = ast.parse(path.read_bytes())
        self._called_on_import = {
            node.id
            for statement in self._tree.body
            if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
            for node in _outside_functions(statement)
            if isinstance(node, ast.Name)
        }
        self._seen: Counter[str] = Counter()

    def make(self) -> Iterator[Mutant]:
        for index, statement in enumerate(self._tree.body):
            yield from self._visit(
                statement, Place(self._tree, "body", index), _Scope()
            )

    def _visit(self, node: ast.AST, place: Place, scope: _Scope) -> Iterator[Mutant]:
        if _is_left_alone(node):
            return
        if isinstance(node, ast.stmt):
            names = scope.names | bound_names(node) if scope.function is None else ()
            scope = _Scope(
                scope.qualname, scope.function, frozenset(names), _lines_of(node)
            )
        if isinstance(node, ast.ExceptHandler | ast.match_case):
            first = node.pattern if isinstance(node, ast.match_case) else node
            lines = range(first.lineno, max(first.lineno + 1, node.body[0].lineno))
            scope = copy.replace(scope, lines=lines)
        if isinstance(node, ast.expr | ast.stmt) and not hasattr(node, "body"):
            scope = copy.replace(scope, context=(*scope.context, node))
        for new in _alternatives(node, place):
            ast.fix_missing_locations(ast.copy_location(new, node))
            yield self._mutant(node, new, place, scope)
        inner = self._inside(node, scope)
        for child, child_place in children(node):
            around = inner if child_place.field == "body" else scope
            yield from self._visit(child, child_place, around)

    def _inside(self, node: ast.AST, scope: _Scope) -> _Scope:
        """Return the scope of what is in a class or a function."""
        if not isinstance(node, ast.ClassDef | Function.__value__):
            return scope
        qualname = f"{scope.qualname}.{node.name}".lstrip(".")
        function = scope.function
        if function is None and not isinstance(node, ast.ClassDef):
            # What was called on import would not be called again.
            called = not scope.qualname and node.name in self._called_on_import
            function = None if called else qualname
        return copy.replace(scope, qualname=qualname, function=function)

    def _mutant(
        self, old: ast.AST, new: ast.AST, place: Place, scope: _Scope
    ) -> Mutant:
        # The outermost that is short enough, or the innermost there is.
        around = [it for it in scope.context if len(ast.unparse(it)) <= _SHOWN]
        shown = (around or [*scope.context[-1:]] or [old])[0]
        before = _short(ast.unparse(shown))
        if shown is old:
            after = _short(ast.unparse(new))
        else:
            place.put(new)
            after = _short(ast.unparse(shown))
            place.put(old)
        name = f"{scope.qualname or '<module>'}: {before} → {after}"
        self._seen[name] += 1
        if (count := self._seen[name]) > 1:
            name += f" #{count}"
        return Mutant(
            self._path,
            name,
            scope.function,
            scope.names,
            scope.lines,
            self._tree,
            place,
            old,
            new,
        )


def _short(code: str) -> str:
    return " ".join(code.split())


def children(node: ast.AST) -> Iterator[tuple[ast.AST, Place]]:
    """Return what is in a node and says what the code does, and where."""
    for name, value in ast.iter_fields(node):
        if name in _SKIPPED:
            continue
        if isinstance(value, ast.AST):
            yield value, Place(node, name, None)
        elif isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield child, Place(node, name, index)


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what is done when a statement of a module is."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function.__value__):
            for decorator in child.decorator_list:
                yield from _outside_functions(decorator)
        else:
            yield from _outside_functions(child)


def _lines_of(statement: ast.stmt) -> range:
    """Return the lines of a statement without those of the statements in it."""
    body = getattr(statement, "body", None) or getattr(statement, "cases", None)
    end = statement.end_lineno or statement.lineno
    if body:
        first = body[0].pattern if isinstance(body[0], ast.match_case) else body[0]
        end = max(statement.lineno, first.lineno - 1)
    return range(statement.lineno, end + 1)


def bound_names(statement: ast.stmt) -> set[str]:
    """Return the names that a statement binds."""
    if isinstance(statement, ast.ClassDef | Function.__value__):
        return {statement.name}
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.TypeAlias():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name(id="_LOGGER" | "LOGGER")))
        ):
            return True
    return False


def _alternatives(node: ast.AST, place: Place) -> Iterator[ast.AST]:
    """Return what may stand in a node's place."""
    match node:
        case ast.stmt():
            yield from _other_statements(node)
        case ast.Constant():
            yield from _other_constants(node.value)
        case ast.UnaryOp() | ast.Compare() | ast.BoolOp() | ast.BinOp():
            yield from _other_operators(node)
        case ast.Tuple() if isinstance(place.parent, ast.ExceptHandler):
            for index in range(len(node.elts)):
                yield ast.Tuple([*node.elts[:index], *node.elts[index + 1 :]], node.ctx)
    if place.field in _CONDITIONS and isinstance(node, _PLAIN):
        yield ast.UnaryOp(ast.Not(), node)


def _other_constants(value: object) -> Iterator[ast.Constant]:
    match value:
        case bool():
            yield ast.Constant(not value)
        case int() | float():
            yield ast.Constant(value + 1)
            yield ast.Constant(value - 1)


def _other_operators(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                ops = [*node.ops[:index], _swapped(operator), *node.ops[index + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)
        case ast.BoolOp():
            yield ast.BoolOp(_swapped(node.op), node.values)
        case ast.BinOp() if type(node.op) in _SWAPPED:
            yield ast.BinOp(node.left, _swapped(node.op), node.right)


def _other_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    match node:
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.AugAssign() if type(node.op) in _SWAPPED:
            yield ast.AugAssign(node.target, _swapped(node.op), node.value)
    match node:
        case (
            ast.Return(value=None)
            | ast.AugAssign()
            | ast.Expr(value=ast.Call() | ast.Await())
            | ast.Raise()
            | ast.Delete()
            | ast.Break()
            | ast.Continue()
        ):
            yield ast.Pass()
        # A name that nothing is assigned to is noticed by whoever reads it.
        case ast.Assign() if not any(isinstance(it, ast.Name) for it in node.targets):
            yield ast.Pass()


def _swapped[T: ast.AST](operator: T) -> T:
    swapped: Callable[[], T] = _SWAPPED[type(operator)]  # type: ignore[assignment]
    return swapped()
