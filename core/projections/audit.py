"""``read.audit``: what people did, one row an act."""

from __future__ import annotations

from core.projections.projection import Projection
from schema.events import REGISTRY

# An act names its operator; these few older events leave that to the metadata.
TYPES = {
    name: version
    for name, (version, event) in REGISTRY.items()
    if "operator" in event.__struct_fields__ or name in ("AccountBlocked", "AccountUnblocked", "ScenarioRequested")
}

_TABLES = """
create table audit (
    pos            bigint primary key,
    at             timestamptz not null,
    actor          text not null,
    action         text not null,
    stream         text not null,
    subject        text not null,
    reason         text not null,
    data           jsonb not null,
    command_id     text,
    correlation_id text
);
create index on audit (actor, pos);
create index on audit (subject, pos);
"""

# The subject is what was acted on: the case, the account, the rule; where an event names none, its stream.
_ACTS = f"""
insert into audit (pos, at, actor, action, stream, subject, reason, data, command_id, correlation_id)
select pos, at, coalesce(meta ->> 'actor', data ->> 'operator', ''), type, stream,
       coalesce(data ->> 'case_id', data ->> 'party', data ->> 'account_id', data ->> 'rule_id', data ->> 'run_id',
                data ->> 'projection', 'dead letter ' || (data ->> 'dead_letter_id'),
                (data ->> 'topic') || '/' || (data ->> 'partition') || '@'
                    || coalesce(data ->> 'offset', data ->> 'to_offset'),
                data ->> 'topic', stream),
       coalesce(data ->> 'reason', data ->> 'text', data ->> 'result', ''), data,
       meta ->> 'command_id', meta ->> 'correlation_id'
from event
where pos > $1 and pos <= $2 and type in ({", ".join(f"'{name}'" for name in TYPES)})
"""

AUDIT = Projection(
    name="audit",
    version=2,
    types=TYPES,
    tables=_TABLES,
    fold=(_ACTS,),
    published={"audit": "pos"},
    pace_s=0.25,
)
