"""Find out which tests touch which lines of the integration, and keep it."""

from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
from typing import Any

import coverage
import pytest

from .fork import ChildError, Say, in_child
from .project import Project

#: A line of a file is a bit.
type Lines = dict[str, int]


@dataclass(frozen=True, slots=True)
class Test:
    """Hold what a test touches: files of the integration, with a bit for each line."""

    id: str
    seconds: float
    lines: Lines

    @property
    def size(self) -> int:
        """Return how many lines it touches: the fewer, the nearer it is to each."""
        return sum(bits.bit_count() for bits in self.lines.values())


def bits_of(lines: Iterable[int]) -> int:
    """Return lines as bits."""
    return sum(1 << line for line in set(lines))


def hash_of(paths: Iterable[Path]) -> str:
    """Return a hash of some files' text."""
    digest = hashlib.blake2b(digest_size=12)
    for path in sorted(paths):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def find_touched(project: Project) -> list[Test]:
    """Return all tests that pass and touch anything.

    Run are only those that are new or may touch something else than when they last
    were. Raises ChildError.
    """
    store = project.cache / "touched.json"
    kept = json.loads(store.read_text()) if store.exists() else {}
    common = hash_of(project.behind_tests())
    keys = {
        str(path.relative_to(project.root)): f"{common} {hash_of([path])}"
        for path in project.test_files()
    }
    kept = {name: it for name, it in kept.items() if it["key"] == keys.get(name)}
    if missing := sorted(keys.keys() - kept.keys()):
        project.say(f"Running {len(missing)} files of tests to see what they touch")
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in missing}
        work = _Work(project, missing)
        for line in in_child(work, project.log):
            test = json.loads(line)
            found[test["id"].partition("::")[0]].append(test)
        for name, tests in found.items():
            kept[name] = {"key": keys[name], "tests": tests}
        store.write_text(json.dumps(kept))
    return [
        Test(it["id"], it["seconds"], {p: int(b, 16) for p, b in it["lines"].items()})
        for each in kept.values()
        for it in each["tests"]
    ]


class _Work:
    """Run tests in a child with the coverage on."""

    def __init__(self, project: Project, files: list[str]) -> None:
        self._project = project
        self._files = files

    def __call__(self, say: Say) -> None:
        package = self._project.package
        cover = coverage.Coverage(
            data_file=None, config_file=False, include=[f"{package}/*"]
        )
        # The other core knows no contexts.
        cover.set_option("run:core", "ctrace")
        cover.start()
        watch = _Watch(cover)
        status = pytest.main([*self._project.options, *self._files], plugins=[watch])
        if status not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
            raise ChildError(f"pytest ended with {status!r}")
        cover.stop()
        data = cover.get_data()
        touched: dict[str, Lines] = defaultdict(dict)
        for path in data.measured_files():
            name = str(Path(path).relative_to(package))
            by_test: dict[str, list[int]] = defaultdict(list)
            for line, tests in data.contexts_by_lineno(path).items():
                for test in tests:
                    by_test[test].append(line)
            for test, numbers in by_test.items():
                touched[test][name] = bits_of(numbers)
        for test, seconds in watch.passed.items():
            if lines := touched.get(test):
                bits = {name: f"{it:x}" for name, it in lines.items()}
                say(json.dumps({"id": test, "seconds": seconds, "lines": bits}))


class _Watch:
    """Tell the coverage which test runs."""

    def __init__(self, cover: coverage.Coverage) -> None:
        self._cover = cover
        self.passed: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, bool, bool]:
        self._cover.switch_context(item.nodeid)
        self.passed[item.nodeid] = 0
        try:
            return (yield)
        finally:
            self._cover.switch_context("")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.passed.pop(report.nodeid, None)
        elif report.nodeid in self.passed:
            self.passed[report.nodeid] += report.duration
