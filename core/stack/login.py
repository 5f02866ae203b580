"""The login of the embedded broker and engine: one user, and a secret for each that its first start makes."""

import secrets
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from core.stack.errors import StackError
from core.stack.paths import StackPaths
from ksqldb.kafka import Kafka
from ksqldb.login import LoginError, read_users

USER = "streamguard"
_BYTES = 24


def make(file: Path) -> Path:
    """The file with the service's user and secret (``name: password``, mode 0600), made unless it is there already.

    Raises StackError where it can neither be read nor made.
    """
    if password(file) is None:
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = file.with_name(f"{file.name}.new")
            fresh.unlink(missing_ok=True)
            fresh.touch(mode=0o600)
            fresh.write_text(f"{USER}: {secrets.token_urlsafe(_BYTES)}\n")
            fresh.replace(file)
        except OSError as error:
            raise StackError(f"{error.filename or file}: {error.strerror}") from None
    return file


def password(file: Path) -> str | None:
    """The secret, or None where none was made: by a stack of an earlier version. Raises StackError."""
    if not file.exists():
        return None
    try:
        return read_users(file).get(USER)
    except LoginError as error:
        raise StackError(str(error)) from None


def cluster(paths: StackPaths, bootstrap: str, partitions: int = 4) -> Kafka:
    """How the embedded broker at this address is reached."""
    secret = password(paths.secret("kafka"))
    if secret is None:
        return Kafka(bootstrap, partitions=partitions)
    return Kafka(bootstrap, "SASL_PLAINTEXT", "SCRAM-SHA-256", USER, secret, partitions=partitions)


def url(paths: StackPaths, address: str) -> str:
    """The embedded engine's address with its login: for connecting, never for showing."""
    secret = password(paths.secret("ksqldb"))
    if secret is None:
        return address
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=f"{USER}:{secret}@{parts.netloc}"))
