"""Choose the tests that are to notice a mutant."""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from .mutants import Function, Mutant, bound_names, children
from .project import Project
from .touched import Lines, Test, bits_of

#: How many tests a mutant has to survive: of those that touch it, the nearest.
NEAREST = 120


class Nearest:
    """Choose tests by what they touch."""

    def __init__(self, project: Project, tests: Iterable[Test]) -> None:
        """Read the package for who uses what."""
        self._package = project.package
        self._tests = sorted(tests, key=lambda test: test.size)
        #: Where functions use a name, and what is made with it on import.
        self._uses: dict[str, Lines] = defaultdict(lambda: defaultdict(int))
        self._makes: dict[str, set[str]] = defaultdict(set)
        for path in project.package_files():
            self._file = self._name(path)
            self._read(ast.parse(path.read_bytes()), frozenset(), within=False)

    def tests_of(self, mutant: Mutant) -> list[Test]:
        """Return the tests of a mutant, the nearest first.

        They are those of its module, then those that touch the least, but of each
        with parameters one before another one with others.
        """
        path = self._name(mutant.path)
        lines: Lines = {path: bits_of(mutant.lines)}
        if mutant.function is None:
            lines = self._users(mutant.names)
        own = Path("tests", path).with_suffix("")
        start = f"{own.parent}/test_{own.name}"
        found = [test for test in self._tests if _touches(test, lines)]
        seen: Counter[str] = Counter()

        def distance(test: Test) -> tuple[bool, int]:
            function = test.id.partition("[")[0]
            seen[function] += 1
            return not test.id.startswith(start), seen[function]

        return sorted(found, key=distance)[:NEAREST]

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self._package))

    def _users(self, names: Iterable[str]) -> Lines:
        """Return where functions use names, or what is made with them on import."""
        todo, done = {*names}, set[str]()
        lines: Lines = defaultdict(int)
        while todo:
            name = todo.pop()
            done.add(name)
            todo |= self._makes[name] - done
            for path, bits in self._uses[name].items():
                lines[path] |= bits
        return lines

    def _read(self, node: ast.AST, names: frozenset[str], *, within: bool) -> None:
        if isinstance(node, ast.stmt) and not within:
            names |= bound_names(node)
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if within:
                self._uses[name][self._file] |= 1 << node.lineno
            else:
                self._makes[name] |= names
        for child, place in children(node):
            inside = place.field == "body" and isinstance(node, Function.__value__)
            self._read(child, names, within=within or inside)


def _touches(test: Test, lines: Lines) -> bool:
    return any(test.lines.get(path, 0) & bits for path, bits in lines.items())


def files_of(tests: Iterable[Test]) -> Iterator[str]:
    """Return the files of some tests, each once."""
    yield from dict.fromkeys(test.id.partition("::")[0] for test in tests)
