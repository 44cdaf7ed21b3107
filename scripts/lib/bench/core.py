"""Home Assistant's core in this very process, with all that is compared."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import logging
from pathlib import Path
import sys

from homeassistant.bootstrap import async_setup_hass
from homeassistant.components.application_credentials import (
    ClientCredential,
    async_import_client_credential,
)
from homeassistant.core import HomeAssistant
from homeassistant.runner import RuntimeConfig

from scripts.lib.hass import HOME, Hass
from scripts.lib.sandbox import CLIENT_ID, CLIENT_SECRET

from .zoho import DOMAIN, SENDER_ID, WrongResultError

# The same bytes as the integration posts. Headers without a template are not rendered.
_CONFIGURATION = f"""\
{HOME}\
logger:
  default: warning
config:
notify:
"""
_CONTESTANTS = """\
  - platform: rest
    name: rest_sms
    resource: {url}
    method: POST_JSON
    headers:
      Authorization: {authorization}
      Accept: application/json
    message_param_name: message
    target_param_name: customerNumber
    data:
      senderId: "{sender_id}"
      dataCoding: 0
rest_command:
  sms:
    url: {url}
    method: post
    headers:
      Authorization: {authorization}
      Accept: application/json
    content_type: application/json
    payload: >-
      {{"senderId": "{sender_id}", "customerNumber": {{{{ number | to_json }}}},
      "message": {{{{ message | to_json }}}}, "dataCoding": 0}}
"""


def configuration(send_url: str, access_token: str) -> str:
    """Return the configuration.yaml with the contestants that live there."""
    return _CONFIGURATION + _CONTESTANTS.format(
        url=send_url,
        authorization=json.dumps(f"Zoho-oauthtoken {access_token}"),
        sender_id=SENDER_ID,
    )


@asynccontextmanager
async def running_core(
    directory: Path, text: str = _CONFIGURATION
) -> AsyncIterator[HomeAssistant]:
    """Run a core on a configuration directory."""
    Hass(directory, configuration=text).seed()
    # Home Assistant adds none to the terminal where there is one already.
    logging.getLogger().addHandler(logging.NullHandler())
    hass = await async_setup_hass(
        RuntimeConfig(
            str(directory),
            skip_pip=True,
            log_file=str(directory / "home-assistant.log"),
            log_no_color=True,
        )
    )
    # It would log what is to be seen.
    sys.excepthook = sys.__excepthook__
    if hass is None or hass.config.recovery_mode:
        raise WrongResultError(f"Home Assistant did not start on {directory}")
    await hass.async_start()
    await hass.async_block_till_done()
    try:
        yield hass
    finally:
        await hass.async_stop(force=True)


async def enter_credentials(hass: HomeAssistant) -> None:
    """Enter the OAuth client of the sandbox."""
    await async_import_client_credential(
        hass, DOMAIN, ClientCredential(CLIENT_ID, CLIENT_SECRET, "Sandbox")
    )
