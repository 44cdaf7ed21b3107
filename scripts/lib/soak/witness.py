"""What Home Assistant tells: an automation with our triggers, and the event entities.

An automation is where a person would hear of it. A small component in Home Assistant
writes down each of its runs, whole lines as they happen.
"""

import json
from pathlib import Path

from .history import Announcement
from .soak_witness import DOMAIN, LINES

COMPONENT = Path(__file__).parent / DOMAIN
CONFIGURATION = f"""\
{DOMAIN}:
automation:
  - alias: Witness
    id: witness
    mode: parallel
    max: 10000
    triggers:
      - trigger: zoho_voice.sms_delivered
      - trigger: zoho_voice.sms_not_delivered
      - trigger: zoho_voice.sms_received
    actions:
      - action: {DOMAIN}.tell
        data:
          sms: >-
            {{{{ [trigger.log_id, trigger.number, trigger.state | default("received"),
            trigger.text | default("")] }}}}
"""


class Witness:
    """All that was told, in order, through all lives of Home Assistant."""

    def __init__(self, directory: Path) -> None:
        """Know where Home Assistant's configuration is."""
        self.announcements: list[Announcement] = []
        self._path = directory / LINES
        self._position = 0

    def read(self) -> int:
        """Read what is new; return how much was told so far."""
        if self._path.exists() and self._path.stat().st_size > self._position:
            with self._path.open("rb") as file:
                file.seek(self._position)
                for line in file:
                    if line.endswith(b"\n"):
                        self._position += len(line)
                        self.announcements.append(Announcement(**json.loads(line)))
        return len(self.announcements)
