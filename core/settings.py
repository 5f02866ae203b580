"""Configuration: command-line flags over `STREAMGUARD_*` variables over `streamguard.toml` over defaults.

An address that is set points at a service somewhere else; one that is not is served by the embedded stack. A table
`[profiles.NAME]` of the file holds settings that win over the rest of the file where the profile NAME is chosen.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from platformdirs import user_data_path
from pydantic import AfterValidator, Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from core.stack import login
from core.stack.paths import StackPaths
from ksqldb.kafka import Kafka

FILE = "streamguard.toml"
PROFILES = "profiles"
_HOST_PORT = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.%\w]+\]):([0-9]{1,5})", re.ASCII)
SCREEN = "screen"
PREFIX = "STREAMGUARD_"


class SettingsError(Exception):
    """A setting that cannot be used; the text names it, says what is wrong and where it came from."""


def _kafka_addresses(value: str) -> str:
    for address in value.split(","):
        found = _HOST_PORT.fullmatch(address.strip())
        if found is None or not 0 < int(found[1]) < 65536:
            shown = address.strip() if "@" not in address else "an address with a user in it"
            raise ValueError(f"{shown!r} is not HOST:PORT")
    return value


def _http_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("http://", "https://")):
        raise ValueError("it is a URL like http://host:8088 or https://user:password@host:8088")
    return SecretStr(value.get_secret_value().rstrip("/"))


def _postgres_dsn(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("it is a URL like postgresql://user:password@host:5432/database")
    return value


Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """What every command knows. `load` makes it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, toml_file=FILE, extra="forbid", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    home: Path = Field(
        default_factory=lambda: user_data_path("stream-guard", appauthor=False),
        description="folder of the embedded stack: data, logs, run files",
    )
    kafka: Annotated[str, AfterValidator(_kafka_addresses)] | None = Field(
        default=None, description="bootstrap servers of a Kafka cluster, HOST:PORT[,HOST:PORT]"
    )
    ksqldb: Annotated[SecretStr, AfterValidator(_http_url)] | None = Field(
        default=None, description="URL of a ksqlDB server, with a user and password where it wants one"
    )
    postgres: Annotated[SecretStr, AfterValidator(_postgres_dsn)] | None = Field(
        default=None, description="URL of a PostgreSQL database"
    )
    kafka_port: Port | None = Field(
        default=None, description="port of the embedded broker; otherwise 9092 or a free one"
    )
    ksqldb_port: Port | None = Field(
        default=None, description="port of the embedded ksqlDB engine; otherwise 8088 or a free one"
    )

    profile: str | None = Field(default=None, description=f"the table of {FILE} that wins over the rest of the file")
    read_only: bool = Field(default=False, description="look at everything, change nothing")

    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="how the cluster of `kafka` is spoken to"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        default="SCRAM-SHA-512", description="how this program says who it is, with SASL"
    )
    kafka_username: str | None = Field(default=None, description="user, with SASL")
    kafka_password: SecretStr | None = Field(default=None, description="its password")
    kafka_ca_file: FilePath | None = Field(
        default=None, description="PEM file of who signed the brokers' certificates; else the system's authorities"
    )
    kafka_cert_file: FilePath | None = Field(default=None, description="PEM file of this program's certificate (mTLS)")
    kafka_key_file: FilePath | None = Field(default=None, description="PEM file of its key")
    kafka_key_password: SecretStr | None = Field(default=None, description="password of that key")
    kafka_token_command: SecretStr | None = Field(
        default=None, description="a command, run without a shell, that prints a token for OAUTHBEARER"
    )
    kafka_partitions: int = Field(default=4, ge=1, le=1024, description="partitions of topics that are made")
    kafka_replication: int = Field(default=1, ge=1, le=9, description="replicas of topics that are made")

    @model_validator(mode="after")
    def _security_is_whole(self) -> Self:
        sasl = self.kafka_security_protocol.startswith("SASL")
        tls = self.kafka_security_protocol.endswith("SSL")
        if self.kafka is None and self.kafka_security_protocol != "PLAINTEXT":
            raise ValueError("kafka_security_protocol wants kafka, the address of the cluster")
        if not tls and (self.kafka_ca_file or self.kafka_cert_file or self.kafka_key_file):
            raise ValueError(
                "kafka_ca_file, kafka_cert_file and kafka_key_file want kafka_security_protocol SSL or SASL_SSL"
            )
        if (self.kafka_cert_file is None) != (self.kafka_key_file is None):
            raise ValueError("kafka_cert_file and kafka_key_file want each other")
        if not sasl and (self.kafka_username or self.kafka_password or self.kafka_token_command):
            raise ValueError(
                "kafka_username, kafka_password and kafka_token_command want kafka_security_protocol SASL_SSL or "
                "SASL_PLAINTEXT"
            )
        if sasl and self.kafka_sasl_mechanism == "OAUTHBEARER" and not self.kafka_token_command:
            raise ValueError("kafka_sasl_mechanism OAUTHBEARER wants kafka_token_command")
        if sasl and self.kafka_sasl_mechanism != "OAUTHBEARER" and not (self.kafka_username and self.kafka_password):
            raise ValueError(
                f"kafka_sasl_mechanism {self.kafka_sasl_mechanism} wants kafka_username and kafka_password"
            )
        return self

    def cluster(self, bootstrap: str) -> Kafka:
        """How Kafka at this address is reached: as these settings say, or with its own login where it is embedded."""
        if self.kafka is None:
            return login.cluster(StackPaths(self.home), bootstrap, self.kafka_partitions)
        return Kafka(
            bootstrap,
            self.kafka_security_protocol,
            self.kafka_sasl_mechanism,
            self.kafka_username,
            _revealed(self.kafka_password),
            _text(self.kafka_ca_file),
            _text(self.kafka_cert_file),
            _text(self.kafka_key_file),
            _revealed(self.kafka_key_password),
            _revealed(self.kafka_token_command),
            self.kafka_partitions,
            self.kafka_replication,
        )

    def environment(self) -> dict[str, str]:
        """Every setting that was made, secrets as well, as the variables a child process of one's own finds it by."""
        made = {name: getattr(self, name) for name in self.model_fields_set | {"home"} if name != "profile"}
        return {f"{PREFIX}{name.upper()}": _variable(value) for name, value in made.items() if value is not None}

    def environment_at(self, kafka: str, ksqldb: str, postgres: str) -> dict[str, str]:
        """The same for a child process that finds the services at these addresses, embedded ones as well, and is no
        client of the stack."""
        addresses = {"kafka": kafka, "ksqldb": ksqldb, "postgres": postgres}
        cluster = self.cluster(kafka)
        if self.kafka is None and cluster.password is not None:
            addresses |= {
                "kafka_security_protocol": cluster.security_protocol,
                "kafka_sasl_mechanism": cluster.sasl_mechanism,
                "kafka_username": cluster.username or "",
                "kafka_password": cluster.password,
            }
        return self.environment() | {f"{PREFIX}{name.upper()}": value for name, value in addresses.items()}

    @property
    def ksqldb_url(self) -> str | None:
        """The ksqlDB address with its password: for connecting, never for showing."""
        return _revealed(self.ksqldb)

    @property
    def postgres_dsn(self) -> str | None:
        """The PostgreSQL address with its password: for connecting, never for showing."""
        return _revealed(self.postgres)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _File(settings_cls, init_settings().get("profile"))


