"""One client's connection: length-prefixed requests in, answers out in the same order."""

import asyncio
import logging
import struct
from collections.abc import Awaitable
from typing import cast

from core.stack.broker.api import API_VERSIONS, APIS, BEFORE_LOGIN, Api, write_api_versions
from core.stack.broker.broker import Broker
from core.stack.broker.errors import Code
from core.stack.broker.request import Request
from core.stack.broker.session import Session
from core.stack.broker.wire import Malformed, Reader, Writer

log = logging.getLogger(__name__)

_LARGEST_REQUEST = 100 << 20
_SIZE = struct.Struct(">i")
_HEAD = struct.Struct(">hhi")
_ANSWER_HEAD = struct.Struct(">ii")


class Connection(asyncio.Protocol):
    """Serves one request at a time. While one waits (a long poll, a group that meets) or the client does not read its
    answers, the next stays in the buffer, and from a few megabytes on in the client's socket.
    """

    def __init__(self, broker: Broker, connections: "set[Connection]") -> None:
        self._broker = broker
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._peer = ""
        self._buffer = bytearray()
        self._waiting: asyncio.Task[None] | None = None
        self._may_write = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # what a stream protocol is given
        peer, local = (transport.get_extra_info(name) or ("", 0) for name in ("peername", "sockname"))
        self._peer = str(peer[0])
        self._session = Session(self._broker.door, peer[:2], local[:2])
        self._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._connections.discard(self)
        if self._waiting is not None:
            self._waiting.cancel()

    def pause_writing(self) -> None:
        self._may_write = False

    def resume_writing(self) -> None:
        self._may_write = True
        self._serve()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._serve()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _serve(self) -> None:
        try:
            while self._waiting is None and self._may_write and self._transport is not None:
                frame = self._next_frame()
                if frame is None:
                    break
                self._handle(frame)
        except Malformed as error:
            log.warning("closed the connection of %s: %s", self._peer, error)
            self._abort()
        except Exception:
            log.exception("a request of %s failed", self._peer)
            self._abort()
        self._hold_back()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def _hold_back(self) -> None:
        """Read on only while the buffer is not ahead of what is served."""
        if self._transport is None:
            return
        full = len(self._buffer) > _LARGEST_REQUEST // 16 and not self._is_partial()
        if full and self._transport.is_reading():
            self._transport.pause_reading()
        elif not full and not self._transport.is_reading():
            self._transport.resume_reading()

    def _is_partial(self) -> bool:
        return len(self._buffer) < 4 or len(self._buffer) < 4 + _SIZE.unpack_from(self._buffer)[0]

    def _next_frame(self) -> bytes | None:
        if len(self._buffer) < 4:
            return None
        (size,) = _SIZE.unpack_from(self._buffer)
        if not _HEAD.size <= size <= _LARGEST_REQUEST:
            raise Malformed(f"a request of {size} bytes; this port speaks the Kafka protocol without TLS")
        if len(self._buffer) < 4 + size:
            return None
        with memoryview(self._buffer) as view:
            frame = bytes(view[4 : 4 + size])
        del self._buffer[: 4 + size]
        return frame

    def _handle(self, frame: bytes) -> None:
        key, version, correlation = _HEAD.unpack_from(frame)
        api = APIS.get(key)
        if api is None:
            raise Malformed(f"request type {key} is not served here")
        if key not in BEFORE_LOGIN and not self._session.may():
            raise Malformed(f"{api.name} before a login; this port wants SASL_PLAINTEXT with SCRAM-SHA-256")
        body = Reader(frame)
        body.i64()  # the fixed head, read above
        client_id = body.string_or_none() or ""
        known = api.first <= version <= api.last
        if not known and key != API_VERSIONS:
            raise Malformed(f"{api.name} version {version}; {api.first} to {api.last} are served")
        body.flexible = known and version >= api.flexible_from
        body.tags()
        request = Request(version, client_id, self._peer, body, self._session)
        out = self._begin(api, request, correlation, body.flexible)
        if not known:
            request.version = 0
            write_api_versions(request, out, Code.UNSUPPORTED_VERSION)
            self._finish(request, out)
            return
        waiting = api.handle(self._broker, request, out)
        if waiting is None:
            self._finish(request, out)
        else:
            self._waiting = asyncio.get_running_loop().create_task(self._finish_later(waiting, request, out))

    @staticmethod
    def _begin(api: Api, request: Request, correlation: int, flexible: bool) -> Writer:
        out = Writer(flexible)
        out.data += _ANSWER_HEAD.pack(0, correlation)
        if api is not APIS[API_VERSIONS]:  # a client that asks for versions cannot know the new header yet
            out.tags()
        return out

    def _finish(self, request: Request, out: Writer) -> None:
        if request.wants_answer and self._transport is not None:
            _SIZE.pack_into(out.data, 0, len(out.data) - 4)
            self._transport.write(out.data)

    async def _finish_later(self, waiting: Awaitable[None], request: Request, out: Writer) -> None:
        try:
            await waiting
            self._finish(request, out)
        except asyncio.CancelledError:  # the connection is gone
            return
        except Exception:
            log.exception("a request of %s failed", self._peer)
            self._abort()
            return
        self._waiting = None
        self._serve()
