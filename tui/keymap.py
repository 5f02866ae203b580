"""Every key of the control center, once: bindings, footer, help, palette and the key reference come from here.

An action belongs to a scope (``app``, a pane or a screen). A user's keymap names actions by ``scope.id``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Action:
    """``keys`` as Textual names them; ``call`` is the action string; ``footer`` ranks it in the key line (0 = not)."""

    scope: str
    id: str
    keys: tuple[str, ...]
    call: str
    label: str
    help: str
    footer: int = 0
    priority: bool = False

    @property
    def name(self) -> str:
        return f"{self.scope}.{self.id}"


_SHOWN = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "escape": "esc",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "semicolon": ";",
    "apostrophe": "'",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "at": "@",
    "ampersand": "&",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "shift+tab": "S-tab",
}


def shown(key: str) -> str:
    """A key as people read it: ``ctrl+r``, ``?``, ``X``."""
    return _SHOWN.get(key, key)


_SCREENS = (
    (1, "overview", "Overview", "rates, health and the live alert feed"),
    (2, "alerts", "Alerts", "all alerts, and the whole story of one"),
    (3, "ksqldb", "ksqlDB", "statements and live push queries"),
    (4, "scenarios", "Scenarios", "launch traffic and attacks, see what was caught"),
    (5, "accounts", "Accounts", "accounts by risk, what happened to one, blocks and lists"),
    (6, "rules", "Rules", "what each rule finds, how right it is, deploying and backtests"),
    (7, "kafka", "Kafka", "topics and messages, groups with their lag, dead letters"),
    (8, "eventlog", "Log", "the event log, projections and seals"),
    (9, "health", "Health", "services, workers, logs, stalls and crash reports"),
)
SCREENS = tuple(name for _, name, _, _ in _SCREENS)
"""Names of the screens, in the order of their number keys."""
NUMBERS = {name: number for number, name, _, _ in _SCREENS}
TITLES = {name: title for _, name, title, _ in _SCREENS}
SHORT_TITLES = TITLES | {"overview": "Home", "scenarios": "Scenes", "accounts": "Accts"}
"""For a second line that has no room for the titles."""


ACTIONS: tuple[Action, ...] = (
    *(
        Action("app", name, (str(number),), f"app.show('{name}')", title, f"{title}: {text}")
        for number, name, title, text in _SCREENS
    ),
    Action("app", "help", ("question_mark",), "app.help", "help", "every key of this screen", footer=90),
    Action("app", "actions", ("x",), "app.actions", "actions", "what can be done with the selected thing"),
    Action("app", "launch", ("s",), "app.launch", "scenario", "launch a scenario, from anywhere", footer=50),
    Action("app", "command", ("colon",), "app.command", "command", "type a command: a screen, a scenario, quit …"),
    Action("app", "palette", ("ctrl+p",), "app.command_palette", "palette", "search every action by name"),
    Action(
        "app", "jump", ("apostrophe", "J"), "app.jump", "jump", "a letter on every pane and row: its key goes there"
    ),
    Action("app", "messages", ("m",), "app.messages", "messages", "what the control center said, with times"),
    Action(
        "app", "fullscreen", ("f",), "app.fullscreen", "full screen", "give the focused pane the whole screen, or back"
    ),
    Action("app", "back", ("escape", "q", "backspace"), "app.back", "back", "close, clear the filter, or go back"),
    Action("app", "quit", ("ctrl+q",), "app.quit", "quit", "leave; the hosted worker stops", priority=True),
    Action("app", "next_pane", ("tab",), "app.focus_next", "next pane", "move to the next pane"),
    Action("app", "previous_pane", ("shift+tab",), "app.focus_previous", "previous pane", "move to the pane before"),
    Action("list", "down", ("j", "down"), "move(1)", "down", "one row down"),
    Action("list", "up", ("k", "up"), "move(-1)", "up", "one row up"),
    Action("list", "half_down", ("ctrl+d", "pagedown"), "half(1)", "half page down", "half a page down"),
    Action("list", "half_up", ("ctrl+u", "pageup"), "half(-1)", "half page up", "half a page up"),
    Action("list", "top", ("g", "home"), "top", "top", "the first row"),
    Action("list", "bottom", ("G", "end"), "bottom", "bottom", "the last row; a feed follows again"),
    Action("list", "copy", ("y",), "copy", "copy", "copy the row to the clipboard (OSC 52) and to a file"),
    Action("feed", "open", ("enter",), "open", "open", "open the selected row", footer=10),
    Action("feed", "pause", ("space",), "pause", "pause", "pause or follow", footer=20),
    Action(
        "feed", "filter", ("slash",), "screen.filter", "filter", "show only rows with this text, while live", footer=30
    ),
    Action("feed", "next_match", ("n",), "match(1)", "next match", "the next row with the filter's text"),
    Action("feed", "previous_match", ("N",), "match(-1)", "match before", "the match before"),
    Action("feed", "export", ("e",), "export", "export", "write the rows to a CSV file"),
    Action(
        "alerts", "next", ("o",), "open_undecided", "next case", "the most urgent case nobody has decided", footer=12
    ),
    Action("alerts", "queue", ("c",), "queue", "case queue", "undecided cases, the most urgent first", footer=13),
    Action("case", "claim", ("c",), "case('claim')", "claim", "take the case", footer=11),
    Action("case", "confirm", ("x",), "case('confirm')", "fraud", "confirm fraud", footer=12),
    Action("case", "dismiss", ("d",), "case('dismiss')", "dismiss", "not fraud, with a reason", footer=13),
    Action(
        "case", "escalate", ("e",), "case('escalate')", "escalate", "hand it to somebody else, with a reason", footer=14
    ),
    Action("case", "reopen", ("u", "o"), "case('reopen')", "undo", "undo the last decision: the case is open again"),
    Action("case", "note", ("w",), "case('note')", "note", "write a note into the case"),
    Action(
        "case", "snooze", ("z",), "snooze", "snooze", "no alerts of this rule for this account for an hour", footer=19
    ),
    Action("case", "wake", ("Z",), "wake", "wake", "end the snooze"),
    Action("case", "block", ("B",), "list('block')", "block", "refuse every payment of the account", footer=15),
    Action("case", "unblock", ("U",), "list('unblock')", "unblock", "let the account pay again"),
    Action("case", "approve", ("Y",), "list('approve')", "approve", "approve the block that another has proposed"),
    Action("case", "refuse", ("R",), "list('refuse')", "refuse", "turn the proposed block down, with a reason"),
    Action("case", "next", ("n",), "next_case", "next", "the next open case", footer=16),
    Action("case", "payments", ("p",), "payments", "payments", "its payments, with topic, offset and log", footer=17),
    Action("case", "event", ("l",), "event", "log", "its event in the log, with the chain", footer=20),
    Action("case", "account", ("a",), "account", "account", "the timeline of the account", footer=18),
    Action("case", "rule", ("r",), "rule", "rule", "the rule that raised it: its SQL, how right it is"),
    Action("payments", "topic", ("t",), "topic", "in Kafka", "its topic, read from this payment on", footer=11),
    Action("inbox", "act", ("x",), "act", "actions", "claim, confirm, dismiss … the selected alert", footer=11),
    Action("editor", "run", ("ctrl+r",), "screen.run", "run", "run the statements", footer=10),
    Action("editor", "stop", ("ctrl+c",), "screen.stop", "stop", "end the running query", footer=20),
    Action("editor", "reset", ("ctrl+o",), "screen.offset", "from", "read from earliest or latest", footer=30),
    Action("editor", "older", ("ctrl+up",), "screen.recall(-1)", "older", "the statement before, from the history"),
    Action("editor", "newer", ("ctrl+down",), "screen.recall(1)", "newer", "the statement after, from the history"),
    Action("editor", "clear", ("ctrl+l",), "screen.clear", "clear", "empty the editor"),
    Action(
        "editor", "complete", ("tab",), "screen.complete", "complete", "complete the begun word; again: the next one"
    ),
    Action("editor", "explain", ("ctrl+g",), "screen.explain", "explain", "EXPLAIN the statement"),
    Action("editor", "new_tab", ("ctrl+t",), "screen.new_tab", "new tab", "another query beside this one", footer=35),
    Action("editor", "next_tab", ("ctrl+n",), "screen.next_tab", "next tab", "the next query", footer=36),
    Action("editor", "save", ("ctrl+s",), "screen.save", "save", "save the statements to a file"),
    Action("editor", "open", ("ctrl+f",), "screen.open_file", "open file", "statements from a file, in a tab"),
    Action("grid", "export_json", ("E",), "export_json", "JSON lines", "write the rows as JSON lines"),
    Action("grid", "close_tab", ("X",), "screen.close_tab", "close tab", "end the query and close its tab"),
    Action(
        "text", "leave", ("escape",), "app.focus_next", "leave", "leave the text; single keys work again", footer=40
    ),
    Action("objects", "columns", ("enter",), "columns", "columns", "columns of a stream or table, or none", footer=10),
    Action("objects", "describe", ("D",), "describe", "describe", "DESCRIBE the object; EXPLAIN a query", footer=11),
    Action("objects", "select", ("S",), "select", "select", "a push query over it, in the editor", footer=12),
    Action("objects", "terminate", ("X",), "terminate", "terminate", "end the running query, after asking", footer=13),
    Action(
        "catalogue", "parameters", ("enter",), "parameters", "parameters", "set its parameters, then launch", footer=10
    ),
    Action("catalogue", "start", ("l",), "start", "launch", "launch it with its own parameters", footer=11),
    Action(
        "catalogue", "start_all", ("L",), "start_all", "all", "launch the marked scenarios, or every one", footer=12
    ),
    Action("runs", "start", ("l",), "start", "again", "launch it again: the same seed and parameters", footer=11),
    Action("scenarios", "mark", ("space",), "mark", "mark", "mark it: to launch together, or to compare", footer=14),
    Action("scenarios", "stop_run", ("K",), "stop_run", "stop", "stop its newest unfinished run", footer=13),
    Action(
        "scenarios", "history", ("h",), "history", "history", "the runs of this scenario alone, or of all", footer=17
    ),
    Action(
        "scenarios",
        "compare",
        ("c",),
        "compare",
        "compare",
        "marked runs side by side, or it and the one before",
        footer=18,
    ),
    Action("traffic", "more", ("plus", "equals_sign"), "traffic(1)", "more", "more normal traffic", footer=15),
    Action("traffic", "less", ("minus",), "traffic(-1)", "less", "less normal traffic", footer=16),
    Action("traffic", "none", ("0",), "traffic(0)", "none", "no normal traffic"),
    Action("risk", "order", ("o",), "order", "order", "sort by risk, frauds, score, amount or newest", footer=14),
    Action("risk", "find", ("a",), "find", "find", "accounts whose names begin so", footer=15),
    Action("accounts", "block", ("B",), "list('block')", "block", "refuse every payment of the account", footer=12),
    Action("accounts", "unblock", ("U",), "list('unblock')", "unblock", "let the account pay again", footer=13),
    Action("accounts", "approve", ("Y",), "list('approve')", "approve", "approve the block that another has proposed"),
    Action("accounts", "refuse", ("R",), "list('refuse')", "refuse", "turn the proposed block down, with a reason"),
    Action("lists", "add", ("B",), "add('block')", "block", "block an account, merchant, payee or device", footer=12),
    Action("lists", "allow", ("A",), "add('allow')", "allow", "put one on the allow list", footer=13),
    Action("lists", "lift", ("U",), "lift", "lift", "take the selected entry off its list", footer=11),
    Action("lists", "approve", ("Y",), "settle('approve')", "approve", "approve the proposed block", footer=14),
    Action("lists", "refuse", ("R",), "settle('refuse')", "refuse", "turn the proposed block down", footer=15),
    Action(
        "account",
        "earlier",
        ("left_square_bracket",),
        "slide(-1)",
        "earlier",
        "the account as it stood before",
        footer=11,
    ),
    Action(
        "account", "later", ("right_square_bracket",), "slide(1)", "later", "the account as it stood after", footer=12
    ),
    Action("account", "time", ("t",), "time", "at", "the account as it stood at a time", footer=13),
    Action("account", "block", ("B",), "list('block')", "block", "refuse every payment of the account", footer=14),
    Action("account", "unblock", ("U",), "list('unblock')", "unblock", "let the account pay again", footer=15),
    Action("account", "approve", ("Y",), "list('approve')", "approve", "approve the block that another has proposed"),
    Action("account", "refuse", ("R",), "list('refuse')", "refuse", "turn the proposed block down, with a reason"),
    Action(
        "rules", "backtest", ("b",), "backtest", "backtest", "run it over past payments: score and flips", footer=11
    ),
    Action("rules", "deploy", ("D",), "switch('deploy')", "deploy", "have the server run it, after asking", footer=12),
    Action("rules", "pause", ("P",), "switch('pause')", "pause", "hold it, after asking", footer=13),
    Action("rules", "resume", ("R",), "switch('resume')", "resume", "let it go on, after asking", footer=14),
    Action("rules", "undeploy", ("X",), "switch('undeploy')", "undeploy", "take it off the server, after asking"),
    Action("overlap", "show", ("o",), "overlap", "overlap", "which rules name the same payments", footer=15),
    Action("topics", "facts", ("i",), "facts", "partitions", "partitions, offsets and settings of a topic", footer=11),
    Action("messages", "start", ("o",), "start", "read from", "read from an offset or a time", footer=11),
    Action("messages", "produce", ("P",), "produce", "produce", "send a message by hand, after asking", footer=12),
    Action("letters", "requeue", ("R",), "letter('requeue')", "requeue", "send it to its topic again", footer=11),
    Action("letters", "discard", ("D",), "letter('discard')", "discard", "close it for good, with a reason", footer=12),
    Action("eventlog", "streams", ("p",), "streams", "streams", "only streams whose names begin so", footer=11),
    Action("eventlog", "types", ("t",), "types", "types", "only events of these types", footer=12),
    Action("eventlog", "verify", ("V",), "verify", "verify", "recompute every seal of the log", footer=18),
    Action("projections", "prove", ("P",), "work('prove')", "prove", "compare it with a replay of the log", footer=13),
    Action("projections", "rebuild", ("R",), "work('rebuild')", "rebuild", "build it anew while it is read", footer=14),
    Action("projections", "retry", ("r",), "work('retry')", "retry", "take up the event it stopped at", footer=15),
    Action("projections", "skip", ("K",), "work('skip')", "skip", "pass over the event it stopped at", footer=16),
    Action("health", "restart", ("R",), "restart", "restart", "restart the worker process of the task", footer=11),
    Action("health", "more", ("plus", "equals_sign"), "scale(1)", "add worker", "host one more worker", footer=12),
    Action("health", "fewer", ("minus",), "scale(-1)", "end worker", "host one worker less", footer=13),
    Action("health", "log_file", ("v",), "log_file", "log file", "show another log file", footer=14),
    Action("health", "stalls", ("t",), "stalls", "stalls", "when the event loop was late, and why", footer=15),
    Action("health", "crashes", ("c",), "crashes", "crashes", "crash reports of the control center", footer=16),
    Action(
        "replay", "pause", ("semicolon",), "app.replay_pause", "pause", "stop the replay's clock, or go on", footer=5
    ),
    Action("replay", "slower", ("left_curly_bracket",), "app.replay_speed(-1)", "slower", "play it slower", footer=63),
    Action("replay", "faster", ("right_curly_bracket",), "app.replay_speed(1)", "faster", "play it faster", footer=64),
    Action("replay", "back", ("less_than_sign",), "app.replay_jump(-1)", "-10 s", "ten seconds back", footer=6),
    Action("replay", "ahead", ("greater_than_sign",), "app.replay_jump(1)", "+10 s", "ten seconds ahead", footer=7),
    Action("replay", "seek", ("at",), "app.replay_seek", "go to", "go to a time of the recording", footer=8),
    Action("replay", "follow", ("ampersand",), "app.replay_follow", "follow", "show the screens that were shown"),
    Action("boot", "retry", ("r",), "retry", "retry", "try what failed again", footer=10),
)

COMMON = ("app", "list", "feed", "text", "replay", "boot")
"""Scopes of what works everywhere, whatever is selected."""

_BY_NAME = {action.name: action for action in ACTIONS}


def bindings(*scopes: str) -> list[Binding]:
    """Textual bindings of the scopes; each carries its action's name, so a user's keymap can move it."""
    return [
        Binding(
            ",".join(action.keys),
            action.call,
            action.label,
            id=action.name,
            show=action.footer > 0,
            priority=action.priority,
        )
        for action in ACTIONS
        if action.scope in scopes
    ]


def find(name: str | None) -> Action | None:
    """The action of a binding's id."""
    return _BY_NAME.get(name or "")


