"""A server that answers what it is told to: for what a real one does only when it is killed or overtaken."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

META = b'{"queryId":"transient_X_1","columnNames":["N"],"columnTypes":["INTEGER"]}\n'


@dataclass
class Request:
    path: str
    body: Any
    headers: dict[str, str]


@dataclass
class Exchange:
    """One request as its script sees it."""

    request: Request
    writer: asyncio.StreamWriter

    async def answer(self, status: int, body: object = b"") -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.writer.write(b"HTTP/1.1 %d x\r\ncontent-length: %d\r\n\r\n%s" % (status, len(data), data))
        await self.writer.drain()

    async def begin(self, *chunks: bytes) -> None:
        self.writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        await self.more(*chunks)

    async def more(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self.writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        await self.writer.drain()

    async def end(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def cut(self) -> None:
        self.writer.transport.abort()


Script = Callable[[Exchange], Awaitable[None]]


@dataclass
class Server:
    """Scripts by path, used in turn; the last one stays. ``seen`` holds the requests in the order of their coming."""

    url: str = ""
    scripts: dict[str, list[Script]] = field(default_factory=lambda: defaultdict(list))
    seen: list[Request] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    gone: int = 0

    def on(self, path: str, *scripts: Script) -> None:
        self.scripts[path].extend(scripts)

    def paths(self) -> list[str]:
        return [request.path for request in self.seen]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with self.changed, asyncio.timeout(10):
            await self.changed.wait_for(condition)

    async def tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


@asynccontextmanager
async def scripted() -> AsyncIterator[Server]:
    server = Server()

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                first, *lines = head.split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                request = Request(first.split()[1], json.loads(body) if body else None, headers)
                server.seen.append(request)
                await server.tell()
                scripts = server.scripts[request.path]
                script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
                await script(Exchange(request, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            server.gone += 1
            await server.tell()
        finally:
            writer.close()

    listener = await asyncio.start_server(connection, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
