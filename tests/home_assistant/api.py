"""Home Assistant's HTTP and WebSocket API as a person's browser uses it, one call at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

# A call that takes longer than this has hung.
CALL_SECONDS = 120
# How long to wait for what comes soon, unless the machine is busy. It costs nothing if it does.
PATIENCE = 150


class RefusedError(Exception):
    """Home Assistant answered that it will not."""

    def __init__(self, asked: str, answer: object) -> None:
        """Keep what was asked and what came back."""
        super().__init__(f"{asked}: {answer}")
        self.answer = answer


class Api:
    """A signed-in user."""

    def __init__(self, port: int) -> None:
        """Talk to the Home Assistant on that port of this machine; `token` comes later."""
        self.url = f"http://127.0.0.1:{port}"
        self.token = ""

    def get(self, path: str) -> Any:
        """GET, and the answer."""
        return asyncio.run(self._http("GET", path))

    def post(self, path: str, **fields: Any) -> Any:
        """POST of a JSON object, and the answer."""
        return asyncio.run(self._http("POST", path, json=fields))

    def post_form(self, path: str, **fields: str) -> Any:
        """POST of a form, and the answer."""
        return asyncio.run(self._http("POST", path, data=fields))

    def delete(self, path: str) -> Any:
        """DELETE, and the answer."""
        return asyncio.run(self._http("DELETE", path))

    def command(self, kind: str, **fields: Any) -> Any:
        """Send one WebSocket command on a connection of its own, and return its result."""
        return asyncio.run(self._websocket({"type": kind, **fields}))

    async def _http(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        async with (
            aiohttp.ClientSession(headers=headers, timeout=timeout) as session,
            session.request(method, self.url + path, **more) as response,
        ):
            if response.content_type == "application/json":
                answer = await response.json()
            else:
                answer = await response.text()
            if not response.ok:
                raise RefusedError(f"{method} {path}: {response.status}", answer)
            return answer

    async def _websocket(self, message: dict[str, Any]) -> Any:
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        async with (
            asyncio.timeout(CALL_SECONDS),
            aiohttp.ClientSession(timeout=timeout) as session,
            session.ws_connect(self.url + "/api/websocket", max_msg_size=0) as socket,
        ):
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self.token})
            greeting = await socket.receive_json()
            if greeting["type"] != "auth_ok":
                raise RefusedError("auth", greeting)
            await socket.send_json({"id": 1, **message})
            while True:
                answer = await socket.receive_json()
                if answer.get("id") == 1 and answer["type"] == "result":
                    break
            if not answer["success"]:
                raise RefusedError(message["type"], answer["error"])
            return answer["result"]


def wait_for[T](what: str, seconds: float, look: Callable[[], T | None], every: float = 0.1) -> T:
    """Look until there is something, and return it; fail if nothing came."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds} s still waiting for {what}")
        time.sleep(every)
