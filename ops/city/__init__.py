"""Importing a city file: one transaction that adds, changes and retires by code, or changes nothing."""

from ops.city.importing import CityRefusedError, import_city
from ops.city.report import Counts, ImportReport, Progress

__all__ = ["CityRefusedError", "Counts", "ImportReport", "Progress", "import_city"]
