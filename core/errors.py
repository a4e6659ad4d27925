"""Every refusal of the system by name: four kinds, then leaves. Pure.

A kind says what went wrong in general; the api turns it into a status in one place. A leaf adds a ``slug`` that
clients may rely on and typed facts that are shown beside the message.
"""

from typing import ClassVar


class ParkingError(Exception):
    """Anything the system refuses on purpose.

    Args:
        message: what is wrong and, where there is one, the cure; shown to the user as it is.
        facts: values a program may want (identifiers, limits); never a plate or a secret.
    """

    slug: ClassVar[str] = "error"

    def __init__(self, message: str, **facts: str | float | bool | list[str] | None) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class NotFoundError(ParkingError):
    """What was asked for is not here."""

    slug = "not-found"


class ConflictError(ParkingError):
    """Possible in general, but not in the present state."""

    slug = "conflict"


class InvalidError(ParkingError):
    """The input cannot be right, whatever the state."""

    slug = "invalid"


class UnavailableError(ParkingError):
    """Right, but a part needed for it does not answer now; try again later."""

    slug = "unavailable"


class DeniedError(ParkingError):
    """Whoever asks may not do this. Carries no hint of what exists."""

    slug = "denied"


class UnauthenticatedError(DeniedError):
    """Nobody is logged in, or the key is unknown or revoked."""

    slug = "unauthenticated"


class TooManyRequestsError(UnavailableError):
    """The caller's allowance is used up. Carries ``retry_after_seconds``."""

    slug = "too-many-requests"


class LotNotFoundError(NotFoundError):
    """No lot has this code. Carries ``lot_id``."""

    slug = "lot-not-found"


class SpaceNotFoundError(NotFoundError):
    """No space has this code. Carries ``space_code``."""

    slug = "space-not-found"


class NoSessionError(NotFoundError):
    """The space has no open session and no unpaid one. Carries ``space_code``."""

    slug = "no-session"


class TariffNotFoundError(NotFoundError):
    """No tariff has this code, or none of its versions is in force at that instant. Carries ``tariff``."""

    slug = "tariff-not-found"


class SensorNotFoundError(NotFoundError):
    """No sensor is registered under this id. Carries ``sensor_id``."""

    slug = "sensor-not-found"


class SensorExistsError(ConflictError):
    """A sensor is registered under this id already. Carries ``sensor_id``."""

    slug = "sensor-exists"


class SpaceWatchedError(ConflictError):
    """Another sensor watches this space at that time. Carries ``space_code`` and ``sensor_id``."""

    slug = "space-watched"


class NotWatchingError(ConflictError):
    """The sensor watches no space at that time. Carries ``sensor_id``."""

    slug = "not-watching"


class SensorFileRefusedError(InvalidError):
    """A file of sensors is wrong; nothing was changed. Carries ``problems``, each with its line."""

    slug = "sensor-file-refused"
