"""Distances on earth."""

from __future__ import annotations

import math

from ksqldb.engine.errors import FunctionError
from ksqldb.engine.functions.registry import scalar

_MILES = ("mi", "mile", "miles")
_KILOMETRES = ("km", "kilometer", "kilometers", "kilometre", "kilometres")
_RADIUS = dict.fromkeys(_KILOMETRES, 6371.0) | dict.fromkeys(_MILES, 3959.0)

GEO_DISTANCE = scalar(
    "geo_distance",
    "OTHER",
    "Compute the distance between two points on the surface of the earth, according to the Haversine formula for "
    '"great circle distance".',
)


@GEO_DISTANCE.overload("DOUBLE lat1, DOUBLE lon1, DOUBLE lat2, DOUBLE lon2, VARCHAR units", "DOUBLE", null=True)
def geo_distance_in(
    lat1: float | None, lon1: float | None, lat2: float | None, lon2: float | None, units: str | None
) -> float | None:
    """The 2 input points should be specified as (lat, lon) pairs, measured in decimal degrees. An optional fifth
    parameter allows to specify either "MI" (miles) or "KM" (kilometers) as the desired unit for the output measurement.
    Default is KM.

    lat1: The latitude of the first point in decimal degrees.
    lon1: The longitude of the first point in decimal degrees.
    lat2: The latitude of the second point in decimal degrees.
    lon2: The longitude of the second point in decimal degrees.
    units: The units for the return value. Either MILES or KM.
    """
    if lat1 is None or lon1 is None or lat2 is None or lon2 is None:
        return None
    for kind, values, bound in (("latitude", (lat1, lat2), 90), ("longitude", (lon1, lon2), 180)):
        if any(abs(value) > bound for value in values):
            raise FunctionError(
                f"valid {kind} values for GeoDistance function are in the range of -{bound} to {bound} decimal degrees"
            )
    unit = (units or "").strip().lower() or "km"
    if unit not in _RADIUS:
        raise FunctionError(
            f"GeoDistance function units parameter must be one of {', '.join(_RADIUS)}. Values are case-insensitive."
        )
    north = math.sin(math.radians(lat2 - lat1) / 2) ** 2
    east = math.sin(math.radians(lon2 - lon1) / 2) ** 2
    chord = north + east * math.cos(math.radians(lat1)) * math.cos(math.radians(lat2))
    return 2 * math.asin(math.sqrt(min(chord, 1.0))) * _RADIUS[unit]


@GEO_DISTANCE.overload("DOUBLE lat1, DOUBLE lon1, DOUBLE lat2, DOUBLE lon2", "DOUBLE")
def geo_distance(lat1: float, lon1: float, lat2: float, lon2: float) -> float | None:
    """The 2 input points should be specified as (lat, lon) pairs, measured in decimal degrees. The distance returned is
    in kilometers.

    lat1: The latitude of the first point in decimal degrees.
    lon1: The longitude of the first point in decimal degrees.
    lat2: The latitude of the second point in decimal degrees.
    lon2: The longitude of the second point in decimal degrees.
    """
    return geo_distance_in(lat1, lon1, lat2, lon2, "km")
