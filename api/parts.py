"""What one api process is made of, built once and handed to its routes."""

from dataclasses import dataclass, field
from typing import Self

from starlette.applications import Starlette

from api.limits import Limiter, Proxies
from api.live_city.following import Following
from api.live_city.showing import Showing
from api.measures import Measures
from api.passwords import Passwords
from api.payment_events import Waiting
from api.republisher import Republisher
from billing.evidence.photos import PhotoFolder
from billing.payments.till import Till
from billing.plates import PlateVault, vault_of
from billing.providers.configured import build_providers
from core.clock import Clock
from core.db import Database
from core.errors import InvalidError
from core.settings import Settings

KEY_CHARACTERS = 32


@dataclass(frozen=True, kw_only=True)
class Parts:
    """One process's parts."""

    settings: Settings
    database: Database
    clock: Clock
    showing: Showing
    following: Following
    limiter: Limiter = field(default_factory=Limiter)
    measures: Measures = field(default_factory=Measures)
    passwords: Passwords = field(default_factory=Passwords)
    proxies: Proxies
    public_url: str
    republisher: Republisher
    till: Till
    waiting: Waiting
    """Who watches payments."""
    plates: PlateVault | None
    """None: no key for plates is set."""
    photos: PhotoFolder | None
    """None: nowhere to keep them is set."""

    @classmethod
    def build(cls, settings: Settings) -> Self:
        """Put the parts together; nothing is connected yet.

        Raises:
            InvalidError: a setting the api cannot do without is missing.
        """
        if settings.database_url is None:
            raise InvalidError("PARKING_DATABASE_URL is not set: which database holds the city?")
        if len(settings.secret_key.get_secret_value()) < KEY_CHARACTERS:
            raise InvalidError(f"PARKING_SECRET_KEY needs at least {KEY_CHARACTERS} random characters")
        database = Database(settings.database_url.get_secret_value(), application="parking-api")
        showing = Showing(settings.the_clock)
        public_url = settings.public_url or f"http://{settings.host}:{settings.port}"
        waiting = Waiting()
        return cls(
            settings=settings,
            database=database,
            clock=settings.the_clock,
            showing=showing,
            following=Following(database, settings.the_clock, showing, waiting.wake),
            proxies=Proxies(settings.trusted_proxies),
            republisher=Republisher(
                settings.mqtt_url.get_secret_value() if settings.mqtt_url else None, settings.mqtt_ca_file
            ),
            public_url=public_url,
            till=Till(
                providers=build_providers(settings),
                database=database,
                clock=settings.the_clock,
                notify_base_url=public_url,
            ),
            waiting=waiting,
            plates=vault_of(settings.plate_key.get_secret_value()),
            photos=PhotoFolder(settings.the_photo_dir) if settings.the_photo_dir else None,
        )

    @classmethod
    def of(cls, app: Starlette) -> Self:
        """The parts of an application that ``create_app`` made."""
        parts: Self = app.state.parts
        return parts

    @property
    def https(self) -> bool:
        """Whether the public reaches this api by https only."""
        return self.public_url.startswith("https://")
