"""What an exception means to the person at the command line: one sentence and an exit code."""

import sys
from typing import Any

DONE, NO, USAGE, UNREACHABLE, DEFECT, INTERRUPTED = 0, 1, 2, 3, 70, 130


class UsageError(Exception):
    """A combination of arguments that makes no sense; the text says which would."""


# (module, class, exit code). Only modules that were imported can have raised; none is imported to find out.
_KNOWN = (
    ("core.failures", "UsageError", USAGE),
    ("core.access", "ReadOnly", NO),
    ("core.settings", "SettingsError", USAGE),
    ("core.stack.errors", "StackError", UNREACHABLE),
    ("core.replay.mapping", "MappingError", USAGE),
    ("core.replay.pace", "SpeedError", USAGE),
    ("core.scenarios.registry", "UnknownScenario", USAGE),
    ("core.scenarios.knobs", "WrongParameter", USAGE),
    ("core.scenarios.commands", "WrongKind", USAGE),
    ("core.workers.session", "NotReady", UNREACHABLE),
    ("core.workers.names", "UnknownTask", USAGE),
    ("core.workers.http", "AddressError", USAGE),
    ("core.eventlog.migrate", "MigrationError", NO),
    ("core.eventlog.witness", "WitnessError", USAGE),
    ("core.eventlog.connect", "LogUnreachable", UNREACHABLE),
    ("core.eventlog.keys", "KeyFileError", USAGE),
    ("core.eventlog.archive", "Archived", NO),
    ("core.eventlog.archive", "ArchiveError", NO),
    ("core.kafka.faults", "InletHalted", NO),
    ("core.kafka.messages", "WrongStart", USAGE),
    ("ksqldb.rulebook", "RuleFileError", NO),
    ("ksqldb.client", "KsqlUnavailable", UNREACHABLE),
    ("ksqldb.client", "KsqlClientError", NO),
    ("asyncpg", "CannotConnectNowError", UNREACHABLE),
    ("asyncpg", "InterfaceError", UNREACHABLE),
    ("asyncpg", "PostgresConnectionError", UNREACHABLE),
    ("asyncpg", "InvalidAuthorizationSpecificationError", UNREACHABLE),
    ("asyncpg", "PostgresError", NO),
    ("ksqldb.kafka", "TokenError", UNREACHABLE),
    ("core.kafka.rights", "RightMissing", NO),
    ("aiokafka.errors", "KafkaConnectionError", UNREACHABLE),
    ("aiokafka.errors", "KafkaError", NO),
    ("confluent_kafka", "KafkaException", NO),
)


def explain(error: BaseException) -> tuple[int, str] | None:
    """(exit code, sentence), or None for an error that no input and no service explains."""
    if isinstance(error, BaseExceptionGroup):
        told = [found for inner in error.exceptions if (found := explain(inner)) is not None]
        return told[0] if told else None
    refused: Any = getattr(sys.modules.get("asyncpg"), "ReadOnlySQLTransactionError", None)
    if refused is not None and isinstance(error, refused):
        return NO, "read-only: nothing was changed"
    for module, name, code in _KNOWN:
        known: Any = getattr(sys.modules.get(module), name, None)
        if known is not None and isinstance(error, known):
            return code, _sentence(error)
    if isinstance(error, (ConnectionError, TimeoutError)):
        return UNREACHABLE, _sentence(error) or "a service did not answer in time: `streamguard status` says which"
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError) and error.filename is not None:
        return USAGE, f"{error.filename}: {error.strerror}"
    return None


def _sentence(error: BaseException) -> str:
    reason = error.args[0] if error.args else ""
    if hasattr(reason, "str"):  # confluent_kafka's
        return str(reason.str())
    return " ".join(str(error).split())
