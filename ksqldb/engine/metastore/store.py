"""The set of sources and types, with who reads and writes them."""

from __future__ import annotations

from ksqldb.engine.metastore.model import Source
from ksqldb.engine.types import SqlType


class MetaStore:
    """Mutable, one writer. ``copy`` makes the sandbox in which a body of statements is validated whole."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self.types: dict[str, SqlType] = {}
        self.readers: dict[str, set[str]] = {}  # source -> ids of queries that read it
        self.writers: dict[str, set[str]] = {}  # source -> ids of queries that write it
        self.made_from: dict[str, tuple[str, ...]] = {}  # sink of a CREATE AS SELECT -> its sources

    def copy(self) -> MetaStore:
        twin = MetaStore()
        twin.sources = dict(self.sources)
        twin.types = dict(self.types)
        twin.readers = {name: set(ids) for name, ids in self.readers.items()}
        twin.made_from = dict(self.made_from)
        twin.writers = {name: set(ids) for name, ids in self.writers.items()}
        return twin

    def source(self, name: str) -> Source | None:
        return self.sources.get(name)

    def put(self, source: Source) -> None:
        self.sources[source.name] = source

    def drop(self, name: str) -> None:
        del self.sources[name]
        self.readers.pop(name, None)
        self.writers.pop(name, None)
        self.made_from.pop(name, None)

    def link(self, query_id: str, reads: tuple[str, ...], writes: str | None) -> None:
        for name in reads:
            self.readers.setdefault(name, set()).add(query_id)
        if writes is not None:
            self.writers.setdefault(writes, set()).add(query_id)

    def unlink(self, query_id: str) -> None:
        for table in (self.readers, self.writers):
            for ids in table.values():
                ids.discard(query_id)

    def made_of(self, name: str) -> list[str]:
        """The sources that were made by a CREATE AS SELECT from this one; they hold it even after their query ended."""
        return sorted(sink for sink, sources in self.made_from.items() if name in sources)

    def similar(self, name: str) -> list[str]:
        """Sources whose name differs in letter case only, for hints."""
        return [other for other in self.sources if other != name and other.upper() == name.upper()]
