"""What was ever written stays readable: payloads of every version are kept in ``tests/data`` for ever.

A new version of an event adds a line; no line is changed or taken away.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from schema import events
from schema.events import Event

KEPT = [
    msgspec.json.decode(line)
    for line in (Path(__file__).parents[2] / "data" / "events.jsonl").read_bytes().splitlines()
]


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: f"{kept['type']}-{kept['version']}")
def test_a_payload_of_any_version_is_read_whole(kept: dict[str, Any]) -> None:
    event = events.decode(kept["type"], kept["version"], msgspec.json.encode(kept["data"]))
    name, newest, data = events.encode(event)
    assert (name, events.decode(name, newest, data)) == (kept["type"], event)
    if kept["version"] == newest:
        assert msgspec.json.decode(data) == kept["data"], "a field is no longer read"


def test_every_version_has_a_payload_that_is_kept() -> None:
    kept = {(one["type"], one["version"]) for one in KEPT}
    ours = {name: it for name, it in events.REGISTRY.items() if it[1].__module__ == "schema.events"}
    written = {(name, version) for name, (newest, _) in ours.items() for version in range(1, newest + 1)}
    assert written - kept == set(), "add a line of it to tests/data/events.jsonl"
    assert {name for name, _ in kept} <= set(ours), "an event type was taken away that logs may hold"


def test_steps_lead_from_any_version_to_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    for registry in ("REGISTRY", "UPCASTERS", "_DECODERS"):
        monkeypatch.setattr(events, registry, dict(getattr(events, registry)))

    class Moved(Event, frozen=True, kw_only=True):
        account_id: str
        centavos: int

    events.event(version=3)(Moved)
    events.upcaster("Moved", 1)(lambda old: {"account_id": old["account"], "reais": old["reais"]})
    events.upcaster("Moved", 2)(lambda old: {"account_id": old["account_id"], "centavos": round(old["reais"] * 100)})
    newest = Moved(account_id="a", centavos=1_250)
    assert events.decode("Moved", 1, b'{"account":"a","reais":12.5}') == newest
    assert events.decode("Moved", 2, b'{"account_id":"a","reais":12.5}') == newest
    assert events.decode("Moved", 3, b'{"account_id":"a","centavos":1250}') == newest
    with pytest.raises(events.UnknownEvent, match="Moved version 4 is newer than the 3"):
        events.decode("Moved", 4, b"{}")
    with pytest.raises(events.UnknownEvent, match="not known"):
        events.decode("Nonsense", 1, b"{}")
