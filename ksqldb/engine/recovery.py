"""After a restart: the command log replayed on the catalog, missing topics made again, the queries left started."""

from __future__ import annotations

import logging

from ksqldb.engine import ast
from ksqldb.engine.entities import texts
from ksqldb.engine.errors import KsqlError
from ksqldb.engine.inspector import Inspector, source_of, targets
from ksqldb.engine.kafka.topics import Topics
from ksqldb.engine.metastore.commandlog import Command, CommandLog
from ksqldb.engine.parse import parse
from ksqldb.engine.plan import statements as effects

log = logging.getLogger(__name__)


async def recover(commands: CommandLog, inspector: Inspector, topics: Topics) -> int:
    """The number of the last command. A statement or query that no longer runs is logged and left out."""
    catalog, runtime = inspector.catalog, inspector.runtime
    paused: set[str] = set()
    sequence = 0
    for command in commands.read():
        sequence = command.sequence
        try:
            await _replay(command, inspector, topics, paused)
        except KsqlError as error:
            log.error("a statement of the command log no longer runs: %s: %s", command.statement, error)
    for query in list(catalog.queries.values()):
        try:
            await runtime.start_query(query, query.id in paused)
        except KsqlError as error:
            log.error("query %s could not be resumed: %s", query.id, error)
    return sequence


async def _replay(command: Command, inspector: Inspector, topics: Topics, paused: set[str]) -> None:
    catalog = inspector.catalog
    for name, count in command.topics.items():
        if name not in catalog.topics:
            await topics.create(name, count, {})
            catalog.topics[name] = count
    for parsed in parse(command.statement):
        statement = parsed.statement
        if isinstance(statement, ast.QueryAction):
            for query_id in targets(statement, catalog):
                match statement.action:
                    case "TERMINATE":
                        effects.end(query_id, catalog)
                    case "PAUSE":
                        paused.add(query_id)
                    case _:
                        paused.discard(query_id)
            continue
        seen = catalog.with_properties(command.properties)
        before = catalog.copy()
        effect = effects.apply(parsed, seen, command.sequence - 1, seen.properties)
        if not isinstance(effect, effects.Altered):
            inspector.remember(effect, texts.stored_text(parsed, before, source_of(effect)))
