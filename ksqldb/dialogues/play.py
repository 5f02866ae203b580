"""Playing one dialogue: its steps in order, each compared with what it expects.

A dialogue is ``{"name", "area", "description", "steps": [...]}``; a step is one of

| keys                       | what is done                                                               |
|----------------------------|----------------------------------------------------------------------------|
| topic, partitions          | a topic is made                                                            |
| produce, records           | records (key, value, timestamp, partition, headers) are written to a topic |
| consume, records, windowed | a topic is read from its start                                             |
| request, http, expect      | one HTTP exchange; ``on`` uses an open stream's connection                 |
| open, request, expect      | a response that stays open is begun under a name                           |
| read, lines                | that many elements are read from it                                        |
| ended, lines               | the stream ends by itself, after these elements                            |
| close                      | the reader goes                                                            |

``within_ms`` repeats a request until its answer fits; on read and consume it is how long nothing more may come.
``save`` keeps a text of an answer by JSON pointer; steps with ``cleanup`` run even after a failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx

from ksqldb.dialogues.match import DECODER, difference, expand, loads, show
from ksqldb.dialogues.topics import QUIET, WAIT, Topics

_SETTLING = ("QUEUED", "PARSING", "EXECUTING", "RUNNING")


class Failed(Exception):
    """A step's answer is not what the dialogue expects."""


class _End:
    """Put behind the last element of a stream."""


class Stream:
    """An open response, split into its elements as they come."""

    def __init__(self, client: httpx.AsyncClient, request: dict[str, Any]) -> None:
        self.client = client
        self._request = request
        self._elements: asyncio.Queue[Any] = asyncio.Queue()
        self._opened = asyncio.Event()
        self._task = asyncio.create_task(self._run())
        self.status: int | None = None
        self.content_type: str | None = None

    async def opened(self) -> dict[str, Any]:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._opened.wait(), WAIT)
        return {"status": self.status, "content_type": self.content_type}

    async def next(self, patience: float) -> Any:
        """The next element, ``_End`` at the end, or None when nothing came in time."""
        try:
            element = await asyncio.wait_for(self._elements.get(), patience)
        except TimeoutError:
            return None
        if isinstance(element, Failed):
            raise element
        if element is _End:
            self._elements.put_nowait(_End)
        return element

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait((self._task,))
        await self.client.aclose()

    async def _run(self) -> None:
        try:
            async with _send(self.client, self._request) as response:
                self.status, self.content_type = response.status_code, response.headers.get("content-type")
                self._opened.set()
                lines = "delimited" in (self.content_type or "")
                rest = ""
                async for chunk in response.aiter_raw():
                    rest = (self._lines if lines else self._members)(rest + chunk.decode())
        except httpx.HTTPError as problem:
            self._elements.put_nowait(Failed(f"the stream broke: {problem!r}"))
        finally:
            self._opened.set()
            self._elements.put_nowait(_End)

    def _lines(self, text: str) -> str:
        *complete, rest = text.split("\n")
        for line in filter(str.strip, complete):
            self._elements.put_nowait(loads(line))
        return rest

    _begun = False

    def _members(self, text: str) -> str:
        """Members of one JSON array that may never be closed properly."""
        while text := re.sub(r"^[\s,\]]+", "", text):
            if not self._begun and text.startswith("[{"):
                self._begun, text = True, text[1:]
            try:
                value, end = DECODER.raw_decode(text)
            except ValueError:
                break
            self._elements.put_nowait(value)
            text = text[end:]
        return text