class _File(TomlConfigSettingsSource):
    """The file, with the chosen profile's settings over its others."""

    def __init__(self, settings_cls: type[BaseSettings], asked: str | None) -> None:
        self._asked = asked
        super().__init__(settings_cls)

    def __call__(self) -> dict[str, Any]:
        found = dict(super().__call__())
        profiles = found.pop(PROFILES, {})
        chosen = self._asked or os.environ.get(f"{PREFIX}PROFILE") or found.get("profile")
        if not isinstance(profiles, dict) or not all(isinstance(profile, dict) for profile in profiles.values()):
            raise ValueError(f"{PROFILES} is a table of tables, such as [{PROFILES}.production]")
        if chosen is None:
            return _without_screen(found)
        if not isinstance(chosen, str) or chosen not in profiles:
            there = ", ".join(profiles) or "none"
            raise ValueError(f"there is no profile {chosen!r}; there are: {there}")
        return _without_screen({**found, **profiles[chosen]})


def _without_screen(found: dict[str, Any]) -> dict[str, Any]:
    """Without the table that the control center reads by itself (``tui.profile``)."""
    return {name: value for name, value in found.items() if name != SCREEN}


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


def _variable(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value.absolute() if isinstance(value, Path) else value)


def load(**flags: Any) -> Settings:
    """The settings in force; a flag that is None was not given. Raises SettingsError."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingsError("; ".join(_sentence(problem, given) for problem in error.errors())) from None
    except ValueError as error:  # the file is no TOML
        raise SettingsError(f"{FILE}: {error}") from None
    except OSError as error:
        raise SettingsError(f"{FILE} cannot be read: {error.strerror}") from None
    try:
        home = settings.home.expanduser()
    except RuntimeError:  # ~name of somebody who is not there
        raise SettingsError(f"home: there is no user {settings.home.parts[0].removeprefix('~')!r}") from None
    return settings.model_copy(update={"home": home.absolute()})


def _sentence(problem: Any, flags: dict[str, Any]) -> str:
    if not problem["loc"]:  # of several settings together; the text names them
        return f"settings: {problem['msg'].removeprefix('Value error, ')}"
    name = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        return f"{FILE}: there is no setting {name!r}; there are {', '.join(Settings.model_fields)}"
    origin = f"--{name.replace('_', '-')}" if name in flags else f"{name} ({PREFIX}{name.upper()} or {FILE})"
    return f"{origin}: {problem['msg'].removeprefix('Value error, ')}"
