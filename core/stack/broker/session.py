"""Whether a connection may be served: it logged in, it need not, or the broker is open."""

from collections.abc import Mapping
from dataclasses import dataclass

from core.stack.broker.scram import Credential, Exchange
from ksqldb.login import End, is_own_user


@dataclass(frozen=True, slots=True)
class Door:
    """Who may come in: everybody where `users` is None, else those users and, if so wished, processes of the user that
    the broker runs as."""

    users: Mapping[str, Credential] | None = None
    own_user: bool = False


class Session:
    """The standing of one connection between `peer` and `local`."""

    def __init__(self, door: Door, peer: End, local: End) -> None:
        self._door = door
        self._ends = peer, local
        self._may = door.users is None
        self.exchange: Exchange | None = None

    def begin(self) -> bool:
        """Start a login; False where there is none here."""
        if self._door.users is None:
            return False
        self.exchange = Exchange(self._door.users)
        return True

    def may(self) -> bool:
        """Whether requests are served. The kernel is asked once, and not for a connection that logged in."""
        if not self._may:
            logged_in = self.exchange is not None and self.exchange.done
            self._may = logged_in or (self._door.own_user and self.exchange is None and is_own_user(*self._ends))
        return self._may
