"""Let tests loose on mutants, each in a process that has everything imported."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
import gc
from importlib.machinery import SourceFileLoader
import json
import os
import shutil
from types import CodeType, FunctionType

import hypothesis
import pytest

from .fork import ChildError, Say, TimeIsUpError, in_child
from .mutants import Mutant
from .nearest import files_of
from .project import Project
from .touched import Test

#: How many times as long as before tests may take.
_TIMES = 5

#: What noticed a mutant, if it was not a test.
TIME_IS_UP = "the time"
CRASH = "a crash"
IMPORT = "the import"

type Trial = tuple[Mutant, Sequence[Test]]
#: The test that failed, or what else noticed it; None if it lives.
type Result = tuple[Mutant, str | None]


def try_all(project: Project, trials: Iterable[Trial]) -> Iterator[Result]:
    """Run the tests of mutants, each until the first one fails.

    Raises ChildError if tests fail without a mutant, or can't be read.
    """
    trials = [*trials]
    with_tests = [(mutant, tests) for mutant, tests in trials if tests]
    yield from ((mutant, None) for mutant, tests in trials if not tests)
    inside = [trial for trial in with_tests if trial[0].function is not None]
    project.temporary.mkdir(parents=True, exist_ok=True)
    os.environ["PYTEST_DEBUG_TEMPROOT"] = str(project.temporary)
    try:
        left = [trial for trial in with_tests if trial[0].function is None]
        if inside:
            lines = in_child(_Session(project, inside), project.log)
            for line in lines:
                number, by, fits = json.loads(line)
                if fits:
                    yield inside[number][0], by
                else:
                    left.append(inside[number])
        for mutant, tests in left:
            yield mutant, _try(project, _Import(project, mutant, tests), tests)
            _empty(project)
    finally:
        shutil.rmtree(project.temporary, ignore_errors=True)


class _Session:
    """Read the tests once, then fork for each mutant."""

    def __init__(self, project: Project, trials: Sequence[Trial]) -> None:
        self._project = project
        self._trials = trials

    def __call__(self, say: Say) -> None:
        self._say = say
        files = files_of(test for _, tests in self._trials for test in tests)
        status = pytest.main([*self._project.options, *files], plugins=[self])
        if status is not pytest.ExitCode.OK:
            raise ChildError(f"pytest ended with {status!r}")

    def pytest_collection(self) -> None:
        """Hurry."""
        _do_not_shrink()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests of each mutant instead of all."""
        items = {item.nodeid: item for item in session.items}
        functions = _functions_of({str(mutant.path) for mutant, _ in self._trials})
        # What noticed the last ones is likely to notice their neighbors.
        noticed: dict[str | None, list[str]] = defaultdict(list)
        # Children share what nobody touches, not even to see if it is still needed.
        gc.freeze()
        # Without any change, nothing may be noticed.
        tests = self._trials[0][1]
        if by := _try(
            self._project, _Inside([items[test.id] for test in tests], []), tests
        ):
            raise ChildError(f"{by} fails without a mutant")
        for number, (mutant, tests) in enumerate(self._trials):
            changes = _changes(functions, mutant)
            by = None
            if changes is not None:
                first = noticed[mutant.function]
                order = sorted(tests, key=lambda it: (_place(it, first), it.seconds))
                inside = _Inside([items[test.id] for test in order], changes)
                by = _try(self._project, inside, tests)
                if by in items:
                    first[:] = [by, *(id_ for id_ in first if id_ != by)]
                _empty(self._project)
            self._say(json.dumps((number, by, changes is not None)))
        return True


class _Inside:
    """Change functions in place, and run tests until one fails."""

    def __init__(
        self,
        items: Sequence[pytest.Item],
        changes: Sequence[tuple[FunctionType, CodeType]],
    ) -> None:
        self._items = items
        self._changes = changes
        self._failed = False

    def __call__(self, say: Say) -> None:
        for function, code in self._changes:
            function.__code__ = code
        self._items[0].config.pluginmanager.register(self)
        for item, following in zip(self._items, [*self._items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed:
                say(item.nodeid)
                return

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Learn that a test failed."""
        self._failed |= report.failed


class _Import:
    """Import a changed module, and run tests until one fails."""

    def __init__(self, project: Project, mutant: Mutant, tests: Sequence[Test]) -> None:
        self._project = project
        self._mutant = mutant
        self._tests = tests
        self._failed: str | None = None

    def __call__(self, say: Say) -> None:
        path, code = str(self._mutant.path), self._mutant.compile()
        get_code = SourceFileLoader.get_code

        def get_other_code(loader: SourceFileLoader, name: str) -> CodeType | None:
            return code if loader.path == path else get_code(loader, name)

        SourceFileLoader.get_code = get_other_code  # type: ignore[method-assign, assignment]
        tests = sorted(self._tests, key=lambda test: test.seconds)
        ids = [test.id for test in tests]
        status = pytest.main([*self._project.options, "-x", *ids], plugins=[self])
        if status is not pytest.ExitCode.OK:
            say(self._failed or IMPORT)

    def pytest_collection(self) -> None:
        """Hurry."""
        _do_not_shrink()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Learn which test failed."""
        if report.failed:
            self._failed = report.nodeid


def _place(test: Test, first: list[str]) -> int:
    """Return which place a test has among those that come first, or the one after."""
    return first.index(test.id) if test.id in first else len(first)


def _do_not_shrink() -> None:
    """Let Hypothesis be content with any example, from the next one read on."""
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile(
        "mutate", hypothesis.settings.default, phases=phases
    )
    hypothesis.settings.load_profile("mutate")


def _functions_of(paths: set[str]) -> dict[tuple[str, str, int], list[FunctionType]]:
    """Return all functions of some files that there are, however wrapped."""
    functions = defaultdict(list)
    for it in gc.get_objects():
        if isinstance(it, FunctionType) and it.__code__.co_filename in paths:
            functions[_key(it.__code__)].append(it)
    return functions


def _key(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _changes(
    functions: dict[tuple[str, str, int], list[FunctionType]], mutant: Mutant
) -> list[tuple[FunctionType, CodeType]] | None:
    """Return the code that functions get, None if they can't."""
    changes = []
    todo = [mutant.compile()]
    while todo:
        code = todo.pop()
        todo += [it for it in code.co_consts if isinstance(it, CodeType)]
        if code.co_qualname == mutant.function:
            changes += [(function, code) for function in functions[_key(code)]]
    for function, code in changes:
        if function.__code__.co_freevars != code.co_freevars:
            return None
    return changes or None


def _empty(project: Project) -> None:
    """Remove what the tests of a mutant left."""
    for path in project.temporary.iterdir():
        shutil.rmtree(path, ignore_errors=True)


def _try(
    project: Project, work: Callable[[Say], None], tests: Sequence[Test]
) -> str | None:
    seconds = max(project.patience, _TIMES * sum(test.seconds for test in tests))
    try:
        return next(in_child(work, seconds=seconds), None)
    except TimeIsUpError:
        return TIME_IS_UP
    except ChildError:
        return CRASH
