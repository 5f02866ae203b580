"""The language's grammar as data, and the state network (ATN) built from it.

Only error messages use it: ksqlDB's texts follow from how its generated ANTLR parser looks ahead, so the alternatives
stand here in ksqlDB's order. Words in capitals and quoted signs are tokens, small words are rules; ``(`` ``)`` ``|``
``?`` ``*`` ``+`` mean what they usually do. ``@`` in front of an alternative marks an operator of a left-recursive
rule: the left operand is not written, the number is the binding.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from ksqldb.engine.parse.lexer import EOF, NON_RESERVED, TEXT

GRAMMAR = r"""
statements: singleStatement* <EOF>
testStatements: testStatement* <EOF>
testStatement: ( singleStatement | assertStatement ';' | runScript ';' ) <EOF>?
singleStatement: statement ';'
singleExpression: expression <EOF>
singleType: type <EOF>

statement: query
  | {LIST SHOW} PROPERTIES
  | {LIST SHOW} ALL? TOPICS EXTENDED?
  | {LIST SHOW} STREAMS EXTENDED?
  | {LIST SHOW} TABLES EXTENDED?
  | {LIST SHOW} FUNCTIONS
  | {LIST SHOW} {SOURCE SINK}? CONNECTORS
  | {LIST SHOW} CONNECTOR PLUGINS
  | {LIST SHOW} TYPES
  | {LIST SHOW} VARIABLES
  | DESCRIBE sourceName EXTENDED?
  | DESCRIBE STREAMS EXTENDED?
  | DESCRIBE FUNCTION identifier
  | DESCRIBE CONNECTOR identifier
  | PRINT resourceName printClause
  | {LIST SHOW} QUERIES EXTENDED?
  | TERMINATE identifier
  | TERMINATE ALL
  | PAUSE identifier
  | PAUSE ALL
  | RESUME identifier
  | RESUME ALL
  | SET {VARIABLE TEXT} '=' {VARIABLE TEXT}
  | ALTER SYSTEM TEXT '=' TEXT
  | UNSET {VARIABLE TEXT}
  | DEFINE variableName '=' variableValue
  | UNDEFINE variableName
  | CREATE ( OR REPLACE )? SOURCE? STREAM ( IF NOT EXISTS )? sourceName tableElements? ( WITH tableProperties )?
  | CREATE ( OR REPLACE )? STREAM ( IF NOT EXISTS )? sourceName ( WITH tableProperties )? AS query
  | CREATE ( OR REPLACE )? SOURCE? TABLE ( IF NOT EXISTS )? sourceName tableElements? ( WITH tableProperties )?
  | CREATE ( OR REPLACE )? TABLE ( IF NOT EXISTS )? sourceName ( WITH tableProperties )? AS query
  | CREATE {SINK SOURCE} CONNECTOR ( IF NOT EXISTS )? identifier WITH tableProperties
  | INSERT INTO sourceName ( WITH tableProperties )? query
  | INSERT INTO sourceName columns? VALUES values
  | DROP STREAM ( IF EXISTS )? sourceName ( DELETE TOPIC )?
  | DROP TABLE ( IF EXISTS )? sourceName ( DELETE TOPIC )?
  | DROP CONNECTOR ( IF EXISTS )? identifier
  | EXPLAIN ( statement | identifier )
  | CREATE TYPE ( IF NOT EXISTS )? identifier AS type
  | DROP TYPE ( IF EXISTS )? identifier
  | ALTER {STREAM TABLE} sourceName alterOption ( ',' alterOption )*
  | ASSERT ( NOT EXISTS )? TOPIC resourceName ( WITH tableProperties )? timeout?
  | ASSERT ( NOT EXISTS )? SCHEMA ( SUBJECT resourceName )? ( ID literal )? timeout?

assertStatement: ASSERT VALUES sourceName columns? VALUES values
  | ASSERT NULL VALUES sourceName columns? KEY values
  | ASSERT STREAM sourceName tableElements? ( WITH tableProperties )?
  | ASSERT TABLE sourceName tableElements? ( WITH tableProperties )?
runScript: RUN SCRIPT TEXT
resourceName: identifier | TEXT

query: SELECT selectItem ( ',' selectItem )* FROM relation ( WINDOW windowExpression )? ( WHERE booleanExpression )?
  ( GROUP BY groupBy )? ( PARTITION BY partitionBy )? ( HAVING booleanExpression )? ( EMIT {CHANGES FINAL} )?
  limitClause?
timeout: TIMEOUT number windowUnit
alterOption: ADD COLUMN? identifier type
tableElements: '(' tableElement ( ',' tableElement )* ')'
tableElement: identifier type columnConstraints?
columnConstraints: ( PRIMARY? KEY ) | HEADERS | HEADER '(' TEXT ')'
tableProperties: '(' tableProperty ( ',' tableProperty )* ')'
tableProperty: ( identifier | TEXT ) '=' literal
printClause: ( FROM BEGINNING )? intervalClause? limitClause?
intervalClause: {INTERVAL SAMPLE} number
limitClause: LIMIT number
retentionClause: RETENTION number windowUnit
gracePeriodClause: GRACE PERIOD number windowUnit
windowExpression: IDENTIFIER? ( tumblingWindow | hoppingWindow | sessionWindow )
tumblingWindow: TUMBLING '(' SIZE number windowUnit ( ',' retentionClause )? ( ',' gracePeriodClause )? ')'
hoppingWindow: HOPPING '(' SIZE number windowUnit ',' ADVANCE BY number windowUnit ( ',' retentionClause )?
  ( ',' gracePeriodClause )? ')'
