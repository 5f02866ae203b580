"""`python -m core.stack.broker --listen HOST:PORT --data DIR`: serve until SIGTERM; one line on stdout says when."""

import argparse
import asyncio
import errno
import logging
import resource
import signal
import socket
import sys
from functools import partial
from pathlib import Path

import uvloop

from core.stack.broker.broker import Address, Broker, InUse
from core.stack.broker.connection import Connection
from core.stack.broker.scram import Credential
from core.stack.broker.session import Door
from ksqldb.login import LoginError, read_users

log = logging.getLogger(__name__)

_RETENTION_EVERY = 10.0  # seconds
_FILES = 65_536  # a segment keeps its file open


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m core.stack.broker", description=__doc__)
    parser.add_argument("--listen", required=True, metavar="HOST:PORT", help="port 0 takes a free one")
    parser.add_argument("--socket", type=int, metavar="FD", help="an inherited socket that listens there already")
    parser.add_argument("--data", required=True, type=Path, metavar="DIR")
    parser.add_argument("--partitions", type=int, default=4, help="of a topic made without a count (default 4)")
    parser.add_argument("--no-auto-create", action="store_true", help="do not make topics that clients only ask for")
    parser.add_argument("--users", type=Path, metavar="FILE", help="who may connect: 'name: password' lines; else all")
    parser.add_argument("--own-user", action="store_true", help="with --users: and processes of this user (on Linux)")
    return parser.parse_args()


def _door(users: Path | None, own_user: bool) -> Door:
    """Raises LoginError."""
    if users is None:
        return Door()
    return Door({name: Credential.of(password) for name, password in read_users(users).items()}, own_user)


def _allow_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, enough), hard))


async def _retain(broker: Broker) -> None:
    while True:
        await asyncio.sleep(_RETENTION_EVERY)
        try:
            broker.apply_retention()
        except OSError as error:
            log.error("old segments could not be deleted: %s", error)


async def serve(listen: Address, inherited: int | None, broker: Broker, stop: asyncio.Event) -> None:
    """Accept clients until `stop`. Raises OSError where the port cannot be had."""
    connections: set[Connection] = set()
    loop = asyncio.get_running_loop()
    accept = partial(Connection, broker, connections)
    if inherited is None:
        server = await loop.create_server(accept, listen.host, listen.port)
    else:
        server = await loop.create_server(accept, sock=socket.socket(fileno=inherited))
    port = int(server.sockets[0].getsockname()[1])
    broker.open(Address(listen.host, port))
    retention = asyncio.create_task(_retain(broker))
    print(f"ready {listen.host}:{port} cluster {broker.cluster_id}", flush=True)
    await stop.wait()
    retention.cancel()
    server.close()
    for connection in list(connections):
        connection.close()
    broker.close()


async def _main(arguments: argparse.Namespace) -> int:
    host, _, port = arguments.listen.rpartition(":")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    try:
        door = _door(arguments.users, arguments.own_user)
        broker = Broker(arguments.data, arguments.partitions, not arguments.no_auto_create, door)
        await serve(Address(host, int(port)), arguments.socket, broker, stop)
    except OSError as error:
        where = f"port {port} of {host} is taken" if error.errno == errno.EADDRINUSE else str(error)
        print(f"the broker cannot run: {where}", file=sys.stderr)
        return 1
    except (InUse, LoginError) as error:
        print(f"the broker cannot run: {error}", file=sys.stderr)
        return 1
    return 0


def main() -> int:
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    arguments = _arguments()
    _allow_many_files()
    return uvloop.run(_main(arguments))


if __name__ == "__main__":
    sys.exit(main())
