"""What Home Assistant and HACS ask of the manifests, the icons and the brand."""

import ast
from collections.abc import Iterator
import json
from pathlib import Path
import re
import struct
from typing import Any, get_type_hints

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
import homeassistant
from homeassistant.const import Platform
from homeassistant.loader import Manifest
import pytest
import yaml

from .conftest import INTEGRATION, TRANSLATIONS
from .pages import ROOT

MANIFEST: dict[str, Any] = json.loads((INTEGRATION / "manifest.json").read_text())
HACS: dict[str, Any] = json.loads((ROOT / "hacs.json").read_text())
ICONS: dict[str, Any] = json.loads((INTEGRATION / "icons.json").read_text())
GENERATED = Path(homeassistant.__file__).parent / "generated"

#: What Home Assistant 2026.11 brought to the manifest; older ones pass over it.
LATER = {
    "categories": "integration_categories",
    "connectivity": "integration_connectivity",
}
#: What is there without being in `dependencies`.
ALWAYS_THERE = {"homeassistant", *(platform.value for platform in Platform)}
#: Width and height of a PNG stand here.
PNG_SIZE = slice(16, 24)
_TRANSLATION_KEY = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+)*")


def slugs_in(described: list[dict[str, Any]], prefix: str = "") -> Iterator[str]:
    """Yield the categories, and with a dot those below them."""
    for each in described:
        slug = prefix + each["slug"]
        yield slug
        yield from slugs_in(each.get("subcategories", []), f"{slug}.")


def keys_of(value: Any) -> Iterator[str]:
    """Yield all keys of texts."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield key
            yield from keys_of(child)


def test_manifest_is_as_home_assistant_wants_it() -> None:
    assert MANIFEST["domain"] == INTEGRATION.name
    assert set(MANIFEST) <= {*get_type_hints(Manifest), *LATER}
    first, second, *rest = MANIFEST
    assert (first, second) == ("domain", "name")
    assert rest == sorted(rest)
    assert MANIFEST["codeowners"]
    assert all(owner.startswith("@") for owner in MANIFEST["codeowners"])
    for key in ("documentation", "issue_tracker"):
        assert MANIFEST[key].startswith("https://github.com/")
    version = AwesomeVersion(
        MANIFEST["version"],
        ensure_strategy=[AwesomeVersionStrategy.SEMVER, AwesomeVersionStrategy.PEP440],
    )
    assert version.valid


@pytest.mark.parametrize(("key", "file"), LATER.items())
def test_manifest_is_sorted_in_where_people_look(key: str, file: str) -> None:
    path = GENERATED / f"{file}.json"
    if not path.is_file():
        pytest.skip("Home Assistant knows it from 2026.11 on")
    assert MANIFEST[key]
    assert {*MANIFEST[key]} <= {*slugs_in(json.loads(path.read_text()))}


def test_requirements_are_pinned_and_tested_as_they_are() -> None:
    tested = (ROOT / "requirements_test.txt").read_text().splitlines()
    for requirement in MANIFEST["requirements"]:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+", requirement)
        assert requirement in tested


def test_whatever_is_used_of_home_assistant_is_in_the_dependencies() -> None:
    used = set()
    for file in INTEGRATION.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.ImportFrom(module="homeassistant.components", names=names):
                    used |= {name.name for name in names}
                case ast.ImportFrom(module=str(module)) if module.startswith(
                    "homeassistant.components."
                ):
                    used.add(module.split(".")[2])
    declared = {*MANIFEST["dependencies"], *MANIFEST["after_dependencies"]}
    assert not {*MANIFEST["dependencies"]} & {*MANIFEST["after_dependencies"]}
    # Home Assistant sets up what a file of that name is for.
    platforms = {file.stem for file in INTEGRATION.glob("*.py")}
    assert "webhook" in used & declared
    assert used <= declared | ALWAYS_THERE | platforms


def test_hacs_is_told_the_name_and_the_oldest_home_assistant() -> None:
    assert set(HACS) == {"homeassistant", "name", "render_readme"}
    assert HACS["name"] == MANIFEST["name"]
    floor = (ROOT / "requirements_floor.txt").read_text()
    assert f"({HACS['homeassistant']})" in floor
    assert [path.name for path in (ROOT / "custom_components").glob("*/")] == [
        INTEGRATION.name
    ]


def test_brand_has_the_sizes_that_home_assistant_shows() -> None:
    sizes = {}
    for file in (INTEGRATION / "brand").iterdir():
        data = file.read_bytes()
        assert data.startswith(b"\x89PNG\r\n")
        sizes[file.name] = struct.unpack(">II", data[PNG_SIZE])
    assert sizes == {"icon.png": (256, 256), "icon@2x.png": (512, 512)}


def test_icons_are_of_material_design_and_differ_from_the_default() -> None:
    for icons in ICONS["entity"].values():
        for icon in icons.values():
            assert icon["default"] not in icon.get("state", {}).values()

    def names(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for child in value.values():
                yield from names(child)
        else:
            yield value

    for name in names(ICONS):
        assert re.fullmatch(r"mdi:[a-z0-9-]+", name)


def test_keys_of_texts_are_such_that_they_can_be_translated() -> None:
    for part in ("entity", "exceptions", "selector", "services", "system_health"):
        for key in keys_of(TRANSLATIONS[part]):
            assert _TRANSLATION_KEY.fullmatch(key), key


def test_states_and_units_have_no_placeholders() -> None:
    for entities in TRANSLATIONS["entity"].values():
        for entity in entities.values():
            texts = [
                *entity.get("state", {}).values(),
                entity.get("unit_of_measurement", ""),
            ]
            assert "{" not in "".join(texts)


def workflow_of(name: str) -> dict[str, Any]:
    """Return what GitHub runs."""
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())


def test_hassfest_and_hacs_check_every_push() -> None:
    workflow = workflow_of("validate")
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    used = {step["uses"].partition("@")[0]: step.get("with", {}) for step in steps}
    assert "home-assistant/actions/hassfest" in used
    # Nothing is ignored.
    assert used["hacs/action"] == {"category": "integration"}


def test_prerelease_of_home_assistant_may_fail_and_is_reported() -> None:
    workflow = workflow_of("prerelease")
    (job,) = workflow["jobs"].values()
    assert job["continue-on-error"] is True
    commands = [step.get("run", "") for step in job["steps"]]
    assert "scripts/test --prerelease" in commands
    report = job["steps"][-1]
    assert "gh issue create" in report["run"]
    assert "cancelled()" in report["if"]
    assert workflow["permissions"]["issues"] == "write"
