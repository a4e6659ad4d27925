"""An explanation in JSON's types, with its words in one language. Pure."""

from typing import Any

from billing.explaining.chain import Explanation, Seen
from billing.explaining.facts import Facts, StoredBill, StoredEntryLine, StoredEvidence, StoredPayment
from billing.explaining.words import (
    ENTRY_KINDS,
    NO_PAYMENTS,
    again_text,
    begins_text,
    bill_text,
    ends_text,
    held_text,
    late_text,
    payment_text,
    source_text,
    unsure_text,
)
from billing.fee import fee_object
from billing.lines import bill_from_json
from billing.phrases import Lang, said
from billing.vehicle_of_plate import Evidence, vehicle_by
from core.clock import rfc3339


def explanation_object(explanation: Explanation, lang: Lang) -> dict[str, Any]:
    """The whole chain."""
    facts = explanation.facts
    tariff = explanation.tariff
    return {
        "session": {
            "id": str(facts.id),
            "space_code": facts.space_code,
            "lot_id": facts.lot_code,
            "lot_name": facts.lot_name,
            "zone": facts.zone,
            "sensor_id": facts.sensor,
            "status": facts.status,
            "entered_at": rfc3339(facts.entered_at),
            "left_at": rfc3339(facts.left_at) if facts.left_at else None,
            "unsure": facts.unsure_why is not None,
            "revision": facts.revision,
            "recorded_at": rfc3339(facts.recorded_at),
            "revised_at": rfc3339(facts.revised_at),
        },
        "begins": {"code": facts.begin_why, "why": begins_text(explanation, lang)},
        "ends": {"code": facts.end_why, "why": ends_text(explanation, lang)} if facts.end_why else None,
        "unsure": {"code": facts.unsure_why, "why": unsure_text(explanation, lang)} if facts.unsure_why else None,
        "closed_gaps": [
            {"from": rfc3339(begin), "to": rfc3339(end), "seconds": (end - begin).total_seconds()}
            for begin, end in explanation.gaps
        ],
        "limits": {
            "min_stay_seconds": facts.rules.min_stay_ms // 1_000,
            "min_gap_seconds": facts.rules.min_gap_ms // 1_000,
            "silent_after_seconds": facts.rules.silence_ms // 1_000,
        },
        "longest_silence_seconds": explanation.longest_silence.total_seconds(),
        "readings": [_reading(seen, lang) for seen in explanation.readings],
        "fee": fee_object(explanation.bill, lang) if explanation.bill else None,
        "notice": None
        if tariff is None
        else {
            "code": tariff.code,
            "version": tariff.version,
            "name": said((tariff.document.name.zh, tariff.document.name.en), lang),
            "number": tariff.document.notice.number,
            "source": tariff.document.notice.source,
            "rules": tariff.summary(lang),
        },
        "bills": [_bill(bill, bill is facts.bills[-1], lang) for bill in facts.bills],
        "plates": [_evidence(one, names_the_best(one, facts), lang) for one in facts.evidence],
        "payments": [_payment(one, lang) for one in facts.payments],
        "payments_note": None if facts.payments else said(NO_PAYMENTS, lang),
        "journal": [_line(one, lang) for one in facts.entries],
        "computed_again": {
            "session": {
                "outcome": explanation.session_again.outcome.value,
                "text": again_text(explanation.session_again, lang),
            },
            "fee": {"outcome": explanation.fee_again.outcome.value, "text": again_text(explanation.fee_again, lang)},
        },
    }


def raw_text(raw: bytes) -> str:
    """A message as it can be printed: text as it is, anything else in hexadecimal."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.hex()
    return text if text.isprintable() else raw.hex()


def names_the_best(one: StoredEvidence, facts: Facts) -> bool:
    """Whether it names the plate that the best evidence names."""
    said_of = ("plate_id", "source", "colour", "confidence_percent", "is_sure", "recorded_at")
    best = vehicle_by(Evidence(**{name: getattr(each, name) for name in said_of}) for each in facts.evidence)
    return one.plate_id == best.plate_id


def _reading(seen: Seen, lang: Lang) -> dict[str, Any]:
    reading = seen.reading
    return {
        "at": rfc3339(reading.at),
        "received_at": rfc3339(reading.received_at),
        "sensor_id": reading.sensor,
        "role": seen.role.value,
        "occupancy": reading.occupancy,
        "kind": reading.kind,
        "boot": reading.boot if reading.boot >= 0 else None,
        "seq": reading.seq if reading.seq >= 0 else None,
        "battery_mv": reading.battery_mv,
        "rssi_dbm": reading.rssi_dbm,
        "temperature_c": reading.temperature_c,
        "late": late_text(seen, lang),
        "topic": reading.topic,
        "raw": raw_text(reading.raw),
        "raw_hex": reading.raw.hex(),
    }


def _bill(bill: StoredBill, is_current: bool, lang: Lang) -> dict[str, Any]:
    stay = bill_from_json(bill.fee["bill"]).stay if "bill" in bill.fee else None
    tariff = bill.fee["bill"]["tariff"] if stay else None
    return {
        "id": str(bill.id),
        "session_revision": bill.session_revision,
        "replaces_id": str(bill.replaces_id) if bill.replaces_id else None,
        "is_current": is_current,
        "issued_at": rfc3339(bill.issued_at),
        "total_fen": bill.total_fen,
        "entered_at": rfc3339(stay.entered_at) if stay else None,
        "left_at": rfc3339(stay.left_at) if stay else None,
        "tariff": tariff,
        "note": bill_text(bill, lang),
        "held": {
            "reasons": list(bill.held_for),
            "text": held_text(bill, lang),
            "released_by": bill.released_by,
            "release_reason": bill.release_reason,
        }
        if bill.held_for
        else None,
    }


def _evidence(one: StoredEvidence, counts: bool, lang: Lang) -> dict[str, Any]:
    return {
        "plate": one.plate,
        "source": one.source,
        "source_text": source_text(one, lang),
        "colour": one.colour,
        "confidence_percent": one.confidence_percent,
        "observed_at": rfc3339(one.observed_at),
        "recorded_at": rfc3339(one.recorded_at),
        "recorded_by": one.recorded_by,
        "counts": counts,
    }


def _payment(one: StoredPayment, lang: Lang) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "provider": one.provider,
        "channel": one.channel,
        "amount_fen": one.amount_fen,
        "status": one.status,
        "text": payment_text(one, lang),
        "order_no": one.order_no,
        "transaction_id": one.transaction_id,
        "received_fen": one.received_fen,
        "created_at": rfc3339(one.created_at),
        "paid_at": rfc3339(one.paid_at) if one.paid_at else None,
        "covers_to": rfc3339(one.covers_to) if one.covers_to else None,
    }


def _line(one: StoredEntryLine, lang: Lang) -> dict[str, Any]:
    return {
        "entry_id": one.entry_id,
        "posted_at": rfc3339(one.posted_at),
        "kind": one.kind,
        "text": said(ENTRY_KINDS.get(one.kind, (one.kind, one.kind)), lang),
        "source": one.source,
        "business_key": one.business_key,
        "account": one.account,
        "debit_fen": one.debit_fen,
        "credit_fen": one.credit_fen,
        "currency": one.currency,
    }
