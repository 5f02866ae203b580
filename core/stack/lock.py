"""The lock that makes a supervisor the only one of its home. It ends with its process, so it is never stale."""

import fcntl
import os
from pathlib import Path
from typing import IO


def acquire(path: Path) -> IO[str] | None:
    """The lock, held until the file is closed; or None where somebody has it. Raises OSError."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def holder(path: Path) -> int | None:
    """The pid of who has the lock, or None where it is free."""
    try:
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # nobody could have locked it for this user
        pass
    return None
