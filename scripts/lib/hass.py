"""A real Home Assistant on a configuration of its own: start it, use it, stop it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
import json
from pathlib import Path
import sys
import time
from typing import Any, override

import aiohttp

from .process import ROOT, Process, ProcessError, free_port

INTEGRATION = ROOT / "custom_components" / "zoho_voice"

HOME = """\
homeassistant:
  name: Home
  latitude: 40.7
  longitude: -74.0
  elevation: 10
  unit_system: us_customary
  time_zone: America/New_York
  currency: USD
  country: US
"""
# `default_config:` needs hardware and the internet; `my` would send OAuth redirects
# through the internet, too.
CONFIGURATION = f"""\
{HOME}\
frontend:
config:
history:
logbook:
notify:
automation: !include automations.yaml
script: !include scripts.yaml
scene: !include scenes.yaml
logger:
  default: info
  logs:
    custom_components.zoho_voice: debug
"""
INCLUDED = {"automations.yaml": "[]\n", "scripts.yaml": "{}\n", "scenes.yaml": "[]\n"}


type Condition = Callable[[], Awaitable[bool]]


class HassError(RuntimeError):
    """Home Assistant answered that it will not."""


class RestError(HassError):
    """The REST API answered with an error; `message` is what its caller gets to read.

    It is empty where the answer has none.
    """

    def __init__(self, call: str, status: int, text: str) -> None:
        """Keep what Home Assistant says about it."""
        self.status = status
        self.message = ""
        with suppress(ValueError, LookupError, TypeError):
            self.message = str(json.loads(text)["message"])
        super().__init__(f"{call}: {status} {text}")


class CommandError(HassError):
    """A websocket command failed; `message` is what its caller gets to read."""

    def __init__(self, kind: str, error: Mapping[str, Any]) -> None:
        """Keep what Home Assistant says about it."""
        self.code = str(error["code"])
        self.message = str(error["message"])
        super().__init__(f"{kind}: {self.message} ({self.code})")


class Hass(Process):
    """Home Assistant as a process, with its REST and websocket APIs.

    >>> async with Hass(directory) as hass:
    ...     await hass.onboard()
    ...     await hass.action("notify.send_message", {"message": "Hello"})
    ...     await hass.command("config_entries/get", domain="zoho_voice")
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        configuration: str = CONFIGURATION,
        extra: str = "",
        custom_components: Iterable[Path] = (INTEGRATION,),
        arguments: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        executable: Path | None = None,
    ) -> None:
        """Choose where it lives; `extra` is YAML put after the configuration.

        A configuration.yaml that is there already stays as it is.
        """
        self.directory = directory.absolute()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.client_id = f"{self.url}/"
        self.redirect_uri = f"{self.url}/auth/external/callback"
        self.configuration = configuration + extra
        self.custom_components = list(custom_components)
        self.tokens: dict[str, Any] = {}
        self._session: aiohttp.ClientSession | None = None
        hass = executable or Path(sys.executable).with_name("hass")
        super().__init__(
            [hass, "-c", self.directory, "--log-no-color", *arguments],
            self.directory / "output.log",
            env=env,
        )

    @override
    async def start(self, limit: float = 240) -> None:
        """Start it and wait until it answers."""
        self.seed()
        self._session = aiohttp.ClientSession(
            self.url, timeout=aiohttp.ClientTimeout(total=60)
        )
        try:
            await super().start()
            await self._wait_until(self._answers, limit, "did not answer")
        except BaseException:
            await self.stop()
            raise

    @override
    async def stop(self, grace: float = 30) -> None:
        """Stop it."""
        await self._close_session()
        await super().stop(grace)

    @override
    async def kill(self) -> None:
        """End it at once; whoever is calling loses the connection."""
        await super().kill()
        await self._close_session()

    async def _close_session(self) -> None:
        if (session := self._session) is not None:
            self._session = None
            await session.close()

    def seed(self) -> None:
        """Write the configuration, as far as it is missing, and this run's port."""
        storage = self.directory / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        files = {"configuration.yaml": self.configuration, **INCLUDED}
        for name, text in files.items():
            if not (path := self.directory / name).exists():
                path.write_text(text)
        # A YAML `http:` is only tried out, and taken back after five minutes.
        self.store("http", 2, 2, self._http_settings())
        # With all steps done but the user's: the others set up integrations
        # that need the internet.
        if not (storage / "onboarding").exists():
            done = ["core_config", "analytics", "integration"]
            self.store("onboarding", 4, 1, {"done": done})
        components = self.directory / "custom_components"
        components.mkdir(exist_ok=True)
        for component in self.custom_components:
            link = components / component.name
            link.unlink(missing_ok=True)
            link.symlink_to(component.resolve())

    def _http_settings(self) -> dict[str, Any]:
        stable = {
            "server_port": self.port,
            "server_host": ["127.0.0.1"],
            "cors_allowed_origins": [],
            "login_attempts_threshold": -1,
            "ip_ban_enabled": True,
            "ssl_profile": "modern",
            "use_x_frame_options": True,
            "created_at": "2026-01-01T00:00:00+00:00",
            "error": None,
            "error_message": None,
        }
        return {"stable": stable, "pending": None, "yaml_migration_done": True}

    def store(self, key: str, version: int, minor: int, data: object) -> None:
        """Write what Home Assistant finds in its storage when it starts."""
        content = {"version": version, "minor_version": minor, "key": key, "data": data}
        path = self.directory / ".storage" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))

    async def _wait_until(
        self, condition: Condition, limit: float, failure: str
    ) -> None:
        end = time.monotonic() + limit
        while not await condition():
            self.check()
            if time.monotonic() > end:
                message = f"Home Assistant {failure} within {limit} s: {self.log_path}"
                raise ProcessError(message)
            await asyncio.sleep(0.1)

    async def _answers(self) -> bool:
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self.session.get("/manifest.json") as response:
                return response.status == HTTPStatus.OK
        return False

    async def _is_running(self) -> bool:
        config = await self.rest("GET", "/api/config")
        return bool(config["state"] == "RUNNING")

    @property
    def session(self) -> aiohttp.ClientSession:
        """Return the session of this run, relative to its address."""
        if self._session is None:
            message = "Home Assistant was not started"
            raise ProcessError(message)
        return self._session

    async def wait_running(self, limit: float = 240) -> None:
        """Wait until all is set up; it answers before that."""
        await self._wait_until(self._is_running, limit, "was not RUNNING")

    async def wait_stored(self, key: str, text: str = "", limit: float = 60) -> None:
        """Wait until its storage holds a text: it writes seconds after a change."""
        path = self.directory / ".storage" / key

        async def is_stored() -> bool:
            return path.exists() and text in path.read_text()

        await self._wait_until(is_stored, limit, f"did not store {key}")

    async def is_onboarded(self) -> bool:
        """Tell whether it has its first user."""
        async with self.session.get("/api/onboarding") as response:
            if response.status != HTTPStatus.OK:
                return True
            steps = await response.json()
        return any(step["step"] == "user" and step["done"] for step in steps)

    async def onboard(
        self,
        username: str = "dev",
        password: str = "dev-password",  # noqa: S107  of a throw-away installation
        name: str = "Dev",
    ) -> dict[str, Any]:
        """Create the owner, or sign in as the one there is; wait until it runs.

        Return the tokens as the frontend keeps them (`hassTokens` in localStorage).
        """
        if await self.is_onboarded():
            code = await self._sign_in(username, password)
        else:
            user = {"name": name, "username": username, "password": password}
            user |= {"client_id": self.client_id, "language": "en"}
            answer = await self.rest("POST", "/api/onboarding/users", user)
            code = answer["auth_code"]
        grant = {"grant_type": "authorization_code", "code": code}
        grant["client_id"] = self.client_id
        async with self.session.post("/auth/token", data=grant) as response:
            response.raise_for_status()
            self.tokens = await response.json()
        expires = int((time.time() + self.tokens["expires_in"]) * 1000)
        self.tokens |= {"hassUrl": self.url, "clientId": self.client_id}
        self.tokens["expires"] = expires
        await self.wait_running()
        return self.tokens

    async def _sign_in(self, username: str, password: str) -> str:
        flow = {
            "client_id": self.client_id,
            "redirect_uri": self.client_id,
            "handler": ["homeassistant", None],
        }
        form = await self.rest("POST", "/auth/login_flow", flow)
        user = {"client_id": self.client_id}
        user |= {"username": username, "password": password}
        result = await self.rest("POST", f"/auth/login_flow/{form['flow_id']}", user)
        if result["type"] != "create_entry":
            message = f"no sign-in as {username}: {result.get('errors')}"
            raise HassError(message)
        return str(result["result"])

    async def rest(
        self,
        method: str,
        path: str,
        data: object = None,
        *,
        params: Mapping[str, str] | None = None,
    ) -> Any:
        """Call the REST API with JSON; return what it answers."""
        # The UI tells where it is seen: that is where OAuth comes back to.
        headers = {"HA-Frontend-Base": self.url}
        if self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens['access_token']}"
        async with self.session.request(
            method, path, json=data, params=params, headers=headers
        ) as response:
            text = await response.text()
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise RestError(f"{method} {path}", response.status, text)
        try:
            return json.loads(text)
        except ValueError:
            return text

    async def action(
        self, name: str, data: Mapping[str, Any], *, response: bool = False
    ) -> Any:
        """Perform an action such as `notify.send_message`; `response` asks for one."""
        path = f"/api/services/{name.replace('.', '/', 1)}"
        params = {"return_response": "true"} if response else None
        result = await self.rest("POST", path, data, params=params)
        return result["service_response"] if response else result

    async def command(self, kind: str, **data: Any) -> Any:
        """Send one websocket command; return its result."""
        return (await self.commands({"type": kind, **data}))[0]

    async def commands(self, *messages: Mapping[str, Any]) -> list[Any]:
        """Send websocket commands one after the other; return their results."""
        results = []
        async with self.session.ws_connect("/api/websocket") as socket:
            await socket.receive_json()
            token = self.tokens.get("access_token")
            await socket.send_json({"type": "auth", "access_token": token})
            if (await socket.receive_json())["type"] != "auth_ok":
                message = "the websocket refused the token: onboard() comes first"
                raise HassError(message)
            for number, data in enumerate(messages, 1):
                await socket.send_json({"id": number, **data})
                while (answer := await socket.receive_json())["type"] != "result":
                    pass
                if not answer["success"]:
                    raise CommandError(data["type"], answer["error"])
                results.append(answer["result"])
        return results

    async def long_lived_token(self, name: str = "scripts") -> str:
        """Create an access token that outlives this run."""
        kind = "auth/long_lived_access_token"
        return str(await self.command(kind, client_name=name, lifespan=365))
