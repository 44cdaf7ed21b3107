"""Run scripts/mutate."""

import argparse
from collections.abc import Iterable, Sequence
import json
from pathlib import Path
from random import Random
import shlex
import signal
import sys

from .fork import ChildError
from .mutants import Mutant, make_mutants
from .nearest import NEAREST, Nearest
from .project import Project
from .report import Module, as_json, read_explained, table, write_section
from .results import Results
from .touched import find_touched
from .trial import try_all

#: What has to be right, or messages are lost or sent twice.
MODULES = (
    "zoho",
    "account.py",
    "sending/outbox.py",
    "sending/spending.py",
    "tracking/tracker.py",
)
_INTERRUPTED = 130


def arguments(args: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="scripts/mutate")
    parser.add_argument("--only", nargs="+", default=MODULES, metavar="PATH")
    parser.add_argument("--limit", type=int, metavar="N", help="so many of a module")
    parser.add_argument("--seed", type=int, default=1, help="which ones these are")
    parser.add_argument("--fresh", action="store_true", help="forget former results")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all of it")
    parser.add_argument("--report", action="store_true", help="write docs/quality.md")
    return parser.parse_args(args)


def find_modules(package: Path, names: Iterable[str]) -> list[Path]:
    """Return the modules at some paths of a package. Raises FileNotFoundError."""
    found: dict[Path, None] = {}
    for name in names:
        path = package / name
        if not path.exists():
            raise FileNotFoundError(f"there is no {name} in {package.name}")
        found.update(dict.fromkeys(sorted(path.rglob("*.py")) or [path]))
    return [*found]


def sample(mutants: Sequence[Mutant], limit: int | None, seed: int) -> list[Mutant]:
    """Return as many mutants, the same ones for the same seed."""
    if limit is None or limit >= len(mutants):
        return [*mutants]
    chosen = Random(seed).sample(range(len(mutants)), limit)  # noqa: S311
    return [mutants[index] for index in sorted(chosen)]


def mutate(
    project: Project,
    options: argparse.Namespace,
    explained: dict[str, frozenset[str]],
) -> tuple[list[Module], int]:
    """Try the mutants; return what became of them, and how many tests there are.

    Raises ChildError.
    """
    project.cache.mkdir(parents=True, exist_ok=True)
    project.log.unlink(missing_ok=True)
    # First of all: what changes meanwhile has to be tried next time.
    results = Results(project, fresh=options.fresh)
    project.import_all()
    tests = find_touched(project)
    nearest = Nearest(project, tests)
    modules = []
    for path in find_modules(project.package, options.only):
        name = str(path.relative_to(project.package))
        mutants = make_mutants(path)
        module = Module(name, len(mutants), explained.get(name, frozenset()))
        modules.append(module)
        todo = []
        for mutant in sample(mutants, options.limit, options.seed):
            if kept := results.get(mutant):
                module.results.append(kept)
                if kept[1] is None and mutant.name not in module.explained:
                    project.say(f"  ✗ {mutant.name}")
            else:
                todo.append((mutant, nearest.tests_of(mutant)))
        if todo:
            project.say(f"{name}: {len(todo)} mutants")
        try:
            for mutant, by in try_all(project, todo):
                results.put(mutant, by)
                if by is None and mutant.name not in module.explained:
                    project.say(f"  ✗ {mutant.name}")
                module.results.append((mutant, by))
        finally:
            results.save()
        for line in module.out_of_date:
            project.say(f"  explained, but noticed or gone: {line}")
    return modules, len(tests)


def main(args: Sequence[str], project: Project | None = None) -> int:
    """Run it: 0 if all is noticed or explained, 1 if not, 2 if it can't be known."""
    project = project or Project()
    options = arguments(args)
    try:
        modules, tests = mutate(project, options, read_explained(project.explained))
    except (ChildError, FileNotFoundError, ValueError) as error:
        project.say(f"{error} (what pytest said is in {project.log})")
        return 2
    project.say(f"\n{table(modules)}\n")
    if options.json:
        options.json.write_text(json.dumps(as_json(modules), indent=1))
    if options.report:
        command = shlex.join(["scripts/mutate", *args])
        page = project.root / "docs" / "quality.md"
        write_section(page, modules, command, tests, NEAREST)
    wrong = sum(len(it.unexplained) + len(it.out_of_date) for it in modules)
    if wrong:
        project.say(f"{wrong} mutants need a test or an explanation")
        return 1
    project.say("Every mutant was noticed or is explained")
    return 0


if __name__ == "__main__":
    # What is done by then is kept.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
