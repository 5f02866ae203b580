"""EXPLAIN tells a query's steps in the shape of ksqlDB's plan summary."""

from __future__ import annotations

from ksqldb.engine.entities.listings import topics
from ksqldb.engine.entities.plans import execution_plan, topology_text
from ksqldb.engine.plan.steps import QueryPlan
from ksqldb.engine.run.local import LocalEngine

STREAM = "CREATE STREAM s (id VARCHAR KEY, city VARCHAR, v INT) WITH (kafka_topic='s', value_format='JSON');"
TABLE = "CREATE TABLE t (id VARCHAR PRIMARY KEY, n VARCHAR) WITH (kafka_topic='t', value_format='JSON');"
SEEN = "ID STRING KEY, CITY STRING, V INTEGER, ROWTIME BIGINT, ROWPARTITION INTEGER, ROWOFFSET BIGINT, ID STRING"


def plan_of(sql: str) -> QueryPlan:
    engine = LocalEngine()
    for statement in (STREAM, TABLE, sql):
        engine.execute(statement)
    (query,) = engine.catalog.queries.values()
    return query.plan


def test_a_filter() -> None:
    plan = plan_of("CREATE STREAM big AS SELECT id, v FROM s WHERE v > 1;")
    assert execution_plan(plan, "CSAS_BIG_1").splitlines() == [
        " > [ SINK ] | Schema: ID STRING KEY, V INTEGER | Logger: CSAS_BIG_1.BIG",
        "\t\t > [ PROJECT ] | Schema: ID STRING KEY, V INTEGER | Logger: CSAS_BIG_1.Project",
        f"\t\t\t\t > [ FILTER ] | Schema: {SEEN} | Logger: CSAS_BIG_1.WhereFilter",
        f"\t\t\t\t\t\t > [ SOURCE ] | Schema: {SEEN} | Logger: CSAS_BIG_1.KsqlTopic.Source",
    ]
    assert topology_text(plan).splitlines() == [
        "Topologies:",
        "   Sub-topology: 0",
        "    Source: KSTREAM-SOURCE-0000000000 (topics: [s])",
        "      --> WhereFilter",
        "    Processor: WhereFilter (stores: [])",
        "      --> Project",
        "      <-- KSTREAM-SOURCE-0000000000",
        "    Processor: Project (stores: [])",
        "      --> KSTREAM-SINK-0000000001",
        "      <-- WhereFilter",
        "    Sink: KSTREAM-SINK-0000000001 (topic: BIG)",
        "      <-- Project",
        "",
    ]


def test_an_aggregation_reads_what_it_needs_groups_and_aggregates() -> None:
    plan = plan_of("CREATE TABLE c AS SELECT city, COUNT(*) AS n FROM s GROUP BY city HAVING COUNT(*) > 1;")
    lines = [line.strip() for line in execution_plan(plan, "Q").splitlines()]
    assert [line.split(" ]")[0].removeprefix("> [ ") for line in lines] == [
        "SINK", "PROJECT", "FILTER", "AGGREGATE", "GROUP_BY", "PROJECT", "SOURCE",
    ]  # fmt: skip
    assert (
        lines[4]
        == "> [ GROUP_BY ] | Schema: CITY STRING KEY, CITY STRING, ROWTIME BIGINT | Logger: Q.Aggregate.GroupBy"
    )
    assert (
        lines[5] == "> [ PROJECT ] | Schema: ID STRING KEY, CITY STRING, ROWTIME BIGINT | Logger: Q.Aggregate.Prepare"
    )


def test_both_sides_of_a_join_stand_equally_deep() -> None:
    plan = plan_of("CREATE STREAM j AS SELECT s.id, v, n FROM s JOIN t ON s.id = t.id;")
    lines = execution_plan(plan, "Q").splitlines()
    sources = {line.split("Logger: ")[1]: line.count("\t") for line in lines if "SOURCE" in line}
    assert sources == {"Q.KafkaTopic_Left.Source": 8, "Q.KafkaTopic_Right.Source": 8}
    assert "(topics: [s])" in topology_text(plan)
    assert "(topics: [t])" in topology_text(plan)


def test_topics_extended_tell_who_reads() -> None:
    found = [("s", 4, 1), ("_confluent-x", 1, 1), ("t", 2, 1)]
    assert topics("LIST TOPICS EXTENDED;", found, False, {"s": 2})["topics"] == [
        {"name": "s", "replicaInfo": [1, 1, 1, 1], "consumerCount": 8, "consumerGroupCount": 2},
        {"name": "t", "replicaInfo": [1, 1], "consumerCount": 0, "consumerGroupCount": 0},
    ]
    assert topics("LIST TOPICS;", found, False, None)["topics"] == [
        {"name": "s", "replicaInfo": [1, 1, 1, 1]},
        {"name": "t", "replicaInfo": [1, 1]},
    ]
