"""How a Kafka cluster is reached: one value that every client of this program is made from, the engine's as well."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shlex
import ssl
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
VARIABLE = "STREAMGUARD_ENGINE_KAFKA"
"""Where a process that starts the engine leaves the cluster's security: JSON, as ``as_variable`` makes it."""
_TOKEN_WITHIN_S = 15
_TOKEN_LIVES_S = 300.0  # one that does not say how long


class TokenError(ConnectionError):
    """The command that gives tokens gave none."""


@dataclass(frozen=True)
class Kafka:
    """Bootstrap address and security of a cluster; what is secret never shows in a repr.

    ``ca_file``: who signed the brokers' certificates (else the system's authorities). ``cert_file`` and ``key_file``:
    this program's own certificate (mTLS). ``token_command``: run without a shell whenever a token for OAUTHBEARER is
    needed; what it prints is the token. The name in a broker's certificate is always checked. ``partitions`` and
    ``replication`` are those of topics that this program makes.
    """

    bootstrap: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "PLAIN"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    key_password: str | None = field(default=None, repr=False)
    token_command: str | None = field(default=None, repr=False)
    partitions: int = 4
    replication: int = 1

    @property
    def who(self) -> str:
        """The principal that the cluster's rights are given to, as far as it is known here."""
        return f"User:{self.username}" if self.username else "this program's user"

    def options(self) -> dict[str, Any]:
        """Keyword arguments common to aiokafka's clients. Raises OSError where a file cannot be read."""
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap, "security_protocol": self.security_protocol}
        if self.security_protocol.endswith("SSL"):
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file, self.key_password)
            options["ssl_context"] = context
        if self.security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.sasl_mechanism
            if self.sasl_mechanism == "OAUTHBEARER":
                options["sasl_oauth_token_provider"] = _for_aiokafka(self.token_command or "")
            else:
                options["sasl_plain_username"] = self.username
                options["sasl_plain_password"] = self.password
        return options

    def librdkafka(self) -> dict[str, Any]:
        """The configuration common to confluent-kafka's clients."""
        given = {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": self.security_protocol,
            "ssl.ca.location": self.ca_file,
            "ssl.certificate.location": self.cert_file,
            "ssl.key.location": self.key_file,
            "ssl.key.password": self.key_password,
        }
        options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if self.security_protocol.startswith("SASL"):
            options["sasl.mechanism"] = self.sasl_mechanism
            if self.sasl_mechanism == "OAUTHBEARER":
                options["oauth_cb"] = _for_librdkafka(self.token_command or "")
            else:
                options |= {"sasl.username": self.username or "", "sasl.password": self.password or ""}
        return options

    def as_variable(self) -> str:
        """All but the address, for the environment of a child process."""
        return json.dumps({name: value for name, value in asdict(self).items() if name != "bootstrap"})

    @classmethod
    def from_environment(cls, bootstrap: str, environment: Mapping[str, str] = os.environ) -> Kafka:
        """The cluster at this address, secured as the parent process said; in plain text where it said nothing."""
        return cls(bootstrap, **json.loads(environment.get(VARIABLE, "{}")))


def token(command: str) -> str:
    """A token, by running the command. Raises ``TokenError``; what the command printed is not in its text."""
    words = shlex.split(command)
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_TOKEN_WITHIN_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or f"it took longer than {_TOKEN_WITHIN_S} s"
        raise TokenError(f"no token for Kafka: {words[0] if words else 'no command'}: {reason}") from None
    if done.returncode or not done.stdout.strip():
        raise TokenError(f"no token for Kafka: {words[0]} ended with {done.returncode} and printed no token")
    return done.stdout.strip()


def expiry(text: str) -> float:
    """When a token ends, in seconds since the epoch: the ``exp`` of a JWT, else five minutes from now."""
    try:
        claims = text.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return time.time() + _TOKEN_LIVES_S


def _for_aiokafka(command: str) -> object:
    from aiokafka.abc import AbstractTokenProvider  # who only wants an address need not load it

    class Tokens(AbstractTokenProvider):  # type: ignore[misc]
        async def token(self) -> str:
            return await asyncio.to_thread(token, command)

    return Tokens()


def _for_librdkafka(command: str) -> Callable[[str], tuple[str, float]]:
    def give(_: str) -> tuple[str, float]:
        made = token(command)
        return made, expiry(made)

    return give
