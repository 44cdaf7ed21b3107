"""Read the bodies of Zoho's replies."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
import json
from typing import Any

import aiohttp
import orjson

#: The largest body that is read (bytes). The largest of Zoho's is a page of 200 rows of
#: the log: that is 20 kB a row, three times what 1000 characters take as `\uXXXX`.
MAX_BODY = 4 * 1024 * 1024
#: How much of Zoho's words is passed on (characters): they end in logs and dialogs.
MAX_WORDS = 300
_SHORTEST_SECRET = 8


@dataclass(slots=True)
class Reply:
    """Hold an HTTP status and the JSON object that came with it, empty if none did.

    `private` is what was asked with, and is not passed on if Zoho repeats it.
    """

    status: int
    body: dict[str, Any]
    private: Iterable[str] = ()

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
        text = " ".join(str(value).split())
        for secret in chain.from_iterable(map(str.splitlines, self.private)):
            # What is as short as a word would only spoil others.
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(" ".join(secret.split()), "…")
        return text[:MAX_WORDS]


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


def parse_json(body: bytes | str) -> Any:
    """Return the JSON value in a body, None where there is none."""
    try:
        return orjson.loads(body)
    except ValueError:
        pass
    # It is strict, and half an emoji must not hide that a message was sent.
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    try:
        return _without_half_characters(json.loads(text))
    except ValueError, RecursionError:
        return None


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, empty where there is none."""
    value = parse_json(body)
    return value if isinstance(value, dict) else {}


def _without_half_characters(value: Any) -> Any:
    """Return JSON that can be written again, which half an emoji can't be."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(
        text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    )
