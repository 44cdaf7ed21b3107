"""The client session in which Zoho is called."""

from aiohttp import ClientSession, DummyCookieJar
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_create_clientsession
from homeassistant.helpers.singleton import singleton

from ..const import DOMAIN


@singleton(f"{DOMAIN}_session")
def async_get_session(hass: HomeAssistant) -> ClientSession:
    """Return a session that shares Home Assistant's connections, but no cookies.

    In the session that integrations share, Zoho's cookies would go along with what
    others ask of Zoho, and theirs with what we do.
    """
    return async_create_clientsession(
        hass, auto_cleanup=False, cookie_jar=DummyCookieJar()
    )
