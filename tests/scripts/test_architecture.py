"""The drawing of the architecture shows what the code imports."""

from pathlib import Path

import pytest

from scripts.lib import architecture

from ..conftest import INTEGRATION


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a small integration whose parts import nothing yet."""
    for name in ("__init__.py", "const.py", "zoho/client.py", "sending/outbox.py"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("")
    return tmp_path


def test_page_is_up_to_date() -> None:
    drawing = architecture.draw()
    assert architecture.PAGE.read_text() == architecture.page_with(drawing), (
        "Please run scripts/architecture"
    )


def test_every_part_is_there_and_drawn() -> None:
    for part in architecture.PARTS.keys() - {"root"}:
        assert (INTEGRATION / part).is_dir() or (INTEGRATION / f"{part}.py").is_file()
    drawn = {part for arrow in architecture.arrows() for part in arrow}
    assert drawn == set(architecture.PARTS)


def test_the_wire_knows_nothing_of_the_rest() -> None:
    assert not [start for start, _ in architecture.arrows() if start == "zoho"]


@pytest.mark.parametrize(
    ("file", "code", "arrow"),
    [
        ("sending/outbox.py", "from ..zoho.client import ask", ("sending", "zoho")),
        ("sending/outbox.py", "from ..zoho import client", ("sending", "zoho")),
        ("zoho/client.py", "from .. import sending", ("zoho", "sending")),
        ("__init__.py", "from .sending.outbox import Outbox", ("root", "sending")),
        ("__init__.py", "from . import zoho", ("root", "zoho")),
    ],
)
def test_import_is_an_arrow(
    package: Path, file: str, code: str, arrow: tuple[str, str]
) -> None:
    (package / file).write_text(f"def later():\n    {code}\n")
    assert architecture.arrows(package) == {arrow}


@pytest.mark.parametrize(
    "code",
    [
        "from .outbox import Outbox",  # in the same part
        "from ..const import DOMAIN",  # everywhere
        "from homeassistant.core import HomeAssistant",
        "if TYPE_CHECKING:\n    from ..zoho import client",
    ],
)
def test_what_is_no_arrow(package: Path, code: str) -> None:
    (package / "sending" / "retry.py").write_text(code)
    assert architecture.arrows(package) == set()


def test_new_folder_asks_for_its_place(package: Path) -> None:
    (package / "voice").mkdir()
    (package / "voice" / "call.py").write_text("from ..zoho import client")
    with pytest.raises(ValueError, match="voice/"):
        architecture.arrows(package)
