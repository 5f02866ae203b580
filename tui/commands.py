"""What can be typed after ``:``. One table: the palette, the completion and the help of commands come from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui import keymap
from tui.terminal.sanitise import clean

if TYPE_CHECKING:
    from tui.app import ControlCenter
    from tui.ports import Story

Run = Callable[["ControlCenter", str], Awaitable[None]]
Options = Callable[["ControlCenter"], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """``argument`` names what follows, empty when nothing does; ``options`` are the arguments that are known."""

    name: str
    argument: str
    help: str
    run: Run
    options: Options = lambda center: ()

    def usage(self) -> str:
        return f"{self.name} {self.argument}".rstrip()


def _screen(name: str) -> Command:
    async def show(center: ControlCenter, _: str) -> None:
        await center.action_show(name)

    return Command(name, "", f"screen {keymap.NUMBERS[name]}", show)


async def _launch(center: ControlCenter, name: str) -> None:
    await center.launch(name)


async def _traffic(center: ControlCenter, rate: str) -> None:
    if rate.isdecimal():
        await center.set_traffic(int(rate))
    else:
        center.say(f"{rate!r} is no number of payments a second", "warn")


async def _theme(center: ControlCenter, name: str) -> None:
    if name in center.available_themes:
        center.theme = name
    else:
        center.say(f"there is no theme {name!r}; tab shows those there are", "warn")


async def _account(center: ControlCenter, account_id: str) -> None:
    from tui.screens.accounts.account import AccountScreen

    await center.push_screen(AccountScreen(account_id))


async def _alert(center: ControlCenter, alert_id: str) -> None:
    from tui.screens.alerts.detail import AlertScreen

    if (story := await _story(center, alert_id)) is not None:
        await center.push_screen(AlertScreen(story.alert, center.live.known_alerts))


async def _payments(center: ControlCenter, alert_id: str) -> None:
    from tui.screens.alerts.payments import PaymentsScreen

    if (story := await _story(center, alert_id)) is not None:
        await center.push_screen(PaymentsScreen(story.alert.alert_id, lambda: story))


async def _story(center: ControlCenter, alert_id: str) -> Story | None:
    from tui.ports import Unavailable

    try:
        story = await center.ports.alerts.story(alert_id)
    except Unavailable as error:
        center.say(str(error), "bad")
        return None
    if story is None:
        center.say(f"there is no alert {alert_id}", "warn")
    return story


async def _queue(center: ControlCenter, _: str) -> None:
    from tui.screens.alerts.waiting import QueueScreen

    await center.push_screen(QueueScreen(center.live.known_alerts))


async def _rule(center: ControlCenter, rule_id: str) -> None:
    from tui.screens.rules.screen import RuleScreen, RulesScreen

    await center.action_show("rules")
    table = center.screen
    if isinstance(table, RulesScreen):
        await center.push_screen(RuleScreen(rule_id, table))


async def _topic(center: ControlCenter, words: str) -> None:
    from tui.screens.kafka.rows import parse_start
    from tui.screens.kafka.topic import TopicScreen

    topic, _, place = words.partition(" ")
    start = parse_start(place, int(center.ports.now() * 1000))
    if start is None:
        center.say(f"{place!r} is no place to read from: beginning, OFFSET, PARTITION@OFFSET, 14:02", "warn")
    else:
        await center.push_screen(TopicScreen(topic, start))


async def _event(center: ControlCenter, position: str) -> None:
    from tui.ports import Unavailable
    from tui.screens.eventlog.event import EventScreen

    digits = position.replace(".", "")
    try:
        entry = await center.ports.eventlog.entry(int(digits)) if digits.isdecimal() else None
    except Unavailable as error:
        center.say(str(error), "bad")
        return
    if entry is None:
        center.say(f"the log has no position {position}", "warn")
    else:
        await center.push_screen(EventScreen(entry))


async def _help(center: ControlCenter, _: str) -> None:
    await center.action_help()


async def _messages(center: ControlCenter, _: str) -> None:
    await center.action_messages()


async def _quit(center: ControlCenter, _: str) -> None:
    await center.action_quit()


COMMANDS: tuple[Command, ...] = (
    *(_screen(name) for name in keymap.SCREENS),
    Command(
        "launch",
        "SCENARIO",
        "launch a scenario",
        _launch,
        lambda center: [info.name for info in center.ports.scenarios.catalogue()],
    ),
    Command("traffic", "RATE", "normal payments a second; 0 stops them", _traffic, lambda center: ["0", "200", "1000"]),
    Command("account", "ID", "what happened to an account", _account),
    Command("alert", "ID", "the whole story of an alert", _alert),
    Command("payments", "ALERT", "the payments that an alert names", _payments),
    Command("queue", "", "undecided cases, the most urgent first", _queue),
    Command("rule", "ID", "a rule: its SQL and how right it is", _rule),
    Command(
        "topic", "NAME [FROM]", "messages of a Kafka topic", _topic, lambda center: ["transactions", "fraud_alerts"]
    ),
    Command("event", "POSITION", "one event of the log, and its chain", _event),
    Command("theme", "NAME", "other colours", _theme, lambda center: sorted(center.available_themes)),
    Command("help", "", "every key of this screen", _help),
    Command("messages", "", "what the control center said", _messages),
    Command("quit", "", "leave", _quit),
)
_BY_NAME = {command.name: command for command in COMMANDS} | {"q": COMMANDS[-1]}


def lines(center: ControlCenter) -> list[str]:
    """Every whole line that completion and the palette know."""
    found: list[str] = []
    for command in COMMANDS:
        options = command.options(center) if command.argument else ()
        found += [f"{command.name} {option}" for option in options] if options else [command.name]
    return found


def wrong(line: str) -> str:
    """What is wrong with a line before it is run; empty when nothing is."""
    name, _, rest = line.strip().partition(" ")
    argument = rest.strip()
    command = _BY_NAME.get(name)
    if command is None:
        return f"there is no command {clean(name, 40)!r}; tab shows those there are" if name else ""
    if command.argument and not argument:
        return f":{command.usage()}  {command.help}"
    return f":{name} takes nothing behind it" if argument and not command.argument else ""


async def run(center: ControlCenter, line: str) -> None:
    """Run what was typed; say what is wrong with it."""
    name, _, rest = line.strip().partition(" ")
    if said := wrong(line):
        center.say(said, "warn")
    elif name:
        await _BY_NAME[name].run(center, rest.strip())
