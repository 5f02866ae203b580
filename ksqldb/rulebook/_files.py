"""Rule files: a header of comments that says what a rule is, then its statements.

    -- id: high_amount
    -- title: Payment above R$ 3,000
    -- severity: warning
    -- score: 400
    -- threshold: 3000
    -- deploy: default
    -- catches: what it should catch, in a sentence; indented lines
    --   go on with the field above

The file's name is its id. The last statement is ``INSERT INTO fraud_alerts WITH (QUERY_ID = '${query_id}') SELECT``:
the query's id carries the rule's id and version, so a server's own list of queries says what is deployed. Whatever
else a rule makes is named after it (its id, or its id and ``_...``) and made IF NOT EXISTS.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from ksqldb.sqltext import split, without_comments

SEVERITIES = ("info", "warning", "critical")
DEPLOYMENTS = ("default", "optional")
SOURCES_FILE = "00_sources.sql"
_CASES = ".test.toml"
_ID = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_FIELD = re.compile(r"--\s?(id|title|severity|score|threshold|deploy|catches):\s*(.*)")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_CREATE = re.compile(r"CREATE\s+(STREAM|TABLE)\s+(IF\s+NOT\s+EXISTS\s+)?(\w+)", re.I)
_INSERT = re.compile(r"INSERT\s+INTO\s+fraud_alerts\s+WITH\s*\(\s*QUERY_ID\s*=\s*'\$\{query_id\}'\s*\)", re.I)


class RuleFileError(Exception):
    """A rule file that cannot be used; the message names file, line and what to do."""


@dataclass(frozen=True)
class Rule:
    """``score`` is the points (0-1000) a payment gets when the rule raises it. ``creates`` names its own streams and
    tables, upper case, in the order in which they are made. ``threshold`` is what a row's count (a windowed rule) or
    amount in reais goes beyond; a file may leave it out. ``deploy``: "default", or "optional" for a rule that runs only
    where an operator wants it."""

    id: str
    title: str
    severity: str
    score: int
    catches: str
    sql: str
    creates: tuple[str, ...]
    threshold: float | None = None
    deploy: str = "default"
    cases: str = ""  # the text of its test file, empty where it has none

    @cached_property
    def version(self) -> str:
        """Eight hexadecimal digits of the statements; comments and white space do not count."""
        return hashlib.sha256(without_comments(self.sql).encode()).hexdigest()[:8].upper()

    @property
    def windowed(self) -> bool:
        """Whether a row counts over a window; else it finds one payment."""
        return "WINDOW" in without_comments(self.sql).upper().split()

    @property
    def query_prefix(self) -> str:
        return f"RULE_{self.id.upper()}_"

    @property
    def query_id(self) -> str:
        return self.query_prefix + self.version

    def statements(self) -> list[str]:
        """What to send to a server, one statement each."""
        return [piece.text.replace("${query_id}", self.query_id) for piece in split(self.sql)]


@dataclass(frozen=True)
class Rulebook:
    """The source streams' statements and the rules, by id."""

    sources: tuple[str, ...]
    rules: dict[str, Rule]

    def defaults(self) -> list[Rule]:
        """The rules that are deployed unless an operator says otherwise."""
        return [rule for rule in self.rules.values() if rule.deploy == "default"]

    def rule(self, rule_id: str) -> Rule:
        try:
            return self.rules[rule_id]
        except KeyError:
            known = ", ".join(self.rules) or "none"
            raise RuleFileError(f"there is no rule {rule_id!r}; known rules: {known}") from None


def load(folder: Path | None = None) -> Rulebook:
    """The rules of a folder, or those of the product; raises RuleFileError."""
    root: Traversable = folder if folder is not None else files("ksqldb").joinpath("rules")
    try:
        found = sorted((f for f in root.iterdir() if f.name.endswith((".sql", _CASES))), key=lambda f: f.name)
        texts = {file.name: file.read_text(encoding="utf-8") for file in found}
    except OSError as problem:
        raise RuleFileError(f"the rules in {root} cannot be read: {problem.strerror or problem}") from None
    sources = tuple(piece.text for piece in split(texts.pop(SOURCES_FILE, "")))
    if not sources:
        raise RuleFileError(f"{root}: {SOURCES_FILE} is missing; it makes the streams that rules read and write")
    cases = {name.removesuffix(_CASES): texts.pop(name) for name in list(texts) if name.endswith(_CASES)}
    found_rules = (parse(name, text) for name, text in texts.items())
    rules = {rule.id: replace(rule, cases=cases.pop(rule.id, "")) for rule in found_rules}
    if cases:
        orphan = next(iter(cases))
        raise RuleFileError(f"{root}: {orphan}{_CASES} has no rule beside it; {orphan}.sql is missing")
    _keep_apart(rules)
    return Rulebook(sources, rules)