sessionWindow: SESSION '(' number windowUnit ( ',' retentionClause )? ( ',' gracePeriodClause )? ')'
windowUnit: {DAY HOUR MINUTE SECOND MILLISECOND DAYS HOURS MINUTES SECONDS MILLISECONDS}
groupBy: valueExpression ( ',' valueExpression )* | '(' ( valueExpression ( ',' valueExpression )* )? ')'
partitionBy: valueExpression ( ',' valueExpression )* | '(' ( valueExpression ( ',' valueExpression )* )? ')'
values: '(' ( valueExpression ( ',' valueExpression )* )? ')'
selectItem: expression ( AS? identifier )? | primaryExpression '->' '*' | identifier '.' '*' | '*'
relation: aliasedRelation joinedSource+ | aliasedRelation
joinedSource: joinType JOIN aliasedRelation joinWindow? joinCriteria
joinType: INNER? | FULL OUTER? | LEFT OUTER? | RIGHT OUTER?
joinWindow: WITHIN withinExpression
withinExpression: '(' joinWindowSize ',' joinWindowSize ')' gracePeriodClause? | joinWindowSize gracePeriodClause?
joinWindowSize: number windowUnit
joinCriteria: ON booleanExpression
aliasedRelation: relationPrimary ( AS? sourceName )?
columns: '(' identifier ( ',' identifier )* ')'
relationPrimary: sourceName

expression: booleanExpression
booleanExpression: predicated | NOT booleanExpression[3] | @2 AND booleanExpression[3] | @1 OR booleanExpression[2]
predicated: valueExpression predicate?
predicate: comparisonOperator valueExpression
  | NOT? BETWEEN valueExpression AND valueExpression
  | NOT? IN '(' expression ( ',' expression )* ')'
  | NOT? LIKE valueExpression ( ESCAPE TEXT )?
  | IS NOT? NULL
  | IS NOT? DISTINCT FROM valueExpression
valueExpression: primaryExpression | {'-' '+'} valueExpression[4] | @5 AT timeZoneSpecifier
  | @3 {'*' '/' '%'} valueExpression[4] | @2 {'+' '-'} valueExpression[3] | @1 '||' valueExpression[2]
primaryExpression: literal
  | identifier TEXT
  | CASE valueExpression whenClause+ ( ELSE expression )? END
  | CASE whenClause+ ( ELSE expression )? END
  | CAST '(' expression AS type ')'
  | ARRAY '[' ( expression ( ',' expression )* )? ']'
  | MAP '(' ( expression ':=' expression ( ',' expression ':=' expression )* )? ')'
  | STRUCT '(' ( identifier ':=' expression ( ',' identifier ':=' expression )* )? ')'
  | identifier '(' '*' ')'
  | identifier '(' ( functionArgument ( ',' functionArgument )* ( ',' lambdaFunction )* )? ')'
  | identifier
  | identifier '.' identifier
  | '(' expression ')'
  | @5 '[' valueExpression ']'
  | @2 '->' identifier
functionArgument: expression | windowUnit
timeZoneSpecifier: TIME ZONE TEXT
comparisonOperator: {'=' '<>' '<' '<=' '>' '>='}
booleanValue: {TRUE FALSE}
type: ARRAY '<' type '>'
  | MAP '<' type ',' type '>'
  | STRUCT '<' ( identifier type ( ',' identifier type )* )? '>'
  | DECIMAL '(' number ',' number ')'
  | identifier ( '(' typeParameter ( ',' typeParameter )* ')' )?
  | @6 ARRAY
