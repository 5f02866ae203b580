"""Configuration: command-line flags over `STREAMGUARD_*` variables over `streamguard.toml` over defaults.

An address that is set points at a service somewhere else; one that is not is served by the embedded stack.
"""

from pathlib import Path
from typing import Annotated, Any

from platformdirs import user_data_path
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

FILE = "streamguard.toml"
PREFIX = "STREAMGUARD_"


class SettingsError(Exception):
    """A setting that cannot be used; the text names it, says what is wrong and where it came from."""


def _kafka_addresses(value: str) -> str:
    for address in value.split(","):
        host, colon, port = address.strip().rpartition(":")
        if not (host and colon and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"{address.strip()!r} is not HOST:PORT")
    return value


def _http_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("it is a URL like http://host:8088")
    return value.rstrip("/")


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
    ksqldb: Annotated[str, AfterValidator(_http_url)] | None = Field(default=None, description="URL of a ksqlDB server")
    postgres: Annotated[SecretStr, AfterValidator(_postgres_dsn)] | None = Field(
        default=None, description="URL of a PostgreSQL database"
    )
    kafka_port: Port | None = Field(
        default=None, description="port of the embedded broker; otherwise 9092 or a free one"
    )
    ksqldb_port: Port | None = Field(
        default=None, description="port of the embedded ksqlDB engine; otherwise 8088 or a free one"
    )

    @property
    def postgres_dsn(self) -> str | None:
        """The PostgreSQL address with its password: for connecting, never for showing."""
        return self.postgres.get_secret_value() if self.postgres else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


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
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def _sentence(problem: Any, flags: dict[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "settings"
    if problem["type"] == "extra_forbidden":
        return f"{FILE}: there is no setting {name!r}; there are {', '.join(Settings.model_fields)}"
    origin = f"--{name.replace('_', '-')}" if name in flags else f"{name} ({PREFIX}{name.upper()} or {FILE})"
    return f"{origin}: {problem['msg'].removeprefix('Value error, ')}"