@contextlib.asynccontextmanager
async def _send(client: httpx.AsyncClient, request: dict[str, Any]) -> AsyncIterator[httpx.Response]:
    body = request.get("body")
    content = (
        None if body is None else (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()
    )
    headers = request.get("headers")
    async with client.stream(request["method"], request["path"], headers=headers, content=content) as response:
        yield response


def new_client(url: str, http: str) -> httpx.AsyncClient:
    client = httpx.AsyncClient(
        base_url=url, http1=http == "1.1", http2=http == "2", timeout=httpx.Timeout(90, read=None), trust_env=False
    )
    for name in list(client.headers):
        del client.headers[name]
    return client


class Dialogue:
    """The state of one dialogue while it is played. ``ddl`` keeps statements of several dialogues apart: a real server
    cannot take two DDL requests at once."""

    def __init__(self, url: str, topics: Topics, ddl: asyncio.Lock) -> None:
        self._url = url
        self._topics = topics
        self._ddl = ddl
        self._saved: dict[str, str] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._streams: dict[str, Stream] = {}

    async def play(self, steps: list[dict[str, Any]]) -> str | None:
        """The first difference with its step, or None when everything fits."""
        problem: str | None = None
        try:
            for number, step in enumerate(steps):
                if problem and not step.get("cleanup"):
                    continue
                try:
                    await self._step(step)
                except Exception as error:
                    what = step.get("request", {}).get("body") or {
                        k: v for k, v in step.items() if k not in ("records", "lines")
                    }
                    reason = str(error) if isinstance(error, Failed) else repr(error)
                    problem = problem or f"step {number} ({show(what, 300)}): {reason}"
        finally:
            for stream in self._streams.values():
                await stream.close()
            for client in self._clients.values():
                await client.aclose()
        return problem

    async def _step(self, step: dict[str, Any]) -> None:
        if "topic" in step:
            await self._topics.create(step["topic"], step["partitions"])
        elif "produce" in step:
            await self._topics.produce(step["produce"], step["records"])
        elif "consume" in step:
            quiet = step.get("within_ms", 0) / 1000 or QUIET
            wanted = step["records"]
            self._check(wanted, await self._topics.consume(step["consume"], len(wanted), step.get("windowed"), quiet))
        elif "open" in step:
            client = new_client(self._url, step.get("http", "1.1"))
            stream = self._streams[step["open"]] = Stream(client, expand(step["request"], self._saved))
            self._check(step["expect"], await stream.opened())
        elif "read" in step:
            await self._read(step, self._streams[step["read"]])
        elif "ended" in step:
            await self._ended(step, self._streams[step["ended"]])
        elif "close" in step:
            stream = self._streams.pop(step["close"])
            unread = await stream.next(0.1)
            await stream.close()
            if unread is not None and unread is not _End:
                raise Failed(f"unread before close: {show(unread)}")
        else:
            await self._request(step)

    def _check(self, expected: Any, actual: Any) -> None:
        if problem := difference(expand(expected, self._saved), actual):
            raise Failed(problem)

    async def _read(self, step: dict[str, Any], stream: Stream) -> None:
        expected = step["lines"]
        want = len(expected["unordered"] if isinstance(expected, dict) else expected)
        quiet = step.get("within_ms", 0) / 1000
        got: list[Any] = []
        while len(got) < want or quiet:
            element = await stream.next(WAIT if len(got) < want else quiet)
            if element is None or element is _End:
                if len(got) >= want:
                    break
                what = "the stream ended" if element else "nothing more came"
                raise Failed(f"{what} after {len(got)} of {want} lines: {show(got)}, wanted {show(expected)}")
            got.append(element)
        self._check(expected, got)
        self._save(step, got)

    async def _ended(self, step: dict[str, Any], stream: Stream) -> None:
        rest: list[Any] = []
        while (element := await stream.next(WAIT)) is not _End:
            if element is None:
                raise Failed("the stream did not end")
            rest.append(element)
        self._check(step.get("lines", []), rest)

    async def _request(self, step: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + step.get("within_ms", 0) / 1000
        while True:
            got = await self._exchange(step)
            problem = difference(expand(step["expect"], self._saved), got)
            if problem is None:
                break
            if loop.time() > end:
                raise Failed(problem)
            await asyncio.sleep(0.15)
        self._save(step, got["body"])

    async def _exchange(self, step: dict[str, Any]) -> dict[str, Any]:
        request = expand(step["request"], self._saved)
        if "on" in step:
            client = self._streams[step["on"]].client
        else:
            http = step.get("http", "1.1")
            client = self._clients.get(http) or self._clients.setdefault(http, new_client(self._url, http))
        async with self._ddl if request["path"] == "/ksql" else contextlib.nullcontext():
            async with asyncio.timeout(40), _send(client, request) as response:
                text = (await response.aread()).decode()
            content_type = response.headers.get("content-type")
            body = _body(text, content_type, request["path"])
            for entity in body if isinstance(body, list) else ():
                await _settle(client, entity)
        return {"status": response.status_code, "content_type": content_type, "body": body}

    def _save(self, step: dict[str, Any], got: Any) -> None:
        for name, pointer in step.get("save", {}).items():
            value = got
            try:
                for part in pointer.strip("/").split("/"):
                    value = value[int(part)] if isinstance(value, list) else value[part]
            except (KeyError, IndexError):
                value = None
            if not isinstance(value, str):
                raise Failed(f"no text at {pointer} in {show(got)}")
            self._saved[name] = value


def _body(text: str, content_type: str | None, path: str) -> Any:
    """JSON where it parses as such, ``{"lines": [...]}`` for delimited bodies, else the text."""
    delimited = "delimited" in (content_type or "")
    if delimited or (path == "/inserts-stream" and not text.startswith('{"@type":"generic')):
        try:
            return {"lines": [loads(line) for line in text.splitlines() if line.strip()]}
        except ValueError:
            return text
    try:
        return loads(text)
    except ValueError:
        return text


async def _settle(client: httpx.AsyncClient, entity: Any) -> None:
    """Follow a command that executes beyond the server's patience, and put its last status into the entity."""
    end = asyncio.get_running_loop().time() + 3 * WAIT
    while (
        isinstance(entity, dict)
        and (entity.get("commandStatus") or {}).get("status") in _SETTLING
        and asyncio.get_running_loop().time() < end
    ):
        await asyncio.sleep(0.3)
        response = await client.get("/status/" + quote(entity["commandId"]), timeout=40)
        if response.status_code == 200:
            entity["commandStatus"] = loads(response.text)
