"""The features in the order in which they are asked. To add one: a file here, its class in ``FEATURES``, its test."""

from __future__ import annotations

from core.detection.features.base import NEEDED, Context, Feature, Insufficient, Outcome
from core.detection.features.block_list import BlockList
from core.detection.features.confirmed_rate import MerchantFraudRate, PayeeFraudRate
from core.detection.features.device_drain import DeviceDrain
from core.detection.features.dormancy import Dormancy
from core.detection.features.emptied_balance import EmptiedBalance
from core.detection.features.geo_velocity import GeoVelocity
from core.detection.features.new_device import NewDevice
from core.detection.features.new_payee import NewPayee
from core.detection.features.own_amount import OwnAmount
from core.detection.features.population_amount import PopulationAmount
from core.detection.features.similar_amounts import SimilarAmounts
from core.detection.features.unusual_run import UnusualRun

FEATURES: tuple[type[Feature], ...] = (
    BlockList,
    OwnAmount,
    PopulationAmount,
    UnusualRun,
    MerchantFraudRate,
    PayeeFraudRate,
    NewDevice,
    DeviceDrain,
    NewPayee,
    SimilarAmounts,
    GeoVelocity,
    Dormancy,
    EmptiedBalance,
)

# What the account's own behaviour says, and neither lists nor rules.
OWN = frozenset(feature.id for feature in FEATURES if feature.State.__struct_fields__) | {
    PopulationAmount.id,
    EmptiedBalance.id,
}

__all__ = ["FEATURES", "NEEDED", "OWN", "Context", "Feature", "Insufficient", "Outcome"]
