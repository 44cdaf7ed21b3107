"""Keep what noticed which mutant, as long as it is sure to do so again."""

import ast
import hashlib
import json
from pathlib import Path

from .mutants import Function, Mutant
from .project import Project
from .touched import hash_of
from .trial import Result


class Results:
    """Hold the results of this run and those of others that still hold.

    A mutant that a test noticed is tried again once its module or that test is another;
    one that lives, once anything is.
    """

    def __init__(self, project: Project, *, fresh: bool = False) -> None:
        """Load what there is."""
        self._project = project
        self._path = project.cache / "results.json"
        self._kept: dict[str, dict[str, list[str | None]]] = {}
        if self._path.exists() and not fresh:
            self._kept = json.loads(self._path.read_text())
        everything = {*project.behind_tests(), *project.test_files()}
        self._tests: dict[Path, dict[str, str]] = {}
        self._everything = hash_of(everything)

    def get(self, mutant: Mutant) -> Result | None:
        """Return the result of a mutant if it still holds."""
        kept = self._kept.get(str(mutant.path), {}).get(mutant.name)
        if kept is None or kept[1] != self._key(mutant, kept[0]):
            return None
        return mutant, kept[0]

    def put(self, mutant: Mutant, by: str | None) -> None:
        """Keep a result."""
        of_module = self._kept.setdefault(str(mutant.path), {})
        of_module[mutant.name] = [by, self._key(mutant, by)]

    def save(self) -> None:
        """Write them down."""
        self._path.write_text(json.dumps(self._kept))

    def _key(self, mutant: Mutant, by: str | None) -> str:
        if by is None:
            return self._everything
        return f"{hash_of([mutant.path])} {self._hash_of_test(by)}"

    def _hash_of_test(self, by: str) -> str:
        file, _, test = by.partition("::")
        path = self._project.root / file
        if not path.is_file():
            return ""
        if path not in self._tests:
            tree = ast.parse(path.read_bytes())
            self._tests[path] = {
                node.name: hashlib.blake2b(ast.dump(node).encode()).hexdigest()[:24]
                for node in tree.body
                if isinstance(node, Function.__value__)
            }
        return self._tests[path].get(test.partition("[")[0]) or hash_of([path])
