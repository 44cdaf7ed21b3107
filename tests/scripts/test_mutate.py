"""Which mutants scripts/mutate makes, and what it makes of those that survive."""

from pathlib import Path
import subprocess
import sys
from textwrap import dedent

import pytest

from scripts.lib.mutate.__main__ import find_modules, sample
from scripts.lib.mutate.mutants import Mutant, make_mutants
from scripts.lib.mutate.report import Module, read_explained, table, write_section
from scripts.lib.process import ROOT


@pytest.fixture
def module(tmp_path: Path) -> Path:
    return tmp_path / "module.py"


def mutants(path: Path, code: str) -> list[Mutant]:
    path.write_text(dedent(code))
    return make_mutants(path)


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("a < b <= c", ["a <= b <= c", "a < b < c"]),
        ("a > b >= c", ["a >= b >= c", "a > b > c"]),
        ("a == b != c", ["a != b != c", "a == b == c"]),
        ("a is b is not c", ["a is not b is not c", "a is b is c"]),
        ("a in b not in c", ["a not in b not in c", "a in b in c"]),
        ("a and b or c", ["(a and b) and c", "(a or b) or c"]),
        ("not a", ["a"]),
        ("-a", ["a"]),
        ("a + b - c", ["a + b + c", "a - b - c"]),
        ("a * b / c // d", ["a * b / c / d", "a * b * c // d", "a / b / c // d"]),
        ("a % b", ["a * b"]),
        ("a | b", ["a & b"]),
        ("3", ["4", "2"]),
        ("0.5", ["1.5", "-0.5"]),
        ("True", ["False"]),
        ("[a for a in b if a]", ["[a for a in b if not a]"]),
        ("a if b else c", ["a if not b else c"]),
        ("'text'", []),
        ("None", []),
        ("f'{a:3}'", []),
    ],
)
def test_expression_is_changed(module: Path, code: str, changed: list[str]) -> None:
    made = mutants(module, f"value = {code}")
    names = [f"<module>: value = {code} → value = {it}" for it in changed]
    assert [mutant.name for mutant in made] == names


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("return a", ["return a → return None"]),
        ("return", ["return → pass"]),
        ("return None", []),
        ("return False", ["return False → return True"]),
        ("raise a", ["raise a → pass"]),
        ("a()", ["a() → pass"]),
        ("await a()", ["await a() → pass"]),
        ("del a", ["del a → pass"]),
        ("a.b = c", ["a.b = c → pass"]),
        ("a = b", []),
        ("a += b", ["a += b → a -= b", "a += b → pass"]),
        ("while a: break", ["a → not a", "break → pass"]),
        ("for a in b: continue", ["continue → pass"]),
        ("if a: b = c", ["a → not a"]),
        ("if a == b: c = d", ["a == b → a != b"]),
        (
            "try: b = c\n    except (A, B): c = d",
            ["(A, B) → (B,)", "(A, B) → (A,)"],
        ),
        ("_LOGGER.debug(1)", []),
        ("'''Say what it does.'''", []),
        ("a: 3", []),
        ("from a import b", []),
    ],
)
def test_statement_is_changed(module: Path, code: str, changed: list[str]) -> None:
    made = mutants(module, f"async def f(a: 1 = None) -> 2:\n    {code}\n")
    assert [mutant.name for mutant in made] == [f"f: {it}" for it in changed]
    assert {mutant.function for mutant in made} <= {"f"}


def test_mutant_does_what_it_says_and_leaves_the_next_one_alone(module: Path) -> None:
    made = mutants(module, "value = 2 < 2\n\ndef f():\n    return 1 + 1\n")

    def run(mutant: Mutant) -> tuple[bool, int]:
        found: dict = {}
        exec(mutant.compile(), found)  # noqa: S102
        return found["value"], found["f"]()

    assert [(it.name.partition(" → ")[2], *run(it)) for it in made] == [
        ("value = 2 <= 2", True, 2),
        ("value = 3 < 2", False, 2),
        ("value = 1 < 2", True, 2),
        ("value = 2 < 3", True, 2),
        ("value = 2 < 1", False, 2),
        ("return None", False, None),
        ("return 1 - 1", False, 0),
        ("return 2 + 1", False, 3),
        ("return 0 + 1", False, 1),
        ("return 1 + 2", False, 3),
        ("return 1 + 0", False, 1),
    ]


def test_mutant_knows_when_it_is_run(module: Path) -> None:
    made = mutants(
        module,
        """
        class A:
            b = 1

            def f(self, c=3):
                return g(5)

        def g(d):
            return d + 7

        E = g
        """,
    )
    at_import = frozenset[str]
    assert {(it.function, it.names) for it in made if "1 →" in it.name} == {
        (None, at_import({"A", "b"}))
    }
    assert {(it.function, it.names) for it in made if "3 →" in it.name} == {
        (None, at_import({"A", "f"}))
    }
    assert {it.function for it in made if "5" in it.name} == {"A.f"}
    # It might have been called, which it would not be again.
    assert {it.function for it in made if "7" in it.name} == {None}


