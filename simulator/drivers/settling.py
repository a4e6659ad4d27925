"""One driver settles one stay, each in his own way, and every payment is told to the truth."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from core.clock import Clock, rfc3339
from simulator.drivers.habits import Driver, Habit
from simulator.drivers.kiosk import Kiosk
from simulator.drivers.passes import PassShop
from simulator.drivers.phone import Code, NotNowError, Phone
from simulator.drivers.told import PaymentLine, Told


class Settling:
    """What drivers do at the pay page, and what came of it."""

    def __init__(
        self,
        api_url: str,
        codes: Mapping[str, str],
        *,
        clock: Clock,
        told: Told,
        seed: int,
        zone: ZoneInfo,
        kiosk: Kiosk | None = None,
    ) -> None:
        self._kiosk = kiosk
        self._api_url = api_url
        self._codes = codes
        self._clock = clock
        self._told = told
        self._zone = zone
        self._shop = PassShop(seed=seed)
        self.paid = 0
        """Payments whose page said so."""
        self.nothing_due = 0
        self.plates_said = 0
        self.slips = 0
        """Receipts that the kiosk printed."""

    def settle(self, space: str, driver: Driver) -> None:
        """Scan the code and do what this driver does.

        Raises:
            NotNowError: the api or the provider is away.
        """
        token = self._codes.get(space)
        if token is None:
            return
        if driver.habit is Habit.AT_THE_KIOSK and self._kiosk is not None:
            try:
                session = self._kiosk.find(space)
            except NotNowError:
                pass  # others stand at the machine: the phone it is
            else:
                self._pay_at(self._kiosk, session, driver, space)
                return
        phones = [Phone(self._api_url, number) for number in driver.phones]
        try:
            session = phones[0].session(Code(space=space, token=token))
            if session is None:
                self.nothing_due += 1
                return
            if driver.habit is Habit.PASS_HOLDER:
                self._hold(phones[0], session, driver)
            if driver.says_plate:
                with suppress(NotNowError):  # an installation may want no plates
                    self.plates_said += phones[0].say_plate(session["id"], driver.plate)
            if driver.habit is not Habit.PASS_HOLDER:
                self._pay(phones, session, driver, space)
        finally:
            for phone in phones:
                phone.close()

    def _hold(self, phone: Phone, session: Mapping[str, Any], driver: Driver) -> None:
        """Buy a pass for the vehicle, once, where one is on sale that stands for this lot."""
        attempt = None
        with suppress(NotNowError):  # sold out, not sold here, not today: nobody waits for that
            attempt = self._shop.buy(phone, driver, lot=session["lot_id"], today=self._today())
        if attempt is not None:
            self._press(phone, attempt, driver, channel=driver.channels[0], purpose="pass")

    def _pay_at(self, kiosk: Kiosk, session: Mapping[str, Any] | None, driver: Driver, space: str) -> None:
        """At the machine, with the phone that scans its code; then the slip."""
        attempt = kiosk.begin(session["id"], driver.channels[0]) if session and session["due_fen"] > 0 else None
        if session is None or attempt is None:
            self.nothing_due += 1
            return
        phone = Phone(self._api_url, driver.phones[0])
        try:
            self._press(
                phone, attempt, driver, channel=attempt["channel"], session_id=session["id"], space=space, by="kiosk"
            )
            if kiosk.is_paid(attempt["id"]):
                self.slips += kiosk.receipt(session["id"]) is not None
        finally:
            phone.close()

    def _pay(self, phones: list[Phone], session: Mapping[str, Any], driver: Driver, space: str) -> None:
        if session["due_fen"] <= 0:
            self.nothing_due += 1
            return
        attempts = [phone.begin(session["id"], channel) for phone, channel in zip(phones, driver.channels, strict=True)]
        # two phones: both hold a code before either has paid
        for phone, channel, attempt in zip(phones, driver.channels, attempts, strict=True):
            if attempt is not None:
                self._press(phone, attempt, driver, channel=channel, session_id=session["id"], space=space)

    def _press(
        self,
        phone: Phone,
        attempt: Mapping[str, Any],
        driver: Driver,
        *,
        channel: str,
        purpose: Literal["session", "pass"] = "session",
        session_id: str | None = None,
        space: str | None = None,
        by: Literal["phone", "kiosk"] = "phone",
    ) -> None:
        def tell(state: Literal["pressed", "paid"]) -> None:
            self._told.payment(
                PaymentLine(
                    payment_id=attempt["id"],
                    purpose=purpose,
                    session_id=session_id,
                    space=space,
                    channel=channel,
                    amount_fen=attempt["amount_fen"],
                    by=by,
                    habit=driver.habit.value,
                    at=rfc3339(self._clock.now()),
                    state=state,
                )
            )

        if not phone.can_pay(attempt):
            return  # unknown yet: this driver does not wait
        tell("pressed")
        if phone.pay(attempt):
            self.paid += 1
            tell("paid")

    def _today(self) -> datetime:
        return self._clock.now().astimezone(self._zone)
