"""Who may connect to a server of this program: users of a file, and processes of the user it runs as."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence
from pathlib import Path

_SOCK_DIAG = 4  # protocol of netlink (Linux, sock_diag(7)), whose message type 20 asks for one socket
_SOCK_DIAG_BY_FAMILY = 20
_ESTABLISHED = 1
_REQUEST = struct.Struct("=IHHIIBBBxI")
_MAPPED = bytes(10) + b"\xff\xff"
_NO_COOKIE = b"\xff" * 8
_UID_AT = 16 + 64  # the header of netlink, then `struct inet_diag_msg` up to idiag_uid

End = tuple[str, int]
"""Address and port."""


class LoginError(Exception):
    """A users file that cannot be used; the message says what to do."""


def read_users(path: Path) -> dict[str, str]:
    """Passwords by name, of ``name: password[,role...]`` lines (Jetty's property login file); # begins a comment.

    Raises LoginError.
    """
    users: dict[str, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as problem:
        raise LoginError(f"the users file {path} cannot be read: {problem.strerror}") from None
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, colon, rest = text.partition(":")
        if not colon or not name.strip():
            raise LoginError(f"{path}, line {number}: expected 'name: password[,role]'")
        users[name.strip()] = rest.partition(",")[0].strip()
    return users


def is_own_user(peer: End, local: End) -> bool:
    """Whether the other end of a TCP connection on this machine is a socket of this process's own user, or of root.

    The kernel is asked, so nothing the client sends decides. False where that is not known: for other machines and
    network namespaces, for a connection that is already half closed, and on systems other than Linux.
    """
    try:
        owner = _owner_by_netlink(peer, local)
    except OSError:  # a sandbox without netlink
        owner = _owner_by_proc(peer, local)
    return owner in (os.geteuid(), 0)


def _owner_by_netlink(peer: End, local: End) -> int | None:
    """The user id that owns the client's socket, None where there is none. Raises OSError."""
    if not hasattr(socket, "AF_NETLINK"):
        return None
    ends = socket.inet_aton(peer[0]), socket.inet_aton(local[0])
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.settimeout(1.0)
        # A client may hold an IPv6 socket for an IPv4 address, as Java's do.
        for family, prefix in ((socket.AF_INET, b""), (socket.AF_INET6, _MAPPED)):
            owner = _owner(kernel, family, tuple(prefix + end for end in ends), (peer[1], local[1]))
            if owner is not None:
                return owner
    return None


def _owner_by_proc(peer: End, local: End, tables: Sequence[str] = ("/proc/net/tcp", "/proc/net/tcp6")) -> int | None:
    """The same from the kernel's tables of sockets (proc(5)), which may pass over a socket while others come and go."""
    for table, prefix in zip(tables, (b"", _MAPPED), strict=True):
        ends = [_as_in_proc(prefix + socket.inet_aton(host), port) for host, port in (peer, local)]
        try:
            rows = Path(table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if [*fields[1:3], int(fields[3], 16)] == [*ends, _ESTABLISHED]:
                return int(fields[7])
    return None


def _as_in_proc(address: bytes, port: int) -> str:
    """Words of four bytes in the machine's own order, as hexadecimal numbers; then the port."""
    words = struct.unpack(f"={len(address) // 4}I", address)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


def _owner(kernel: socket.socket, family: int, ends: tuple[bytes, ...], ports: tuple[int, int]) -> int | None:
    """The user id that owns the client's socket, None where there is no established one. Raises OSError."""
    tail = struct.pack(">HH", *ports) + b"".join(end.ljust(16, b"\0") for end in ends) + bytes(4) + _NO_COOKIE
    size = _REQUEST.size + len(tail)
    states = 1 << _ESTABLISHED
    kernel.send(_REQUEST.pack(size, _SOCK_DIAG_BY_FAMILY, 1, 0, 0, family, socket.IPPROTO_TCP, 0, states) + tail)
    answer = kernel.recv(4096)
    (kind,) = struct.unpack_from("=H", answer, 4)
    if kind != _SOCK_DIAG_BY_FAMILY or answer[17] != _ESTABLISHED:
        return None
    (uid,) = struct.unpack_from("=I", answer, _UID_AT)
    return int(uid)
