"""Does a service answer? One short exchange in the service's own protocol, for readiness and for health."""

import asyncio
import struct
from collections.abc import Callable, Coroutine
from pathlib import Path

_WITHIN = 2.0  # seconds
_STARTING_UP = b"57P03"  # SQLSTATE cannot_connect_now

Probe = Callable[[], Coroutine[None, None, bool]]


async def _ask(
    connecting: Coroutine[None, None, tuple[asyncio.StreamReader, asyncio.StreamWriter]], ask: bytes
) -> bytes:
    """The first bytes of the answer, empty where there is none in time."""
    writer = None
    try:
        async with asyncio.timeout(_WITHIN):
            reader, writer = await connecting
            writer.write(ask)
            return await reader.read(512)
    except (OSError, TimeoutError):
        return b""
    finally:
        if writer is not None:
            writer.close()


async def postgres_answers(socket_dir: Path) -> bool:
    """A start-up packet is answered, and not by "the database system is starting up"."""
    parameters = b"user\0postgres\0database\0postgres\0application_name\0probe\0\0"
    packet = struct.pack(">ii", 8 + len(parameters), 3 << 16) + parameters
    answer = await _ask(asyncio.open_unix_connection(socket_dir / ".s.PGSQL.5432"), packet)
    return bool(answer) and _STARTING_UP not in answer


async def kafka_answers(host: str, port: int) -> bool:
    """An ApiVersions request is answered."""
    request = struct.pack(">hhih", 18, 0, 1, -1)
    answer = await _ask(asyncio.open_connection(host, port), struct.pack(">i", len(request)) + request)
    return len(answer) > 8


async def http_answers(host: str, port: int, path: str) -> bool:
    """A GET is answered with 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    answer = await _ask(asyncio.open_connection(host, port), request.encode())
    return answer.startswith(b"HTTP/1.1 200")
