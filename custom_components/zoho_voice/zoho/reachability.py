"""Find out whether one of Zoho's servers can be reached."""

import aiohttp
from yarl import URL

#: How long a server has to answer (seconds).
TIMEOUT = 5.0


async def async_can_reach(session: aiohttp.ClientSession, url: str) -> bool:
    """Return if the server of a URL answers, whatever it says.

    It is asked for nothing, and told neither who asks nor why.
    """
    try:
        async with session.head(
            URL(url).origin(),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=TIMEOUT),
        ):
            return True
    except aiohttp.ClientError, TimeoutError:
        return False
