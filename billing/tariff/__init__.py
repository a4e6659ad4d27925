"""Price notices: the document and its schema, the tariff it becomes, and the checks before it is published. Pure."""

from billing.tariff.model import Rate, Tariff
from billing.tariff.read import load_tariff

__all__ = ["Rate", "Tariff", "load_tariff"]