typeParameter: {INTEGER_VALUE STRING}
whenClause: WHEN expression THEN expression
identifier: VARIABLE | IDENTIFIER | QUOTED_IDENTIFIER | nonReserved | BACKQUOTED_IDENTIFIER | DIGIT_IDENTIFIER
lambdaFunction: identifier '=>' expression | '(' identifier ( ',' identifier )* ')' '=>' expression
variableName: IDENTIFIER
variableValue: TEXT
sourceName: identifier
number: '-'? DECIMAL_VALUE | '-'? FLOATING_POINT_VALUE | '-'? INTEGER_VALUE
literal: NULL | number | booleanValue | TEXT | VARIABLE
"""

_WORD = re.compile(r"\s*('[^']*'|<EOF>|@\d|\[\d\]|\w+|[{}()|?*+:])")


@dataclass(slots=True)
class State:
    """A state of the network. ``kind`` says how an error at it is reported:

    block, plusBlock, star (a loop's entry), starBack and plusBack (after one turn of a loop), stop, or plain.
    Exactly one of ``token``, ``call`` and ``targets`` leads on.
    """

    rule: str
    kind: str = "plain"
    targets: list[int] = field(default_factory=list)
    token: frozenset[str] | None = None
    call: str | None = None
    precedence: int = 0  # the callee's, or what ``gate`` needs
    gate: bool = False  # passed only where the rule was called with no more than ``precedence``


class Network:
    """The states of all rules."""

    def __init__(self) -> None:
        self.states: list[State] = []
        self.start: dict[str, int] = {}
        self.stop: dict[str, int] = {}
        self.follow: dict[str, list[int]] = {}  # for each rule, where its callers go on

    def add(self, rule: str, kind: str = "plain") -> int:
        self.states.append(State(rule, kind))
        return len(self.states) - 1

    def link(self, source: int, *targets: int) -> None:
        self.states[source].targets.extend(targets)


class _Builder:
    """Reads the grammar text and makes states of it."""

    def __init__(self) -> None:
        self.network = Network()
        self.rule = ""
        self.words: list[str] = []
        self.at = 0

    def build(self, text: str) -> Network:
        rules = re.split(r"\n(?=\w+:)", text.strip())
        bodies = {body.split(":", 1)[0]: body.split(":", 1)[1] for body in rules}
        bodies["nonReserved"] = "{" + " ".join(sorted(NON_RESERVED)) + "}"
        for name in bodies:
            self.network.start[name] = self.network.add(name)
            self.network.stop[name] = self.network.add(name, "stop")
            self.network.follow[name] = []
        for name, body in bodies.items():
            self.rule, self.words, self.at = name, _WORD.findall(body), 0
            first, last = self.rule_body()
            self.network.link(self.network.start[name], first)
            self.network.link(last, self.network.stop[name])
        return self.network

    def peek(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self) -> str:
        self.at += 1
        return self.words[self.at - 1]

    def state(self, kind: str = "plain") -> int:
        return self.network.add(self.rule, kind)

    def rule_body(self) -> tuple[int, int]:
        """The alternatives of a rule; operators of a left-recursive one become a loop after the others."""
        plain, operators = self.alternatives()
        first, last = self.block(plain)
        if operators:
            body = self.block(operators)
            first_of_loop, last_of_loop = self.loop(body)
            self.network.link(last, first_of_loop)
            last = last_of_loop
        return first, last

    def alternatives(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        plain: list[tuple[int, int]] = []
        operators: list[tuple[int, int]] = []
        while True:
            operator = self.peek().startswith("@")
            (operators if operator else plain).append(self.sequence())
            if self.peek() != "|":
                return plain, operators
            self.take()

    def sequence(self) -> tuple[int, int]:
        first = last = self.state()
        while self.peek() not in ("", "|", ")"):
            begin, end = self.suffixed()
            self.network.link(last, begin)
            last = end
        return first, last

    def suffixed(self) -> tuple[int, int]:
        begin, end = self.element()
        mark = self.peek()
        if mark == "?":
            self.take()
            return self.block([(begin, end), self.empty()])
        if mark == "*":
            self.take()
            return self.loop((begin, end))
        if mark == "+":
            self.take()
            return self.plus((begin, end))
        return begin, end

    def empty(self) -> tuple[int, int]:
        only = self.state()
        return only, only

    def element(self) -> tuple[int, int]:
        word = self.take()
        if word == "(":
            plain, _ = self.alternatives()
            self.take()
            return self.block(plain)
        begin, end = self.state(), self.state()
        state = self.network.states[begin]
        if word == "{":
            kinds = set()
            while self.peek() != "}":
                kinds.add(self.take().strip("'"))
            self.take()
            state.token = frozenset(kinds)
        elif word.startswith("@"):
            state.gate, state.precedence = True, int(word[1:])
        elif word[0].islower():
            state.call = word
            self.network.follow[word].append(end)
            if self.peek().startswith("["):
                state.precedence = int(self.take()[1])
        else:
            state.token = frozenset({word.strip("'")})
        state.targets.append(end)
        return begin, end

    def block(self, alternatives: list[tuple[int, int]]) -> tuple[int, int]:
        if len(alternatives) == 1:
            return alternatives[0]
        start, end = self.state("block"), self.state()
        for first, last in alternatives:
            self.network.link(start, first)
            self.network.link(last, end)
        return start, end

    def loop(self, body: tuple[int, int]) -> tuple[int, int]:
        entry, back, end = self.state("star"), self.state("starBack"), self.state()
        self.network.link(entry, body[0], end)
        self.network.link(body[1], back)
        self.network.link(back, entry)
        return entry, end

    def plus(self, body: tuple[int, int]) -> tuple[int, int]:
        start, back, end = self.state("plusBlock"), self.state("plusBack"), self.state()
        self.network.link(start, body[0])
        self.network.link(body[1], back)
        self.network.link(back, start, end)
        return start, end


@lru_cache(1)
def network() -> Network:
    """The network of the whole grammar."""
    assert TEXT in GRAMMAR
    assert EOF in GRAMMAR
    return _Builder().build(GRAMMAR)
