"""Runs the cases of rest-query-validation: statements, inputs, SELECTs, and the rows each must answer with."""

from __future__ import annotations

from typing import Any

from ksqldb.conformance import serde
from ksqldb.conformance.cases import Case
from ksqldb.conformance.compare import Mismatch
from ksqldb.conformance.protobuf import text_of
from ksqldb.conformance.queries import FUNCTIONS, HARNESS, check_outputs, make_topics, property_text, put_inputs
from ksqldb.engine import ast
from ksqldb.engine.entities.commands import command_id, current_status, success_message
from ksqldb.engine.errors import KsqlError, StatementError
from ksqldb.engine.parse import parse
from ksqldb.engine.plan.statements import Inserted, Warned
from ksqldb.engine.run.local import LocalEngine, Selected
from ksqldb.engine.server.errors import error_entity, status_of
from ksqldb.engine.server.rows import StreamedRowWriter

_TYPES = {"KsqlStatementErrorMessage": "statement_error", "KsqlErrorMessage": "generic_error"}


def run_case(case: Case) -> None:
    """Raises Mismatch (or an engine error that the case does not expect)."""
    expected = case.data.get("expectedError")
    if expected is None:
        _run(case)
        return
    try:
        _run(case)
    except KsqlError as error:
        _check_error(error, expected)
        return
    raise Mismatch(f"expected an error with {expected.get('message')!r}, but nothing failed")


def _check_error(error: KsqlError, expected: dict[str, Any]) -> None:
    message = expected.get("message", "")
    texts = [str(error)]
    if isinstance(error, StatementError):
        texts.append(f"{error}\nStatement: {error.statement}")
    if not any(message in text for text in texts):
        raise Mismatch(f"expected an error with {message!r}, got {str(error)!r}")
    if "status" in expected and int(expected["status"]) != status_of(error):
        raise Mismatch(f"expected status {expected['status']}, got {status_of(error)}: {error}")
    kind = _TYPES.get(str(expected.get("type", "")).rsplit(".", 1)[-1])
    if kind is not None and kind == "statement_error" != error_entity(error)["@type"]:
        raise Mismatch(f"expected a {kind}, got a {error_entity(error)['@type']}")


def _run(case: Case) -> None:
    properties = HARNESS | {"auto.offset.reset": "earliest", "ksql.query.push.v2.enabled": "true"}
    properties |= {name: property_text(value) for name, value in case.properties.items()}
    engine = LocalEngine(properties, functions=FUNCTIONS, spread=True)
    make_topics(case, engine)
    answers: list[tuple[str, Any]] = []
    selects: list[str] = []
    for sql in case.statements:
        (parsed,) = parse(sql)
        if isinstance(parsed.statement, ast.Query):
            selects.append(sql)
            continue
        entity = _execute(engine, parsed, sql)
        if entity is not None:
            answers.append(("admin", entity))
    put_inputs(case, engine)
    engine.run()
    selected = [engine.select(sql) for sql in selects]
    answers += [("query", _elements(one)) for one in selected]
    if case.data.get("testPullWithProtoFormat"):
        answers += [("queryProto", _messages(_elements(one, protobuf=True))) for one in selected]
    _check_responses(case, answers)
    if case.data.get("outputs"):
        check_outputs(case, engine)


def _execute(engine: LocalEngine, parsed: ast.ParsedStatement, sql: str) -> dict[str, Any] | None:
    (effect,) = engine.execute(sql)
    if isinstance(effect, Inserted):
        return None
    if isinstance(effect, Warned):
        return {"@type": "warning_entity", "message": effect.message}
    return current_status(sql, command_id(parsed.statement), success_message(effect), 0)


def _messages(elements: list[Any]) -> list[Any]:
    """Elements with each row's message as text."""
    schema = elements[0]["header"]["protoSchema"]
    return [{"row": text_of(schema, e["row"]["protobufBytes"])} if "row" in e else e for e in elements]


def _elements(selected: Selected, protobuf: bool = False) -> list[Any]:
    """The elements of the response, through the server's own writer."""
    writer = StreamedRowWriter(selected, protobuf)
    text = writer.head() + writer.rows(selected.rows) + writer.end(selected.limit_reached)
    found = serde.parse_json(text)
    assert isinstance(found, list)
    return found


def _check_responses(case: Case, answers: list[tuple[str, Any]]) -> None:
    if "responses" not in case.data:
        return
    expected = [next(iter(r.items())) for r in case.data.get("responses", ())]
    if len(expected) != len(answers):
        raise Mismatch(f"expected {len(expected)} responses, got {len(answers)}: {[k for k, _ in answers]}")
    ordered = bool((case.data.get("outputConditions") or {}).get("verifyOrder"))
    for index, ((kind, want), (got_kind, got)) in enumerate(zip(expected, answers, strict=True)):
        place = f"responses[{index}]"
        if kind != got_kind:
            raise Mismatch(f"{place}: expected {kind}, got {got_kind}")
        if kind == "admin":
            _subset(want, got, place)
        else:
            _check_rows(want, got, place, ordered)


def _check_rows(want: list[Any], got: list[Any], place: str, ordered: bool) -> None:
    if len(want) != len(got):
        raise Mismatch(f"{place}: expected {len(want)} elements, got {len(got)}: {got}")
    rest = list(got)
    for index, element in enumerate(want):
        if ordered or "row" not in element:
            _subset(element, rest[0] if ordered else _same_kind(element, rest, place), f"{place}[{index}]")
            rest.remove(rest[0] if ordered else _same_kind(element, rest, place))
            continue
        match = next((other for other in rest if _matches(element, other)), None)
        if match is None:
            raise Mismatch(f"{place}: no row like {element}; left are {rest}")
        rest.remove(match)


def _same_kind(element: dict[str, Any], rest: list[Any], place: str) -> Any:
    kind = next(iter(element))
    found = next((other for other in rest if kind in other), None)
    if found is None:
        raise Mismatch(f"{place}: there is no {kind} element")
    return found


def _matches(want: Any, got: Any) -> bool:
    try:
        _subset(want, got, "")
    except Mismatch:
        return False
    return True


def _subset(want: Any, got: Any, place: str) -> None:
    """Every part of ``want`` is in ``got``; lists have the same length."""
    if isinstance(want, dict):
        if not isinstance(got, dict):
            raise Mismatch(f"{place}: expected {want}, got {got}")
        for name, item in want.items():
            plain, _, how = name.partition("|")
            if plain not in got:
                raise Mismatch(f"{place}.{plain}: expected {item!r}, it is missing")
            if how == "starts_with":
                if not str(got[plain]).startswith(item):
                    raise Mismatch(f"{place}.{plain}: expected {item!r} first, got {got[plain]!r}")
            else:
                _subset(item, got[plain], f"{place}.{plain}")
    elif isinstance(want, list):
        if not isinstance(got, list) or len(want) != len(got):
            raise Mismatch(f"{place}: expected {want}, got {got}")
        for index, (one, other) in enumerate(zip(want, got, strict=True)):
            _subset(one, other, f"{place}[{index}]")
    elif not _equal(want, got):
        raise Mismatch(f"{place}: expected {want!r}, got {got!r}")


def _equal(want: Any, got: Any) -> bool:
    if isinstance(want, bool) or isinstance(got, bool) or want is None or got is None:
        return want is got
    return bool(want == got)