def user_keymap(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """What of a user's keymap is known, and sentences about what is not or has one key for two actions."""
    known = {name: keys for name, keys in wanted.items() if name in _BY_NAME}
    problems = [f"keymap: there is no action {name!r}" for name in wanted if name not in _BY_NAME]
    taken: dict[tuple[str, str], str] = {}
    for action in ACTIONS:
        for key in known.get(action.name, ",".join(action.keys)).split(","):
            other = taken.setdefault((action.scope, key.strip()), action.name)
            if other != action.name:
                problems.append(f"keymap: {key.strip()} is both {other} and {action.name}; the first one has it")
    return known, problems


def reference() -> str:
    """The key reference as Markdown, for ``docs/control-center.md``."""
    lines: list[str] = []
    for scope in dict.fromkeys(action.scope for action in ACTIONS):
        lines += [f"### {SCOPES[scope]}", "", "| key | does | name |", "|---|---|---|"]
        for action in ACTIONS:
            if action.scope == scope:
                keys = " ".join(f"`{shown(key)}`" for key in action.keys)
                lines.append(f"| {keys} | {action.help} | `{action.name}` |")
        lines.append("")
    return "\n".join(lines)


SCOPES = {
    "app": "Everywhere",
    "list": "Lists",
    "feed": "Feeds",
    "alerts": "Alerts",
    "inbox": "An alert of a list",
    "case": "A case",
    "payments": "Payments of an alert",
    "editor": "ksqlDB editor",
    "text": "While writing",
    "grid": "Rows of a query",
    "objects": "ksqlDB objects",
    "catalogue": "A scenario",
    "runs": "A run of a scenario",
    "scenarios": "Scenarios and their runs",
    "traffic": "Normal traffic",
    "risk": "Accounts",
    "accounts": "An account of the table",
    "lists": "Block and allow lists",
    "account": "An account",
    "rules": "A rule",
    "overlap": "Rules",
    "topics": "Topics",
    "messages": "Messages of a topic",
    "letters": "Dead letters",
    "eventlog": "Event log",
    "projections": "Projections",
    "health": "Health",
    "replay": "Replay",
    "boot": "Start",
}
