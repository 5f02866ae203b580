"""The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677): a password is proven and never sent."""

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass

MECHANISM = "SCRAM-SHA-256"
_ITERATIONS = 4096  # the least that clients accept; the secrets are random, so more would only cost time
_NO_CHANNEL_BINDING = ("n,", "y,")


class Refused(Exception):
    """The client did not prove the password; the text says no more than that to it."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What the server keeps of a password."""

    salt: bytes
    stored_key: bytes
    server_key: bytes

    @classmethod
    def of(cls, password: str) -> "Credential":
        salt = os.urandom(16)
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS)
        return cls(salt, hashlib.sha256(_hmac(salted, b"Client Key")).digest(), _hmac(salted, b"Server Key"))


class Exchange:
    """One login: `answer` takes the client's two messages in turn and gives the server's. Raises Refused."""

    def __init__(self, credentials: Mapping[str, Credential]) -> None:
        self._credentials = credentials
        self._credential: Credential | None = None
        self._nonce = ""
        self._so_far = ""
        self.done = False

    def answer(self, message: bytes) -> bytes:
        try:
            text = message.decode()
            return (self._first(text) if not self._nonce else self._final(text)).encode()
        except (ValueError, KeyError):  # not UTF-8, not base64, not the fields there must be
            raise Refused("this is no message of SCRAM-SHA-256") from None

    def _first(self, text: str) -> str:
        binding, _, rest = text.partition(",")
        if f"{binding}," not in _NO_CHANNEL_BINDING:
            raise ValueError(binding)
        bare = rest.partition(",")[2]  # between them an authorization id, which is not looked at
        fields = _fields(bare)
        name = fields["n"].replace("=2C", ",").replace("=3D", "=")
        self._credential = self._credentials.get(name)
        if self._credential is None:
            raise Refused("the user or the password is not right")
        self._nonce = fields["r"] + b64encode(os.urandom(18)).decode()
        first = f"r={self._nonce},s={b64encode(self._credential.salt).decode()},i={_ITERATIONS}"
        self._so_far = f"{bare},{first}"
        return first

    def _final(self, text: str) -> str:
        assert self._credential is not None
        without_proof, _, proof = text.rpartition(",p=")
        signed = f"{self._so_far},{without_proof}".encode()
        signature = _hmac(self._credential.stored_key, signed)
        key = bytes(a ^ b for a, b in zip(b64decode(proof, validate=True), signature, strict=True))
        proven = hmac.compare_digest(hashlib.sha256(key).digest(), self._credential.stored_key)
        if not proven or _fields(without_proof)["r"] != self._nonce or self.done:
            raise Refused("the user or the password is not right")
        self.done = True
        return f"v={b64encode(_hmac(self._credential.server_key, signed)).decode()}"


def _fields(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.partition("=") for part in text.split(","))}


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
