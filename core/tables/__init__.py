"""The tables, one module per subject; migrations spell out their own and are compared with these."""

from core.tables.accounts import Audit, DeviceKey, Login, Operator
from core.tables.base import Base
from core.tables.jobs import JobRun
from core.tables.money import Bill, Tariff, TariffVersion
from core.tables.places import Area, City, Context, Lot, LotArea, LotCount, Space, SpaceArea
from core.tables.plates import PlateEvidence, PlateRow
from core.tables.readings import ReadingRow, RefusalRow, SpaceState, UplinkFrame
from core.tables.sensors import Assignment, Sensor
from core.tables.sessions import ParkingSession

__all__ = [
    "Area",
    "Assignment",
    "Audit",
    "Base",
    "Bill",
    "City",
    "Context",
    "DeviceKey",
    "JobRun",
    "Login",
    "Lot",
    "LotArea",
    "LotCount",
    "Operator",
    "ParkingSession",
    "PlateEvidence",
    "PlateRow",
    "ReadingRow",
    "RefusalRow",
    "Sensor",
    "Space",
    "SpaceArea",
    "SpaceState",
    "Tariff",
    "TariffVersion",
    "UplinkFrame",
]
