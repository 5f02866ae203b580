"""Impossible travel: the speed from the last located payment to this one.

Source: Confluent's ATM-fraud demonstration (speed required between two places) and Tazama 074. An airliner makes
900 km/h; below 50 km the place is too coarse to tell. Distances are great-circle (haversine, radius 6,371 km).
"""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt
from typing import ClassVar

import msgspec

from core.detection.features.base import Context, Insufficient, Outcome
from core.detection.payment import Payment
from schema.events import Signal

MAX_KMH = 900.0
MIN_KM = 50.0
POINTS = 450
EARTH_KM = 6371.0
HOUR_MS = 3_600_000


class History(msgspec.Struct, array_like=True, gc=False):
    latitude: float = 0.0
    longitude: float = 0.0
    time: int = -1


def kilometres(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Great-circle distance of two points in degrees."""
    a, b = radians(lat1), radians(lat2)
    h = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(h)))


class GeoVelocity:
    id: ClassVar[str] = "geo_velocity"
    State: ClassVar[type[msgspec.Struct]] = History
    needs: ClassVar[str | None] = "latitude"

    @staticmethod
    def assess(state: History, payment: Payment, context: Context) -> Outcome:
        if payment.latitude is None or payment.longitude is None:
            return None
        if state.time < 0:
            return Insufficient(GeoVelocity.id, 0, 1)
        if state.latitude == payment.latitude and state.longitude == payment.longitude:
            return None
        distance = kilometres(state.latitude, state.longitude, payment.latitude, payment.longitude)
        if distance < MIN_KM:
            return None
        elapsed = abs(payment.time - state.time)
        if distance * HOUR_MS <= MAX_KMH * elapsed:
            return None
        return Signal(
            id=GeoVelocity.id,
            points=POINTS,
            reason=f"{distance:.0f} km in {elapsed // 1000} s",
            value=round(distance * HOUR_MS / elapsed, 1) if elapsed else None,
            threshold=MAX_KMH,
            transactions=(payment.transaction_id,),
        )

    @staticmethod
    def learn(state: History, payment: Payment, context: Context) -> None:
        if payment.latitude is None or payment.longitude is None or payment.time < state.time:
            return
        state.latitude, state.longitude, state.time = payment.latitude, payment.longitude, payment.time
