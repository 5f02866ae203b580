"""The server's life: listen, start the engine behind it, serve, and end cleanly."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ksqldb.engine.engine import Engine
from ksqldb.engine.server.state import Phase, Server

if TYPE_CHECKING:
    from hypercorn.typing import Framework

log = logging.getLogger(__name__)

IDLE_SECONDS = 86_400.0  # ksql.idle.connection.timeout.seconds
GRACE_SECONDS = 2.0


class CannotServe(Exception):
    """The server cannot start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """``users`` maps names to passwords, and with ``own_user`` processes of the user the server runs as need none;
    ``certificate`` and ``key`` are PEM files and make it https; ``inherited`` is the descriptor of a socket that
    listens at the address already."""

    host: str
    port: int
    users: Mapping[str, str] | None = None
    certificate: Path | None = None
    key: Path | None = None
    inherited: int | None = None
    own_user: bool = False


async def serve(options: Options, engine: Engine) -> None:
    """Serve until SIGTERM or SIGINT. Prints one ready line to stdout when statements are answered."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config

    from ksqldb.engine.server.app import build

    server = Server(engine, dict(options.users) if options.users is not None else None, options.own_user)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    listener = _listen(options) if options.inherited is None else socket.socket(fileno=options.inherited)
    listener.setblocking(False)
    port = listener.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.include_date_header = config.include_server_header = False
    config.keep_alive_timeout = IDLE_SECONDS
    config.graceful_timeout = GRACE_SECONDS
    config.shutdown_timeout = GRACE_SECONDS
    config.h2_max_concurrent_streams = 10_000
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    if options.certificate:
        _check_certificate(options.certificate, options.key)
        config.certfile, config.keyfile = str(options.certificate), str(options.key or options.certificate)
        config.alpn_protocols = ["h2", "http/1.1"]

    app = cast("Framework", build(server))
    web = asyncio.create_task(hypercorn_serve(app, config, shutdown_trigger=stop.wait))
    start = asyncio.create_task(_start(engine))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((web, start, stopping), return_when=asyncio.FIRST_COMPLETED)
        if web.done() and not stop.is_set():
            await web
        if start.done():
            await start
            server.phase = Phase.READY
            _say_ready(options, port)
            await asyncio.wait((web, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.phase = Phase.STOPPING
        start.cancel()
        await engine.stop()  # push queries end here, so their readers see a clean end
        stop.set()
        await asyncio.wait((web,), timeout=2 * GRACE_SECONDS)
        stopping.cancel()
    await web


async def _start(engine: Engine) -> None:
    """Start the engine; while Kafka does not answer, try again (requests are told to wait meanwhile)."""
    from aiokafka.errors import KafkaError

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # says the same in other words, once a try
    pause = 0.2
    while True:
        try:
            await engine.connect()
            break
        except KafkaError as problem:
            where = engine.config.bootstrap
            log.warning("Kafka at %s does not answer, trying again in %g s: %s", where, pause, problem)
        await asyncio.sleep(pause)
        pause = min(pause * 2, 5.0)
    logging.getLogger("aiokafka").setLevel(logging.NOTSET)
    await engine.start()


def _listen(options: Options) -> socket.socket:
    """A listening socket; CannotServe where the address is taken. Port 0 takes a free one."""
    host, port = options.host, options.port
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as problem:
        listener.close()
        raise CannotServe(f"cannot listen on {host}:{port}: {problem.strerror}; choose another --listen") from None
    return listener


def _say_ready(options: Options, port: int) -> None:
    scheme = "https" if options.certificate else "http"
    sys.stdout.write(f"ksqlDB engine ready on {scheme}://{options.host}:{port}\n")
    sys.stdout.flush()


def _check_certificate(certificate: Path, key: Path | None) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as problem:
        shown = f"the certificate {certificate} (key {key or certificate})"
        raise CannotServe(f"{shown} cannot be used: {problem}") from None
