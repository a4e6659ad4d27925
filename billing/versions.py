"""Which version of a notice prices a stay. Pure."""

from collections.abc import Sequence
from datetime import date

from billing.tariff import Tariff
from core.errors import TariffNotFoundError
from core.stay import Stay


def version_for(versions: Sequence[Tariff], stay: Stay) -> Tariff:
    """The version that prices all of a stay: the one in force at its arrival, or at its departure if it says so.

    In force on a day is the highest version whose validity covers it, so that a correction is simply a further one.

    Raises:
        TariffNotFoundError: no version is in force then; carries ``tariff``.
    """
    found = _in_force(versions, stay.entered_at.astimezone(versions[0].zone).date()) if versions else None
    if found is not None and found.document.when_price_changes == "version_at_departure":
        found = _in_force(versions, stay.left_at.astimezone(found.zone).date()) or found
    if found is None:
        code = versions[0].code if versions else ""
        raise TariffNotFoundError(f"no version of the notice {code!r} is in force when the stay begins", tariff=code)
    return found


def _in_force(versions: Sequence[Tariff], on: date) -> Tariff | None:
    covering = [
        tariff
        for tariff in versions
        if (tariff.valid_from is None or tariff.valid_from <= on)
        and (tariff.valid_until is None or on < tariff.valid_until)
    ]
    return max(covering, key=lambda tariff: tariff.version, default=None)
