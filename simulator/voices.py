"""How each sensor speaks: in our own format, by its maker's bytes through a network server, or through a carrier. Pure.

A voice also says by what a reading of it will be known: not every make counts its restarts, numbers its messages or
says whether something changed.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from core.occupancy import ABSENT, Kind
from core.wire import Envelope, GatewayReading, NativeReading, encode_reading, reading_topic
from simulator.envelopes import NETWORK_SERVERS, Frame, Message, pack_senml, push_nbiot
from simulator.faults.speaking import Said
from simulator.makes import MAKES, Saying
from simulator.messages import Messages, Vitals
from simulator.sensors import NATIVE, Watched

_MINUTE_MS: Final = 60_000


class Identity(NamedTuple):
    """What tells a sensor's readings of one instant apart, and what they assert."""

    boot: int
    seq: int
    kind: Kind


class Voice(Protocol):
    """One sensor's way of saying things; the same thing is always the same message."""

    def message(self, said: Said, vitals: Vitals) -> Message:
        """Topic and bytes."""
        ...

    def identity(self, said: Said) -> Identity:
        """By which its reading is known."""
        ...


class NativeVoice:
    """Our own JSON, on the sensor's own topic; the site in it is the lot."""

    def __init__(self, watched: Watched) -> None:
        self._topic = reading_topic(watched.lot, watched.sensor)
        self._sensor = watched.sensor

    def message(self, said: Said, vitals: Vitals) -> Message:
        """One reading."""
        reading = NativeReading(
            seq=said.seq,
            boot=said.boot,
            at=said.at_ms,
            occupied=said.occupied,
            kind=said.kind,
            battery_mv=vitals.battery_mv,
            rssi_dbm=vitals.rssi_dbm,
            temperature_c=vitals.temperature_c,
        )
        return Message(self._topic, encode_reading(reading))

    def element(self, said: Said, vitals: Vitals) -> GatewayReading:
        """The same as one element of a gateway's array."""
        return GatewayReading(
            sensor=self._sensor,
            seq=said.seq,
            boot=said.boot,
            at=said.at_ms,
            occupied=said.occupied,
            kind=said.kind,
            battery_mv=vitals.battery_mv,
            rssi_dbm=vitals.rssi_dbm,
            temperature_c=vitals.temperature_c,
        )

    def identity(self, said: Said) -> Identity:
        """All of it is said."""
        return Identity(said.boot, said.seq, said.kind)


class LoRaVoice:
    """A maker's bytes in a radio frame, which a network server dates, counts and publishes."""

    def __init__(self, watched: Watched) -> None:
        self._dev_eui = watched.sensor
        self._make = MAKES[watched.codec]
        self._wrap = NETWORK_SERVERS[watched.envelope]

    def message(self, said: Said, vitals: Vitals) -> Message:
        """The server's message. A restarted device joins anew, so its frames are counted anew in another session."""
        payload = self._make(_saying(said, vitals))
        return self._wrap(
            Frame(
                dev_eui=self._dev_eui,
                joined=said.boot,
                f_cnt=said.seq,
                at_ms=said.at_ms,
                f_port=payload.f_port,
                payload=payload.content,
                rssi_dbm=vitals.rssi_dbm,
                battery_pct=vitals.battery_pct,
            )
        )

    def identity(self, said: Said) -> Identity:
        """Restarts are not counted, and a start may be told as no more than a heartbeat."""
        payload = self._make(_saying(said, _ANY_VITALS))
        return Identity(ABSENT, said.seq, payload.kind)


class SenmlVoice:
    """A SenML pack: no counter, and whether something changed is not said."""

    def __init__(self, watched: Watched) -> None:
        self._sensor = watched.sensor

    def message(self, said: Said, vitals: Vitals) -> Message:
        """One pack."""
        return pack_senml(self._sensor, _saying(said, vitals))

    def identity(self, said: Said) -> Identity:  # noqa: ARG002 - it has none
        """The instant is all that tells its readings apart."""
        return Identity(ABSENT, ABSENT, Kind.REPORT)


class NbiotVoice:
    """A carrier platform's push: a counter, and whether something changed is not said."""

    def __init__(self, watched: Watched) -> None:
        self._imei = watched.sensor

    def message(self, said: Said, vitals: Vitals) -> Message:
        """One push."""
        return push_nbiot(self._imei, _saying(said, vitals), rssi_dbm=vitals.rssi_dbm, vehicles=said.seq // 8)

    def identity(self, said: Said) -> Identity:
        """Restarts are not counted."""
        return Identity(ABSENT, said.seq, Kind.REPORT)


def voice_of(watched: Watched) -> Voice:
    """The voice that a city file gives a sensor."""
    match watched.envelope:
        case Envelope.SENML:
            return SenmlVoice(watched)
        case Envelope.NBIOT:
            return NbiotVoice(watched)
        case envelope if envelope in NETWORK_SERVERS and watched.codec != NATIVE:
            return LoRaVoice(watched)
        case _:
            return NativeVoice(watched)


class Choir:
    """All voices of a city, by the numbers of their sensors."""

    def __init__(self, watched: Sequence[Watched], messages: Messages) -> None:
        self._voices = [voice_of(one) for one in watched]
        self._messages = messages

    def message(self, said: Said) -> Message:
        """What the sensor publishes."""
        return self._voices[said.number].message(said, self._messages.vitals(said))

    def element(self, said: Said) -> GatewayReading | None:
        """The same for a gateway's array; None from a sensor that speaks through none of ours."""
        voice = self._voices[said.number]
        return voice.element(said, self._messages.vitals(said)) if isinstance(voice, NativeVoice) else None

    def identity(self, said: Said) -> Identity:
        """By which its reading will be known."""
        return self._voices[said.number].identity(said)


def _saying(said: Said, vitals: Vitals) -> Saying:
    return Saying(
        kind=said.kind,
        occupied=said.occupied,
        at_ms=said.at_ms,
        seq=said.seq,
        battery_mv=vitals.battery_mv,
        temperature_c=vitals.temperature_c,
        previous_minutes=said.before_ms // _MINUTE_MS,
    )


_ANY_VITALS: Final = Vitals(3_600, -90, 20.0)
