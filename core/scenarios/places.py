"""Brazilian cities: population by the 2022 census, coordinates of the centre in degrees."""

from __future__ import annotations

from typing import NamedTuple


class City(NamedTuple):
    name: str
    state: str
    inhabitants: int
    latitude: float
    longitude: float


CITIES = (
    City("São Paulo", "SP", 11_451_245, -23.5505, -46.6333),
    City("Rio de Janeiro", "RJ", 6_211_423, -22.9068, -43.1729),
    City("Brasília", "DF", 2_817_068, -15.7939, -47.8828),
    City("Fortaleza", "CE", 2_428_678, -3.7319, -38.5267),
    City("Salvador", "BA", 2_418_005, -12.9777, -38.5016),
    City("Belo Horizonte", "MG", 2_315_560, -19.9167, -43.9345),
    City("Manaus", "AM", 2_063_547, -3.1190, -60.0217),
    City("Curitiba", "PR", 1_773_733, -25.4284, -49.2733),
    City("Recife", "PE", 1_488_920, -8.0476, -34.8770),
    City("Goiânia", "GO", 1_437_237, -16.6869, -49.2648),
    City("Porto Alegre", "RS", 1_332_570, -30.0346, -51.2177),
    City("Belém", "PA", 1_303_389, -1.4558, -48.4902),
    City("Guarulhos", "SP", 1_291_784, -23.4628, -46.5333),
    City("Campinas", "SP", 1_138_309, -22.9099, -47.0626),
    City("São Luís", "MA", 1_037_775, -2.5307, -44.3068),
)
