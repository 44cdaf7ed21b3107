"""Each rule of the quality scale is followed, and what proves it exists."""

import ast
from functools import cache
from itertools import chain
from pathlib import Path
import re
from typing import Any

import homeassistant
from homeassistant.const import Platform
import pytest
import yaml

from .conftest import INTEGRATION
from .pages import PAGES, ROOT, leads_somewhere, links_in

PAGE = "docs/quality.md"
RULES: dict[str, Any] = yaml.safe_load(
    (INTEGRATION / "quality_scale.yaml").read_text()
)["rules"]
TABLE = dict(re.findall(r"(?m)^\| `([a-z-]+)` \| (.+) \|$", PAGES[PAGE]))
#: Rules that came after the oldest supported Home Assistant.
LATER = {"docs-conditions", "docs-triggers"}

#: What Home Assistant passes the entry to, by file, and at which place.
TAKES_ENTRY = {
    "__init__": (
        "async_migrate_entry",
        "async_remove_config_entry_device",
        "async_remove_entry",
        "async_setup_entry",
        "async_unload_entry",
    ),
    "diagnostics": (
        "async_get_config_entry_diagnostics",
        "async_get_device_diagnostics",
    ),
    **{platform.value: ("async_setup_entry",) for platform in Platform},
}


def status_of(rule: str) -> str:
    """Return what the integration says of a rule."""
    value = RULES[rule]
    return value["status"] if isinstance(value, dict) else value


@cache
def names_of_tests(path: str) -> set[str]:
    """Return the names of the tests in a file, those in classes too."""
    tree = ast.parse((ROOT / path).read_text())
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def rules_of_home_assistant() -> set[str]:
    """Return the rules that the integrations of Home Assistant answer to."""
    components = Path(homeassistant.__file__).parent / "components"
    return set(
        chain.from_iterable(
            yaml.load(file.read_text(), Loader=yaml.CSafeLoader)["rules"]
            for file in components.glob("*/quality_scale.yaml")
        )
    )


def proofs(evidence: str) -> list[str]:
    """Return the links and tests that an evidence names."""
    return [*links_in(evidence), *re.findall(r"`(tests/[^`]+)`", evidence)]


def exists(proof: str) -> bool:
    """Return if a link leads somewhere, or a test is there."""
    path, is_test, name = proof.partition("::")
    if is_test:
        return (ROOT / path).is_file() and name in names_of_tests(path)
    return leads_somewhere(proof, PAGE)


def test_every_rule_has_an_answer_and_an_evidence() -> None:
    """A new rule is noticed with the Home Assistant that brings it."""
    current = rules_of_home_assistant()
    assert len(current) >= 50
    assert set(RULES) - current <= LATER
    assert current <= set(RULES)
    assert set(TABLE) == set(RULES)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_rule_is_followed_or_exempt_for_a_reason(rule: str) -> None:
    status = status_of(rule)
    assert status in ("done", "exempt")
    if status == "exempt":
        assert RULES[rule]["comment"]
    assert TABLE[rule].startswith("Exempt, as ") == (status == "exempt")


@pytest.mark.parametrize("rule", sorted(TABLE))
def test_evidence_exists(rule: str) -> None:
    named = proofs(TABLE[rule])
    assert named or status_of(rule) == "exempt"
    for proof in named:
        assert exists(proof), proof


@pytest.mark.parametrize(
    "proof",
    [
        "tests/test_quality_scale.py::test_that_is_gone",
        "tests/test_gone.py::test_evidence_exists",
        "gone.md",
        "entities.md#gone",
        "../custom_components/zoho_voice/gone.py",
    ],
)
def test_evidence_that_is_gone_is_noticed(proof: str) -> None:
    assert not exists(proof)
    assert proofs(f"`{proof}`, [text]({proof})")


# Rules that the code itself can tell of


def test_entry_has_its_own_type_wherever_home_assistant_passes_it() -> None:
    found = {}
    for stem, names in TAKES_ENTRY.items():
        if (file := INTEGRATION / f"{stem}.py").is_file():
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.AsyncFunctionDef) and node.name in names:
                    annotation = node.args.args[1].annotation
                    found[f"{stem}.{node.name}"] = annotation and ast.unparse(
                        annotation
                    )
    assert {"__init__.async_setup_entry", "notify.async_setup_entry"} <= set(found)
    flow = ast.parse((INTEGRATION / "config_flow.py").read_text())
    (options,) = (
        node
        for node in ast.walk(flow)
        if isinstance(node, ast.FunctionDef) and node.name == "async_get_options_flow"
    )
    annotation = options.args.args[0].annotation
    found["options"] = annotation and ast.unparse(annotation)
    assert set(found.values()) == {"ZohoVoiceConfigEntry"}, found


@pytest.mark.parametrize(
    "platform",
    [
        platform.value
        for platform in Platform
        if (INTEGRATION / f"{platform.value}.py").is_file()
    ],
)
def test_every_platform_says_how_much_happens_at_once(platform: str) -> None:
    tree = ast.parse((INTEGRATION / f"{platform}.py").read_text())
    assigned = {
        ast.unparse(target)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
    }
    assert "PARALLEL_UPDATES" in assigned
