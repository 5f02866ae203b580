"""New payees paid from a device that is new to the account: a telephone taken over empties it in pieces.

Source: BCB's limits for unregistered devices (R$ 200 a Pix, R$ 1,000 a day), which this crime works under. Three payees
that the account has never paid before, within 24 hours of the device's first payment; an honest new telephone pays the
people that the old one paid.
"""

from __future__ import annotations

from typing import ClassVar
from zlib import crc32

import msgspec

from core.detection.features.base import Context, Outcome
from core.detection.payment import Payment
from schema.events import Signal

DAY_MS = 86_400_000
MIN_PAYMENTS = 5
PAYEES = 3
KEPT = 8
KEPT_PAYEES = 32
POINTS = 450


class History(msgspec.Struct, array_like=True, gc=False):
    """Checksums of the devices used, of the payees paid from others (the last 32), and of those that the newest device
    was the first to pay, since its first event time."""

    devices: list[int] = msgspec.field(default_factory=list)
    payments: int = 0
    newest: int = -1
    since: int = -1
    payees: list[int] = msgspec.field(default_factory=list)
    known: list[int] = msgspec.field(default_factory=list)


class DeviceDrain:
    id: ClassVar[str] = "device_drain"
    State: ClassVar[type[msgspec.Struct]] = History
    needs: ClassVar[str | None] = "device_id"

    @staticmethod
    def assess(state: History, payment: Payment, context: Context) -> Outcome:
        if payment.device_id is None or payment.payee_id is None:
            return None
        if state.newest < 0 or crc32(payment.device_id.encode()) != state.newest:
            return None
        if not 0 <= payment.time - state.since <= DAY_MS:
            return None
        payee = crc32(payment.payee_id.encode())
        if payee in state.known:
            return None
        paid = {*state.payees, payee}
        if len(paid) < PAYEES:
            return None
        return Signal(
            id=DeviceDrain.id,
            points=POINTS,
            reason="new payees on the first day of a new device",
            value=float(len(paid)),
            threshold=float(PAYEES),
            transactions=(payment.transaction_id,),
        )

    @staticmethod
    def learn(state: History, payment: Payment, context: Context) -> None:
        if payment.device_id is None:
            return
        device = crc32(payment.device_id.encode())
        if device not in state.devices:
            state.devices = [*state.devices, device][-KEPT:]
            if state.payments >= MIN_PAYMENTS:
                # What the device before was the first to pay is known by now.
                state.known = [*state.known, *state.payees][-KEPT_PAYEES:]
                state.newest, state.since, state.payees = device, payment.time, []
        state.payments += 1
        if payment.payee_id is None:
            return
        payee = crc32(payment.payee_id.encode())
        if device != state.newest:
            if payee not in state.known:
                state.known.append(payee)
                if len(state.known) > KEPT_PAYEES:
                    del state.known[0]
        elif payee not in state.payees and payee not in state.known:
            state.payees = [*state.payees, payee][-KEPT:]
