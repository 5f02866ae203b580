"""The abstract syntax of ksqlDB 0.29 as plain frozen values.

Names are stored as the language sees them: unquoted identifiers upper-cased, quoted ones as written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from ksqldb.engine.types import SqlType


@dataclass(frozen=True, slots=True)
class Position:
    """Where a node starts in its statement's source; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    at: Position | None = field(default=None, compare=False, repr=False)


# ---------------------------------------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class NullLiteral(Node):
    pass


@dataclass(frozen=True, slots=True)
class BooleanLiteral(Node):
    value: bool


@dataclass(frozen=True, slots=True)
class IntegerLiteral(Node):
    """INTEGER when it fits 32 bits, else BIGINT."""

    value: int


@dataclass(frozen=True, slots=True)
class DecimalLiteral(Node):
    value: Decimal


@dataclass(frozen=True, slots=True)
class DoubleLiteral(Node):
    value: float


@dataclass(frozen=True, slots=True)
class StringLiteral(Node):
    value: str


@dataclass(frozen=True, slots=True)
class ColumnRef(Node):
    """A column, with the source's name or alias where it was given."""

    name: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Dereference(Node):
    """``base->field``."""

    base: Expression
    field_name: str


@dataclass(frozen=True, slots=True)
class DereferenceAll(Node):
    """``base->*`` (select items only)."""

    base: Expression


@dataclass(frozen=True, slots=True)
class Subscript(Node):
    """``base[index]`` on arrays (from 1, negative from the end) and maps."""

    base: Expression
    index: Expression


class UnaryOp(Enum):
    MINUS = "-"
    PLUS = "+"


@dataclass(frozen=True, slots=True)
class Unary(Node):
    op: UnaryOp
    operand: Expression


class ArithmeticOp(Enum):
    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    MODULUS = "%"


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """Also concatenation of text by ``+``; ``||`` parses to a call of ``concat``."""

    op: ArithmeticOp
    left: Expression
    right: Expression


class ComparisonOp(Enum):
    EQUAL = "="
    NOT_EQUAL = "<>"
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    IS_DISTINCT_FROM = "IS DISTINCT FROM"
    IS_NOT_DISTINCT_FROM = "IS NOT DISTINCT FROM"


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    op: ComparisonOp
    left: Expression
    right: Expression


class LogicalOp(Enum):
    AND = "AND"
    OR = "OR"


@dataclass(frozen=True, slots=True)
class Logical(Node):
    op: LogicalOp
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Not(Node):
    operand: Expression


@dataclass(frozen=True, slots=True)
class IsNull(Node):
    operand: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between(Node):
    operand: Expression
    low: Expression
    high: Expression
    negated: bool = False


