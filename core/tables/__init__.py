"""The tables, one module per subject; migrations spell out their own and are compared with these."""

from core.tables.accounts import Audit, DeviceKey, Login, Operator
from core.tables.arrears import Arrear
from core.tables.base import Base
from core.tables.broker import BrokerAccount
from core.tables.calendar import CalendarDay, CalendarYear, FreeDecree
from core.tables.closing import DayClose, ProviderBillLine, ProviderBillRow
from core.tables.coupon_issuers import CouponIssuer
from core.tables.coupons import CouponRow
from core.tables.exempt import ExemptVehicle
from core.tables.holds import BillHold
from core.tables.jobs import JobRun
from core.tables.journal import JournalDigest, JournalEntry, JournalLine
from core.tables.kiosks import KioskEvent, KioskFind
from core.tables.money import Bill, Tariff, TariffVersion
from core.tables.pass_sales import PassOffer, PassOrder
from core.tables.passes import ParkingPass, PassPlate
from core.tables.past_rules import PastLotRules, PastSensorRhythm
from core.tables.payments import IdempotencyKey, Payment, ProviderMessage, Refund
from core.tables.places import Area, City, Context, Lot, LotArea, LotCount, Space, SpaceArea
from core.tables.plates import PlateEvidence, PlateRow
from core.tables.readings import ReadingRow, RefusalRow, SpaceState, UplinkFrame
from core.tables.receipts import ReceiptRow
from core.tables.retention import FoldBase, LateEvidence, RefoldFloor
from core.tables.rollups import LotQuarter, SpaceQuarter
from core.tables.sensors import Assignment, Reassignment, Sensor
from core.tables.sessions import ParkingSession
from core.tables.suspense import SuspenseDecision
from core.tables.vitals import SensorState, SensorTelemetry, SensorVerdict

__all__ = [
    "Area",
    "Arrear",
    "Assignment",
    "Audit",
    "Base",
    "Bill",
    "BillHold",
    "BrokerAccount",
    "CalendarDay",
    "CalendarYear",
    "City",
    "Context",
    "CouponIssuer",
    "CouponRow",
    "DayClose",
    "DeviceKey",
    "ExemptVehicle",
    "FoldBase",
    "FreeDecree",
    "IdempotencyKey",
    "JobRun",
    "JournalDigest",
    "JournalEntry",
    "JournalLine",
    "KioskEvent",
    "KioskFind",
    "LateEvidence",
    "Login",
    "Lot",
    "LotArea",
    "LotCount",
    "LotQuarter",
    "Operator",
    "ParkingPass",
    "ParkingSession",
    "PassOffer",
    "PassOrder",
    "PassPlate",
    "PastLotRules",
    "PastSensorRhythm",
    "Payment",
    "PlateEvidence",
    "PlateRow",
    "ProviderBillLine",
    "ProviderBillRow",
    "ProviderMessage",
    "ReadingRow",
    "Reassignment",
    "ReceiptRow",
    "RefoldFloor",
    "Refund",
    "RefusalRow",
    "Sensor",
    "SensorState",
    "SensorTelemetry",
    "SensorVerdict",
    "Space",
    "SpaceArea",
    "SpaceQuarter",
    "SpaceState",
    "SuspenseDecision",
    "Tariff",
    "TariffVersion",
    "UplinkFrame",
]
