"""The rules of ``ksqldb/rules``: read from files, brought to a server, looked after there."""

from ksqldb.rulebook._cases import CaseResult, run_cases
from ksqldb.rulebook._deploy import RuleState, Status, deploy, pause, resume, states, undeploy
from ksqldb.rulebook._files import Rule, Rulebook, RuleFileError, load, parse
from ksqldb.rulebook._offline import Sent, rows_of

__all__ = [
    "CaseResult",
    "Rule",
    "RuleFileError",
    "RuleState",
    "Rulebook",
    "Sent",
    "Status",
    "deploy",
    "load",
    "parse",
    "pause",
    "resume",
    "rows_of",
    "run_cases",
    "states",
    "undeploy",
]
