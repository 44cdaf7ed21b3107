"""Read the bodies of Zoho's replies."""

from dataclasses import dataclass
import json
from typing import Any

import aiohttp
import orjson

#: The largest body that is read, unpacked (bytes); Zoho's are a few kilobytes.
MAX_BODY = 1024 * 1024


@dataclass(slots=True)
class Reply:
    """Hold an HTTP status and the JSON object that came with it, empty if none did."""

    status: int
    body: dict[str, Any]

    @property
    def code(self) -> str:
        """Return Zoho's code, or the HTTP status where it gave none."""
        return str(
            self.body.get("code") or self.body.get("error") or f"HTTP {self.status}"
        )

    @property
    def message(self) -> str:
        """Return Zoho's message, empty where it gave none."""
        return str(self.body.get("message") or self.body.get("error_description") or "")


async def async_read_body(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of a response, empty if it is larger than `MAX_BODY`.

    Raises aiohttp.ClientError or TimeoutError.
    """
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            response.close()
            return b""
    return bytes(body)


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, empty where there is none."""
    try:
        value = orjson.loads(body)
    except ValueError:
        # It is strict, and half an emoji must not hide that a message was sent.
        try:
            value = json.loads(body.decode(errors="replace"))
        except ValueError, RecursionError:
            return {}
    return value if isinstance(value, dict) else {}
