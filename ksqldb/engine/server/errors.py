"""Errors of the engine as the objects and statuses of ksqlDB's REST API."""

from __future__ import annotations

from ksqldb.engine.errors import KsqlError, StatementError

INTERNAL_QUERY_ERROR = (
    "The server encountered an internal error when processing the query. "
    "Please consult the server logs for more information."
)


def error_entity(problem: Exception) -> dict[str, object]:
    """``generic_error`` or ``statement_error`` of an exception; what is not the engine's own is an internal error."""
    if not isinstance(problem, KsqlError):
        return {"@type": "generic_error", "error_code": 50000, "message": f"{type(problem).__name__}: {problem}"}
    code, statement = problem.error_code, getattr(problem, "statement", None)
    if statement is None and not isinstance(problem, StatementError):
        return {"@type": "generic_error", "error_code": code, "message": problem.message}
    return {
        "@type": "statement_error",
        "error_code": code,
        "message": problem.message,
        "statementText": statement or "",
        "entities": list(getattr(problem, "entities", ())),
    }


def status_of(problem: Exception) -> int:
    """The HTTP status: an error code is 100 times its status and a number."""
    return problem.error_code // 100 if isinstance(problem, KsqlError) else 500


class RequestError(KsqlError):
    """A refused request, with its code."""

    def __init__(self, message: str, error_code: int = 40000) -> None:
        super().__init__(message)
        self.error_code = error_code
