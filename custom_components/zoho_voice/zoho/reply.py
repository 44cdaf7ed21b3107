"""Read the bodies of Zoho's replies."""

from dataclasses import dataclass
import json
from typing import Any

import aiohttp
import orjson

#: The largest body that is read, unpacked (bytes); Zoho's are a few kilobytes.
MAX_BODY = 1024 * 1024
#: How much of Zoho's words is passed on (characters): they end in logs and dialogs.
MAX_WORDS = 300


@dataclass(slots=True)
class Reply:
    """Hold an HTTP status and the JSON object that came with it, empty if none did."""

    status: int
    body: dict[str, Any]

    @property
    def code(self) -> str:
        """Return Zoho's code, or the HTTP status where it gave none."""
        return self.words("code") or self.words("error") or f"HTTP {self.status}"

    @property
    def message(self) -> str:
        """Return Zoho's message, empty where it gave none."""
        return self.words("message") or self.words("error_description")

    def words(self, key: str) -> str:
        """Return a text or a number in one line, empty where there is neither."""
        value = self.body.get(key)
        if isinstance(value, bool) or not isinstance(value, str | int):
            return ""
        return " ".join(str(value).split())[:MAX_WORDS]


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
            value = _without_half_characters(json.loads(body.decode(errors="replace")))
        except ValueError, RecursionError:
            return {}
    return value if isinstance(value, dict) else {}


def _without_half_characters(value: Any) -> Any:
    """Return JSON that can be written again, which half an emoji can't be."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(
        text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    )
