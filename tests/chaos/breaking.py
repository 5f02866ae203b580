"""Ways to break a running service from outside, each for a while and then undone. Linux; some need root."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil

SLOW_STOPPED_S, SLOW_RUNNING_S = 0.18, 0.02
_PIDFD_GETFD = 438
_CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile long *offset;
static int (*real)(clockid_t, struct timespec *);
__attribute__((constructor)) static void begin(void) {
  char line[4096], path[4352];
  const char *names[] = {"core.stack.supervisor", "core.stack.broker", "ksqldb.engine", "core.workers", "postgres"};
  const char *folder = getenv("CHAOS_CLOCK"); int fd = open("/proc/self/cmdline", O_RDONLY); long n;
  real = dlsym(RTLD_NEXT, "clock_gettime");
  if (!folder || fd < 0) return;
  n = read(fd, line, sizeof line - 1); close(fd);
  for (long i = 0; i < n; i++) if (!line[i]) line[i] = ' ';
  line[n > 0 ? n : 0] = 0;
  for (int i = 0; i < 5; i++) if (strstr(line, names[i])) {
    strcpy(path, folder); strcat(path, "/"); strcat(path, names[i]);
    fd = open(path, O_RDONLY);
    if (fd >= 0) { void *at = mmap(0, 8, PROT_READ, MAP_SHARED, fd, 0); if (at != MAP_FAILED) offset = at; close(fd); }
    return;
  }
}
int clock_gettime(clockid_t id, struct timespec *to) {
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, to);
  if (offset && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) to->tv_sec += *offset;
  return result;
}
int gettimeofday(struct timeval *to, void *zone) {
  struct timespec now; int result = clock_gettime(CLOCK_REALTIME, &now);
  (void)zone; to->tv_sec = now.tv_sec; to->tv_usec = now.tv_nsec / 1000; return result;
}
time_t time(time_t *to) {
  struct timespec now; clock_gettime(CLOCK_REALTIME, &now); if (to) *to = now.tv_sec; return now.tv_sec;
}
"""
_PROCESS_NAMES = {
    "kafka": "core.stack.broker",
    "ksqldb": "ksqldb.engine",
    "worker": "core.workers",
    "postgres": "postgres",
}
_WATCHER = "core.stack.supervisor"
"""It has the clock of the service that is moved: on one machine there is one."""


class Clock:
    """A wall clock that can be moved for each service alone, and for the stack's supervisor with it: a library loaded
    before the system's own."""

    def __init__(self, folder: Path) -> None:
        """Raises ``PermissionError`` where there is no C compiler."""
        compiler = shutil.which("cc")
        if compiler is None:
            raise PermissionError("there is no C compiler for the library that moves clocks")
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        (folder / "clock.c").write_text(_CLOCK)
        library = folder / "clock.so"
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(folder / "clock.c"), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
        for name in (*_PROCESS_NAMES.values(), _WATCHER):
            (folder / name).write_bytes(struct.pack("q", 0))
        for file in folder.iterdir():
            file.chmod(0o755)
        self._folder = folder
        self.environment = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(folder)}

    def step(self, service: str, seconds: int) -> None:
        """Let the service's clock be off by this much from now on."""
        for name in (_PROCESS_NAMES[service], _WATCHER):
            with (self._folder / name).open("r+b") as file:
                file.write(struct.pack("q", seconds))


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    try:
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def tell(pid: int, signum: signal.Signals) -> None:
    """Send a signal to a service with all its processes."""
    for process in family(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signum)


@contextlib.asynccontextmanager
async def slowed(pid: int) -> AsyncIterator[None]:
    """A tenth of its time alone does the service run."""

    async def hold_back() -> None:
        while True:
            tell(pid, signal.SIGSTOP)
            await asyncio.sleep(SLOW_STOPPED_S)
            tell(pid, signal.SIGCONT)
            await asyncio.sleep(SLOW_RUNNING_S)

    holding = asyncio.create_task(hold_back())
    try:
        yield
    finally:
        holding.cancel()
        await asyncio.wait([holding])
        tell(pid, signal.SIGCONT)


def cut(pid: int) -> int:
    """Shut every connection that the service has, as a broken line would; how many there were.

    Raises ``PermissionError`` where this user may not take another process's sockets.
    """
    count = 0
    for process in family(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            for connection in process.net_connections("all"):
                if connection.fd >= 0:
                    count += _shut(process.pid, connection.fd)
    return count


def _shut(pid: int, descriptor: int) -> int:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return 0
    try:
        taken = ctypes.CDLL(None, use_errno=True).syscall(_PIDFD_GETFD, handle, descriptor, 0)
        if taken < 0:
            if ctypes.get_errno() == errno.EPERM:
                raise PermissionError("the sockets of another process cannot be taken here")
            return 0
        with socket.socket(fileno=taken) as taken_over:
            if not _is_connection(taken_over):
                return 0
            taken_over.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        if isinstance(error, PermissionError):
            raise
        return 0
    finally:
        os.close(handle)
    return 1


def _is_connection(taken: socket.socket) -> bool:
    """Neither a socket that listens nor a process's pair with itself, such as the one that wakes an event loop."""
    if taken.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return False
    return taken.family != socket.AF_UNIX or bool(taken.getsockname() or taken.getpeername())


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of its own for this folder. Raises ``PermissionError`` where this user may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        raise PermissionError("a disk of its own cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], capture_output=True, check=False)


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """Leave no byte free on the folder's disk."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * (1 << 20))
        with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 512)
        yield
    finally:
        filler.unlink(missing_ok=True)
