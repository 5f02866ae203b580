"""Where the embedded stack keeps its things: one home folder, and a short one for sockets where that is too deep."""

import errno
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from core.stack.errors import StackError

_LONGEST_SOCKET_PATH = 107  # bytes, a limit of the kernel
_LONGEST_NAME = len("/postgres/.s.PGSQL.5432")
_LEAST_FREE = 200 << 20  # bytes a start needs: a new PostgreSQL cluster alone takes 60 MB


class StackPaths:
    """The folders of one stack. `home` is `STREAMGUARD_HOME`; two stacks with different homes never meet."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.logs = home / "logs"
        self.postgres = home / "postgres"
        self.kafka = home / "kafka"
        self.ksqldb = home / "ksqldb"
        self.seals = home / "seals.jsonl"  # copies of the event log's seals; they outlive the database on purpose
        run = home / "run"
        if len(os.fsencode(run)) + _LONGEST_NAME > _LONGEST_SOCKET_PATH:
            digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
            run = Path(tempfile.gettempdir()) / f"streamguard-{os.getuid()}-{digest}"
        self.run = run
        self.socket = run / "stack.sock"
        self.lock = run / "stack.lock"
        self.postgres_socket = run / "postgres"

    def log(self, service: str) -> Path:
        return self.logs / f"{service}.log"

    def secret(self, service: str) -> Path:
        """The file with the service's user and secret."""
        return self.home / "secrets" / service

    def port(self, service: str) -> Path:
        """The file that remembers the port of the last start."""
        return self.run / f"{service}.port"

    def make(self) -> None:
        """Create the folders. Raises StackError where they cannot be written."""
        try:
            for folder in (self.home, self.logs, self.run):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                if not os.access(folder, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
            for folder in (self.logs, self.run):  # earlier versions let others pass and read
                folder.chmod(folder.stat().st_mode & 0o711)
        except OSError as error:
            raise StackError(
                f"{error.filename or self.home} cannot be written ({error.strerror}): give it to user {os.getuid()}, "
                "or set STREAMGUARD_HOME to a folder of yours"
            ) from None
        if self.run.is_symlink() or self.run.stat().st_uid != os.getuid():
            raise StackError(
                f"{self.run} belongs to somebody else: remove it, or set STREAMGUARD_HOME to another folder"
            )

    def check_space(self) -> None:
        """Raises StackError where the disk is too full to start on."""
        free = shutil.disk_usage(self.home).free
        if free < _LEAST_FREE:
            raise StackError(
                f"only {free >> 20} MB are free on the disk of {self.home}, the stack needs {_LEAST_FREE >> 20} MB: "
                "free some, or set STREAMGUARD_HOME to a folder on another disk"
            )

    def wipe(self) -> None:
        """Delete the data of every service, what bears witness of it, and the logs. Raises StackError."""
        try:
            for folder in (self.postgres, self.kafka, self.ksqldb, self.logs):
                if folder.exists():
                    shutil.rmtree(folder)
            self.seals.unlink(missing_ok=True)
        except OSError as error:
            raise StackError(f"{error.filename} cannot be deleted: {error.strerror}") from None
