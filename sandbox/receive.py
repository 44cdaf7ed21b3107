"""Puts an SMS into a sandbox that runs elsewhere: python -m sandbox receive."""

import json

from aiohttp import ClientError, ClientSession


async def receive(url: str, number: str, text: str, to: str | None) -> str:
    """Send a text from a number to a running sandbox, and return what it says.

    `url` is its accounts URL. Raises ValueError if it is refused, or nobody is there.
    """
    try:
        async with (
            ClientSession() as session,
            session.post(
                f"{url.rstrip('/')}/sandbox/receive",
                json={"from": number, "text": text, "to": to},
            ) as response,
        ):
            reply = json.loads(await response.read())
            if "error" in reply:
                raise ValueError(reply["error"])
            sms = reply["message"]
    except (OSError, ClientError) as err:
        raise ValueError(f"no sandbox answers at {url}: {err}") from err
    except (TypeError, KeyError, json.JSONDecodeError) as err:
        raise ValueError(f"something else than a sandbox answers at {url}") from err
    return f"sms from {sms['number']} to {sms['sender_id']}: {sms['message']!r}"
