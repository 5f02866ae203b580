"""What can go wrong, named as ksqlDB's own REST errors and functional tests name it."""

from __future__ import annotations


class KsqlError(Exception):
    """A user error without a statement of its own (``generic_error``, 40000). The message is what the user reads."""

    error_code = 40000

    @property
    def message(self) -> str:
        return str(self)


class StatementError(KsqlError):
    """A statement that parsed but cannot be run (``statement_error``, 40001).

    ``unlogged`` is a form of the message with literals kept, where the logged one masks them; ``entities`` are the
    answers of the request's earlier statements.
    """

    error_code = 40001

    def __init__(self, message: str, statement: str = "", unlogged: str | None = None) -> None:
        super().__init__(message)
        self.statement = statement
        self.unlogged = unlogged if unlogged is not None else message
        self.entities: list[dict[str, object]] = []


def told(error: KsqlError) -> str:
    """The message with the part of the statement it blames behind it, as an enclosing message quotes it."""
    statement = getattr(error, "statement", "")
    return f"{error}\nStatement: {statement}" if statement else str(error)


class ParseFailed(StatementError):
    """SQL that is not in the grammar; the message starts with ``line L:C:`` (both from 1)."""

    def __init__(self, message: str, statement: str, line: int, column: int) -> None:
        super().__init__(message, statement)
        self.line = line
        self.column = column


class NotSupported(StatementError):
    """A legal statement this engine does not run yet; the message names the construct."""


class ServerError(KsqlError):
    """Something a real server answers with 500."""

    error_code = 50000


class FunctionError(KsqlError):
    """A function refused its arguments while a row was evaluated; the row's value becomes NULL and is logged."""


class DecodeError(Exception):
    """Bytes of a record that do not fit the declared schema; the record is skipped and logged."""
