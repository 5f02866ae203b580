"""``python -m ksqldb.engine --listen 127.0.0.1:8088 --bootstrap 127.0.0.1:9092 --data DIR``: the engine's server."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import sys
from collections.abc import Coroutine
from pathlib import Path

from ksqldb.engine.engine import Engine, EngineConfig
from ksqldb.engine.server.service import CannotServe, Options, serve
from ksqldb.login import LoginError, read_users


def options_of(arguments: list[str] | None = None) -> tuple[Options, EngineConfig]:
    """What a command line asks of the server and of the engine; exits with 2 and a message for what it cannot take."""
    parser = argparse.ArgumentParser(prog="python -m ksqldb.engine", description="A ksqlDB 0.29 compatible server.")
    parser.add_argument("--listen", default="127.0.0.1:8088", metavar="HOST:PORT", help="address to serve on")
    parser.add_argument("--socket", type=int, metavar="FD", help="an inherited socket that listens there already")
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT", help="Kafka bootstrap address")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="command log and snapshots; without it nothing is kept"
    )
    parser.add_argument("--property", action="append", default=[], metavar="NAME=VALUE", help="a server property")
    parser.add_argument("--users", type=Path, metavar="FILE", help="basic authentication: 'name: password' lines")
    parser.add_argument("--own-user", action="store_true", help="with --users: none for processes of this user (Linux)")
    parser.add_argument("--tls-certificate", type=Path, metavar="PEM")
    parser.add_argument("--tls-key", type=Path, metavar="PEM")
    given = parser.parse_args(arguments)
    host, colon, port = given.listen.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        parser.error(f"--listen {given.listen}: expected HOST:PORT")
    properties: dict[str, str] = {}
    for text in given.property:
        name, equals, value = text.partition("=")
        if not equals:
            parser.error(f"--property {text}: expected NAME=VALUE")
        properties[name] = value
    host = host.strip("[]")
    users = read_users(given.users) if given.users else None
    return (
        Options(host, int(port), users, given.tls_certificate, given.tls_key, given.socket, given.own_user),
        EngineConfig(given.bootstrap, given.data, properties, given.listen),
    )


def main() -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        options, config = options_of()
        gc.freeze()  # what was imported never becomes garbage: keep full collections short
        gc.set_threshold(50_000, 20, 20)  # state is many long-lived containers without cycles: look at them seldom
        _run(_serve(options, config))
    except (CannotServe, LoginError) as problem:
        print(f"ksqldb.engine: {problem}", file=sys.stderr)
        return 1
    return 0


async def _serve(options: Options, config: EngineConfig) -> None:
    await serve(options, Engine(config))


def _run(service: Coroutine[None, None, None]) -> None:
    try:
        import uvloop
    except ImportError:  # not on Windows
        asyncio.run(service)
    else:
        uvloop.run(service)


if __name__ == "__main__":
    sys.exit(main())
