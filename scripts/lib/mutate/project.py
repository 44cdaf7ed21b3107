"""What is changed, and what has to notice it."""

import ast
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
import importlib
from importlib.metadata import entry_points
from pathlib import Path
import sys

from scripts.lib.process import ROOT


@dataclass(frozen=True, slots=True)
class Project:
    """Hold where the package, its tests, and the results are."""

    root: Path = ROOT
    package: Path = ROOT / "custom_components" / "zoho_voice"
    cache: Path = ROOT / ".cache" / "mutate"
    #: Folders that the tests depend on, beside the package.
    others: tuple[str, ...] = ("sandbox",)
    #: Folders of tests that have nothing to do with the package.
    left_out: tuple[str, ...] = ("scripts", "sandbox")
    #: How long the tests of a mutant may take at least (seconds).
    patience: float = 15
    #: Which mutants may live, and why.
    explained: Path = ROOT / "scripts" / "lib" / "mutate" / "explained.toml"
    say: Callable[[str], None] = field(default=partial(print, flush=True), repr=False)

    @property
    def tests(self) -> Path:
        """Return where the tests are."""
        return self.root / "tests"

    @property
    def log(self) -> Path:
        """Return where what pytest says is."""
        return self.cache / "pytest.log"

    @property
    def temporary(self) -> Path:
        """Return where tests have their folders."""
        return self.cache / "tmp"

    @property
    def options(self) -> list[str]:
        """Return the options of each run of pytest."""
        return [
            *("-q", "--no-header", "--show-capture=no"),
            *("-p", "no:cacheprovider"),
            *("--rootdir", str(self.root), "-c", str(self.root / "pyproject.toml")),
        ]

    def test_files(self) -> list[Path]:
        """Return the files of tests that count."""
        return [
            path
            for path in sorted(self.tests.rglob("test_*.py"))
            if path.relative_to(self.tests).parts[0] not in self.left_out
        ]

    def package_files(self) -> list[Path]:
        """Return the modules of the package."""
        return sorted(self.package.rglob("*.py"))

    def behind_tests(self) -> list[Path]:
        """Return what each test depends on, beside its own file."""
        helpers = {*self.tests.rglob("*.py")} - {*self.tests.rglob("test_*.py")}
        others = (path for it in self.others for path in (self.root / it).rglob("*.py"))
        return sorted({*self.package_files(), *others, *helpers})

    def import_all(self) -> None:
        """Import whatever the package and the tests do, except for themselves.

        Children have it then, too.
        """
        # A plugin may have to be there before what it changes.
        for plugin in entry_points(group="pytest11"):
            plugin.load()
        own = {"custom_components", "tests", "scripts", *self.others}
        files = {*self.behind_tests(), *self.test_files()}
        names = {name for path in files for name in _imported(path)}
        for name in sorted(names):
            if name.partition(".")[0] not in own:
                with suppress(ImportError):
                    importlib.import_module(name)
        # What an import loaded of the package would not be loaded again.
        for name in [*sys.modules]:
            if name.partition(".")[0] in own - {"scripts"}:
                del sys.modules[name]


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module