def test_equal_mutants_are_told_apart(module: Path) -> None:
    made = mutants(module, "def f():\n    a()\n    a()\n")
    assert [it.name for it in made] == ["f: a() → pass", "f: a() → pass #2"]


def test_sample_is_the_same_for_the_same_seed(module: Path) -> None:
    made = mutants(module, "value = [1, 2, 3, 4, 5, 6]\n")
    first = sample(made, 3, 1)
    assert len(first) == 3
    assert [it.name for it in first] == [it.name for it in sample(made, 3, 1)]
    assert [it.name for it in first] != [it.name for it in sample(made, 3, 2)]
    assert sample(made, 100, 1) == sample(made, None, 1) == made


def test_modules_are_files_and_what_is_in_folders(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.py", "b/d.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_modules(tmp_path, ["b", "a.py", "b/c.py"])
    assert [it.name for it in found] == ["c.py", "d.py", "a.py"]
    with pytest.raises(FileNotFoundError, match=r"there is no e\.py"):
        find_modules(tmp_path, ["e.py"])


def test_explanation_counts_for_its_module_and_needs_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "explained.toml"
    assert read_explained(path) == {}
    entry = "[[explained]]\npath = 'a.py'\nreason = '{}'\nmutants = ['{}']\n"
    path.write_text(entry.format("It is so.", "x") + entry.format("It is.", "y"))
    assert read_explained(path) == {"a.py": frozenset({"x", "y"})}
    path.write_text(entry.format(" ", "x"))
    with pytest.raises(ValueError, match="no reason: x"):
        read_explained(path)


def test_report_replaces_its_section_only(module: Path, tmp_path: Path) -> None:
    made = mutants(module, "def f(a):\n    return a < 1\n")
    by = ["tests/test_a.py::test_a", None, None, "a crash"]
    explained = frozenset({made[1].name, "gone"})
    figures = Module("module.py", 4, explained, [*zip(made, by, strict=True)])
    assert figures.unexplained == [made[2].name]
    assert figures.out_of_date == ["gone"]
    page = tmp_path / "quality.md"
    page.write_text("# Quality\n\nFirst.\n\n## Mutation testing\n\nOld.\n\n## Next\n")
    write_section(page, [figures], "scripts/mutate", 1234, 5)
    text = page.read_text()
    write_section(page, [figures], "scripts/mutate", 1234, 5)
    assert page.read_text() == text
    assert text.startswith("# Quality\n\nFirst.\n\n## Mutation testing\n\nA mutant")
    assert text.endswith("with 1,234 tests.\n\n## Next\n")
    assert "Old." not in text
    assert table([figures]) in text
    assert (
        "| `module.py` |       4 |     4 |      2 |         1 |           1 |" in text
    )


def test_what_is_not_tried_is_not_out_of_date(module: Path) -> None:
    made = mutants(module, "def f(a):\n    return a < 1\n")
    figures = Module("module.py", 4, frozenset({"gone"}), [(made[0], "a crash")])
    assert figures.out_of_date == []


PROJECT = {
    "pyproject.toml": """
        [tool.pytest.ini_options]
        asyncio_mode = "auto"
        pythonpath = ["."]
        """,
    "shop/prices.py": """
        LEAST = 5

        def price(count):
            if count < LEAST:
                return LEAST
            while count % 2:
                count += 1
            return count
        """,
    "tests/test_prices.py": """
        from shop.prices import price

        def test_price():
            assert (price(1), price(6), price(7)) == (5, 6, 8)
        """,
    "mutate.py": """
        import sys
        from pathlib import Path
        from scripts.lib.mutate.__main__ import main
        from scripts.lib.mutate.project import Project

        root = Path(__file__).parent
        project = Project(
            root=root,
            package=root / "shop",
            cache=root / "cache",
            others=("shop",),
            patience=1,
            explained=root / "explained.toml",
        )
        sys.exit(main(["--only", "prices.py", *sys.argv[1:]], project))
        """,
}
SURVIVOR = "price: count < LEAST → count <= LEAST"


def test_survivor_needs_a_test_or_a_reason(tmp_path: Path) -> None:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(dedent(text).lstrip())
    before = {it: it.read_bytes() for it in tmp_path.rglob("*.*")}

    def run(*args: str) -> tuple[int, str]:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-B", tmp_path / "mutate.py", *args],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "PATH": ""},
            text=True,
        )
        return done.returncode, done.stdout + done.stderr

    status, said = run()
    assert status == 1, said
    assert f"✗ {SURVIVOR}" in said
    assert "1 mutants need a test or an explanation" in said
    assert {it: it.read_bytes() for it in before} == before
    reason = f"path = 'prices.py'\nreason = 'x'\nmutants = ['{SURVIVOR}']\n"
    (tmp_path / "explained.toml").write_text(f"[[explained]]\n{reason}")
    status, said = run()
    assert status == 0, said
    assert "Every mutant was noticed or is explained" in said
    assert "prices.py: " not in said  # no mutant had to be tried again
