"""Statements that change something: their command ids and the messages of their success."""

from __future__ import annotations

from ksqldb.engine import ast
from ksqldb.engine.entities.schemas import Entity
from ksqldb.engine.plan.statements import Altered, Created, Dropped, Effect, Started, TypeCreated, TypeDropped
from ksqldb.engine.types import quote


def command_id(statement: ast.Statement) -> str:
    match statement:
        case ast.CreateSource() | ast.CreateAsSelect():
            return f"{statement.kind.value.lower()}/{quote(statement.name)}/create"
        case ast.InsertInto():
            return f"stream/{quote(statement.target)}/create"
        case ast.DropSource():
            return f"{statement.kind.value.lower()}/{statement.name}/drop"
        case ast.AlterSource():
            return f"{statement.kind.value.lower()}/{statement.name}/alter"
        case ast.QueryAction():
            return f"{statement.action.lower()}/{statement.query_id or 'ALL'}/execute"
        case ast.CreateType():
            return f"type/{statement.name}/create"
        case ast.DropType():
            return f"type/{statement.name}/drop"
        case ast.AlterSystem():
            return f"cluster/{statement.name}/alter"
        case _:
            raise TypeError(f"{type(statement).__name__} is no command")


def success_message(effect: Effect) -> str:
    match effect:
        case Created(query=query) if query is not None:
            return f"Created query with ID {query.id}"
        case Created(source=source):
            return f"{source.kind.value.capitalize()} created"
        case Started(query=query):
            return f"Created query with ID {query.id}"
        case Altered(source=source):
            return f"{source.kind.value.capitalize()} {source.name} altered."
        case Dropped(source=None, name=name):
            return f"Source {quote(name)} does not exist."
        case Dropped(source=source):
            assert source is not None
            return f"Source {quote(source.name)} (topic: {source.topic}) was dropped."
        case TypeCreated() | TypeDropped():
            return effect.message
        case _:
            raise TypeError(f"{type(effect).__name__} has no message of its own")


def status(message: str, query_id: str | None = None) -> dict[str, object]:
    return {"status": "SUCCESS", "message": message, "queryId": query_id}


def current_status(text: str, command: str, message: str, sequence: int, query_id: str | None = None) -> Entity:
    return {
        "@type": "currentStatus",
        "statementText": text,
        "commandId": command,
        "commandStatus": status(message, query_id),
        "commandSequenceNumber": sequence,
        "warnings": [],
    }