@dataclass(frozen=True, slots=True)
class InList(Node):
    operand: Expression
    items: tuple[Expression, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Like(Node):
    operand: Expression
    pattern: Expression
    escape: str | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class When(Node):
    condition: Expression
    result: Expression


@dataclass(frozen=True, slots=True)
class SearchedCase(Node):
    whens: tuple[When, ...]
    default: Expression | None = None


@dataclass(frozen=True, slots=True)
class SimpleCase(Node):
    operand: Expression
    whens: tuple[When, ...]
    default: Expression | None = None


@dataclass(frozen=True, slots=True)
class Cast(Node):
    operand: Expression
    type: TypeRef


@dataclass(frozen=True, slots=True)
class FunctionCall(Node):
    """``COUNT(*)`` is ``FunctionCall("COUNT", ())`` with ``star``."""

    name: str
    args: tuple[Expression, ...]
    star: bool = False


@dataclass(frozen=True, slots=True)
class Lambda(Node):
    """``(x, y) => body``; parameters are seen in the body as ``LambdaVariable``."""

    params: tuple[str, ...]
    body: Expression


@dataclass(frozen=True, slots=True)
class LambdaVariable(Node):
    name: str


@dataclass(frozen=True, slots=True)
class CreateArray(Node):
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class CreateMap(Node):
    entries: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class CreateStruct(Node):
    fields: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class IntervalUnit(Node):
    """A time unit as an argument: ``TIMESTAMPADD(MILLISECONDS, ...)``; upper case, as written (DAY or DAYS)."""

    unit: str


Expression: TypeAlias = (
    NullLiteral
    | BooleanLiteral
    | IntegerLiteral
    | DecimalLiteral
    | DoubleLiteral
    | StringLiteral
    | ColumnRef
    | Dereference
    | DereferenceAll
    | Subscript
    | Unary
    | Arithmetic
    | Comparison
    | Logical
    | Not
    | IsNull
    | Between
    | InList
    | Like
    | SearchedCase
    | SimpleCase
    | Cast
    | FunctionCall
    | Lambda
    | LambdaVariable
    | CreateArray
    | CreateMap
    | CreateStruct
    | IntervalUnit
)


# ---------------------------------------------------------------------------------------------- types


@dataclass(frozen=True, slots=True)
class TypeRef(Node):
    """A type as written. ``known`` is None where it names a custom type (``CREATE TYPE``) somewhere inside;
    the analyser resolves those against the metastore."""

    text: str
    known: SqlType | None
    shape: TypeShape | None = None


@dataclass(frozen=True, slots=True)
class TypeShape:
    """The tree of a type that mentions custom types: ``name`` is ARRAY, MAP, STRUCT or a custom type's name."""

    name: str
    args: tuple[TypeRef, ...] = ()
    field_names: tuple[str, ...] = ()


# ---------------------------------------------------------------------------------------------- queries


@dataclass(frozen=True, slots=True)
class AliasedTable(Node):
    name: str
    alias: str  # the name itself where none was given


class JoinType(Enum):
    INNER = "INNER"
    LEFT = "LEFT OUTER"
    RIGHT = "RIGHT OUTER"
    FULL = "FULL OUTER"


@dataclass(frozen=True, slots=True)
class Duration(Node):
    """``10 SECONDS``: value and unit as written, and the length in milliseconds."""

    value: int
    unit: str
    ms: int


@dataclass(frozen=True, slots=True)
class Within(Node):
    before: Duration
    after: Duration
    grace: Duration | None = None


@dataclass(frozen=True, slots=True)
class JoinedSource(Node):
    """One more source of an n-way join, joined to everything on its left."""

    type: JoinType
    right: AliasedTable
    criteria: Expression
    within: Within | None = None


@dataclass(frozen=True, slots=True)
class Relation(Node):
    """``FROM first [JOIN ...]*``."""

    first: AliasedTable
    joins: tuple[JoinedSource, ...] = ()


@dataclass(frozen=True, slots=True)
class SingleColumn(Node):
    expression: Expression
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class AllColumns(Node):
    """``*`` or ``source.*``."""

    source: str | None = None


SelectItem: TypeAlias = SingleColumn | AllColumns


class WindowKind(Enum):
    TUMBLING = "TUMBLING"
    HOPPING = "HOPPING"
    SESSION = "SESSION"


@dataclass(frozen=True, slots=True)
class Window(Node):
    """``size`` is the gap of a session window; ``advance`` is set for hopping windows."""

    kind: WindowKind
    size: Duration
    advance: Duration | None = None
    retention: Duration | None = None
    grace: Duration | None = None


class Refinement(Enum):
    CHANGES = "CHANGES"
    FINAL = "FINAL"


@dataclass(frozen=True, slots=True)
class Query(Node):
    """A query; ``emit`` None is a pull query where the context allows one."""

    select: tuple[SelectItem, ...]
    source: Relation
    window: Window | None = None
    where: Expression | None = None
    group_by: tuple[Expression, ...] = ()
    partition_by: tuple[Expression, ...] = ()
    having: Expression | None = None
    emit: Refinement | None = None
    limit: int | None = None


# ---------------------------------------------------------------------------------------------- statements

Literal: TypeAlias = NullLiteral | BooleanLiteral | IntegerLiteral | DecimalLiteral | DoubleLiteral | StringLiteral
Properties: TypeAlias = tuple[tuple[str, Expression], ...]  # WITH (...): names upper-cased, in source order


class ColumnKind(Enum):
    VALUE = ""
    KEY = "KEY"
    PRIMARY_KEY = "PRIMARY KEY"
    HEADERS = "HEADERS"
    HEADER = "HEADER"  # HEADER('key')


@dataclass(frozen=True, slots=True)
class ColumnDef(Node):
    name: str
    type: TypeRef
    kind: ColumnKind = ColumnKind.VALUE
    header_key: str | None = None


class SourceKind(Enum):
    STREAM = "STREAM"
    TABLE = "TABLE"


@dataclass(frozen=True, slots=True)
class CreateSource(Node):
    """CREATE [OR REPLACE] [SOURCE] STREAM|TABLE [IF NOT EXISTS] name (elements) WITH (...)."""

    kind: SourceKind
    name: str
    columns: tuple[ColumnDef, ...]
    properties: Properties
    or_replace: bool = False
    if_not_exists: bool = False
    is_source: bool = False


@dataclass(frozen=True, slots=True)
class CreateAsSelect(Node):
    kind: SourceKind
    name: str
    query: Query
    properties: Properties
    or_replace: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class InsertInto(Node):
    target: str
    query: Query
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class InsertValues(Node):
    target: str
    columns: tuple[str, ...]
    values: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class DropSource(Node):
    kind: SourceKind
    name: str
    if_exists: bool = False
    delete_topic: bool = False


@dataclass(frozen=True, slots=True)
class CreateConnector(Node):
    kind: str  # SOURCE or SINK
    name: str
    properties: Properties
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropConnector(Node):
    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class QueryAction(Node):
    """TERMINATE, PAUSE or RESUME of one query (``query_id`` as written, upper-cased unless quoted) or of ALL (None)."""

    action: str
    query_id: str | None


class Listing(Enum):
    """LIST | SHOW ..."""

    PROPERTIES = "PROPERTIES"
    TOPICS = "TOPICS"
    STREAMS = "STREAMS"
    TABLES = "TABLES"
    FUNCTIONS = "FUNCTIONS"
    CONNECTORS = "CONNECTORS"
    CONNECTOR_PLUGINS = "CONNECTOR PLUGINS"
    TYPES = "TYPES"
    VARIABLES = "VARIABLES"
    QUERIES = "QUERIES"


@dataclass(frozen=True, slots=True)
class Show(Node):
    what: Listing
    extended: bool = False
    all_topics: bool = False
    connector_kind: str | None = None  # SOURCE or SINK


@dataclass(frozen=True, slots=True)
class Describe(Node):
    """DESCRIBE source [EXTENDED] | STREAMS | TABLES [EXTENDED] | FUNCTION f | CONNECTOR c; ``what`` names which."""

    what: str  # SOURCE, STREAMS, TABLES, FUNCTION, CONNECTOR
    name: str = ""
    extended: bool = False


@dataclass(frozen=True, slots=True)
class Explain(Node):
    """Of a running query's id or of a statement."""

    query_id: str | None = None
    statement: Statement | None = None


@dataclass(frozen=True, slots=True)
class PrintTopic(Node):
    topic: str
    from_beginning: bool = False
    interval: int = 1
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class SetProperty(Node):
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class UnsetProperty(Node):
    name: str


@dataclass(frozen=True, slots=True)
class AlterSystem(Node):
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Define(Node):
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Undefine(Node):
    name: str


@dataclass(frozen=True, slots=True)
class CreateType(Node):
    name: str
    type: TypeRef
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropType(Node):
    name: str
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class AlterSource(Node):
    kind: SourceKind
    name: str
    columns: tuple[ColumnDef, ...]


@dataclass(frozen=True, slots=True)
class AssertTopic(Node):
    topic: str
    properties: Properties = ()
    timeout: Duration | None = None
    exists: bool = True


@dataclass(frozen=True, slots=True)
class AssertSchema(Node):
    subject: str | None
    schema_id: int | None
    timeout: Duration | None = None
    exists: bool = True


@dataclass(frozen=True, slots=True)
class AssertValues(Node):
    """Test-only: ASSERT [NULL] VALUES target (columns) VALUES|KEY (...)."""

    target: str
    columns: tuple[str, ...]
    values: tuple[Expression, ...]
    tombstone: bool = False


@dataclass(frozen=True, slots=True)
class AssertSource(Node):
    """Test-only: ASSERT STREAM|TABLE name (elements) WITH (...)."""

    source: CreateSource


@dataclass(frozen=True, slots=True)
class RunScript(Node):
    path: str


Statement: TypeAlias = (
    Query
    | CreateSource
    | CreateAsSelect
    | InsertInto
    | InsertValues
    | DropSource
    | CreateConnector
    | DropConnector
    | QueryAction
    | Show
    | Describe
    | Explain
    | PrintTopic
    | SetProperty
    | UnsetProperty
    | AlterSystem
    | Define
    | Undefine
    | CreateType
    | DropType
    | AlterSource
    | AssertTopic
    | AssertSchema
    | AssertValues
    | AssertSource
    | RunScript
)


@dataclass(frozen=True, slots=True)
class ParsedStatement:
    """A statement with its own text (comments and white space around it removed, the ``;`` kept)."""

    statement: Statement
    text: str
