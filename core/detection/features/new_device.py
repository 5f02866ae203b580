"""A device the account has never paid from, once the account has a history of devices.

Source: BCB's limits on unregistered devices (since 2024-11-01) and Tazama's ancestor rules. A new telephone is common
and honest, so alone it is a hint, not an alert.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from core.detection.features.base import Context, Insufficient, Outcome
from core.detection.payment import Payment
from schema.events import Signal

MIN_PAYMENTS = 5
KEPT = 8
POINTS = 150


class History(msgspec.Struct, array_like=True, gc=False):
    """Devices from the least to the most recently used, and the payments that named one."""

    devices: list[str] = msgspec.field(default_factory=list)
    payments: int = 0


class NewDevice:
    id: ClassVar[str] = "new_device"
    State: ClassVar[type[msgspec.Struct]] = History
    needs: ClassVar[str | None] = "device_id"

    @staticmethod
    def assess(state: History, payment: Payment, context: Context) -> Outcome:
        device = payment.device_id
        if device is None or device in state.devices:
            return None
        if state.payments < MIN_PAYMENTS:
            return Insufficient(NewDevice.id, state.payments, MIN_PAYMENTS)
        return Signal(
            id=NewDevice.id,
            points=POINTS,
            reason=f"device never seen in {state.payments} payments",
            transactions=(payment.transaction_id,),
        )

    @staticmethod
    def learn(state: History, payment: Payment, context: Context) -> None:
        device = payment.device_id
        if device is None:
            return
        devices = state.devices
        state.payments += 1
        if devices and devices[-1] == device:
            return
        if device in devices:
            devices.remove(device)
        devices.append(device)
        if len(devices) > KEPT:
            del devices[0]