def _keep_apart(rules: Iterable[str]) -> None:
    """No rule's names may look like another's: what is a rule's own is known by its id."""
    for one in rules:
        for other in rules:
            if other.startswith(one + "_"):
                raise RuleFileError(f"{other}.sql: the id begins with that of rule {one!r}; choose another")


def parse(name: str, text: str) -> Rule:
    """The rule in a file's text; raises RuleFileError."""
    fields, body_line = _header(name, text)
    rule_id, severity, score = fields["id"], fields["severity"], fields["score"]
    if not _ID.fullmatch(rule_id) or name != f"{rule_id}.sql":
        raise RuleFileError(f"{name}: the id {rule_id!r} must be the file's name, in lower case, words joined by '_'")
    if severity not in SEVERITIES:
        raise RuleFileError(f"{name}: severity {severity!r} is none of {', '.join(SEVERITIES)}")
    if not score.isdigit() or int(score) > 1000:
        raise RuleFileError(f"{name}: score {score!r} is not a whole number from 0 to 1000")
    threshold = fields.get("threshold")
    if threshold is not None and not _NUMBER.fullmatch(threshold):
        raise RuleFileError(f"{name}: threshold {threshold!r} is not a number like 3 or 0.25")
    deployment = fields.get("deploy", "default")
    if deployment not in DEPLOYMENTS:
        raise RuleFileError(f"{name}: deploy {deployment!r} is none of {', '.join(DEPLOYMENTS)}")
    body = "\n".join(text.splitlines()[body_line:])
    creates = _check_statements(name, rule_id, body, body_line)
    beyond = None if threshold is None else float(threshold)
    return Rule(rule_id, fields["title"], severity, int(score), fields["catches"], body, creates, beyond, deployment)


def _header(name: str, text: str) -> tuple[dict[str, str], int]:
    """The header's fields and how many lines it has."""
    fields: dict[str, str] = {}
    last = ""
    count = 0
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        count += 1
        if found := _FIELD.fullmatch(line):
            last = found[1]
            fields[last] = found[2].strip()
        elif last and line.startswith("--  "):
            fields[last] += " " + line[2:].strip()
        else:
            raise RuleFileError(f"{name}, line {count}: not a header field; expected '-- title: ...' or the like")
    missing = [field for field in ("id", "title", "severity", "score", "catches") if not fields.get(field)]
    if missing:
        raise RuleFileError(
            f"{name}: the header lacks {', '.join(missing)}; expected '-- {missing[0]}: ...' at the top"
        )
    return fields, count


def _check_statements(name: str, rule_id: str, body: str, offset: int) -> tuple[str, ...]:
    creates: list[str] = []
    pieces = split(body)
    for index, piece in enumerate(pieces):
        place = f"{name}, line {piece.line + offset}"
        sql = without_comments(piece.text)
        if not piece.complete:
            raise RuleFileError(f"{place}: the statement does not end with ';'")
        if _INSERT.match(sql):
            if index != len(pieces) - 1:
                raise RuleFileError(f"{place}: INSERT INTO fraud_alerts must be the last statement, and the only one")
            return tuple(creates)
        created = _CREATE.match(sql)
        if not created:
            raise RuleFileError(f"{place}: expected CREATE STREAM or CREATE TABLE, found {sql.split()[0]!r}")
        if not created[2]:
            raise RuleFileError(f"{place}: write CREATE {created[1].upper()} IF NOT EXISTS, so that deploying repeats")
        own = created[3].lower()
        if own != rule_id and not own.startswith(rule_id + "_"):
            raise RuleFileError(
                f"{place}: {created[3]} must be named {rule_id} or {rule_id}_..., so that it is found again"
            )
        creates.append(created[3].upper())
    raise RuleFileError(
        f"{name}: the last statement must be INSERT INTO fraud_alerts WITH (QUERY_ID = '${{query_id}}') ..."
    )
