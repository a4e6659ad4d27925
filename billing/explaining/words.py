"""What an explanation says in words, Chinese and English. Pure."""

from datetime import timedelta
from typing import Final

from billing.explaining.chain import Again, Explanation, Outcome, Seen
from billing.explaining.facts import StoredBill, StoredEvidence, StoredPayment
from billing.phrases import Lang, minutes_text, said
from core.session import FoldRules

Pair = tuple[str, str]

BEGINS: Final[dict[str, Pair]] = {
    "change": ("传感器上报了驶入", "the sensor reported the arrival itself"),
    "heartbeat": (
        "驶入消息未收到：从第一条“有车”消息起算，此前不计费",
        "the arrival was lost: it counts from the first message that said occupied, nothing before is charged",
    ),
    "repeated_change": (
        "有车时又上报一次驶入：两车之间的驶离消息未收到",
        "a second arrival was reported while occupied: the departure between them was lost",
    ),
}
ENDS: Final[dict[str, Pair]] = {
    "change": ("传感器上报了驶离", "the sensor reported the departure itself"),
    "last_occupied": (
        "驶离消息未收到：算到最后一条“有车”消息为止，此后不计费",
        "the departure was lost: it counts to the last message that said occupied, nothing after is charged",
    ),
}
UNSURE: Final[dict[str, Pair]] = {
    "arrival-not-reported": ("驶入时间由证据推定", "its begin was not reported by the sensor"),
    "departure-not-reported": ("驶离时间由证据推定", "its end was not reported by the sensor"),
    "silent-inside": ("期间传感器沉默过久", "the sensor was silent inside it for longer than its limit"),
    "mostly-gap": ("大部分时间是被合并的短暂空闲", "more of it is closed gaps than stay: the sensor flapped"),
}
STATUS: Final[dict[str, Pair]] = {
    "open": ("进行中", "open"),
    "ended": ("已结束", "ended"),
    "void": ("已作废：后到的消息表明并无此次停放", "void: later evidence shows that there was no such stay"),
}
ROLES: Final[dict[str, Pair]] = {
    "before": ("之前", "before"),
    "begins": ("开始", "begins it"),
    "inside": ("期间", "inside"),
    "in-gap": ("短暂空闲", "short gap"),
    "ends": ("结束", "ends it"),
    "after": ("之后", "after"),
}
NOT_CHARGED: Final[dict[str, Pair]] = {
    "void": ("停放已作废，不收费", "the session is void: nothing is charged"),
    "no-notice": ("停车场没有收费公示，不收费", "the lot has no price notice: nothing is charged"),
    "no-notice-in-force": ("驶入时没有生效的收费公示，不收费", "no notice was in force at arrival: nothing is charged"),
}
SOURCES: Final[dict[str, Pair]] = {
    "warden": ("巡查员", "warden"),
    "camera": ("摄像机", "camera"),
    "claim": ("驾驶人自报", "the driver's claim"),
}
PAYMENT_STATUS: Final[dict[str, Pair]] = {
    "created": ("已发起", "asked for"),
    "sent": ("等待支付", "waiting for the payer"),
    "unknown": ("支付机构未答复，继续查询", "the provider has not answered: it is asked again"),
    "paid": ("已支付", "paid"),
    "closed": ("已关闭，未支付", "closed, not paid"),
    "failed": ("失败", "failed"),
}
ENTRY_KINDS: Final[dict[str, Pair]] = {
    "charge": ("计费", "charged"),
    "payment": ("收款", "received"),
    "refund": ("发起退款", "refund on its way"),
    "refund-done": ("退款到账", "refund arrived"),
    "refund-failed": ("退款失败，仍欠付款人", "refund failed: still owed to the payer"),
    "waiver": ("减免", "waived"),
    "owed-elsewhere": ("改记欠款归属", "owed elsewhere: an arrear, nobody's, or the stay's again"),
    "writeoff": ("核销", "written off"),
}
NO_ENTRIES: Final[Pair] = ("没有账务分录", "nothing posted")
NO_PAYMENTS: Final[Pair] = ("没有支付记录", "none recorded")
NO_PLATES: Final[Pair] = ("没有车牌证据", "none recorded")

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

HELD_FOR: Final = {
    "unsure": ("停放证据不足", "the evidence is thin"),
    "late_arrival": ("到达上报过晚", "the arrival was reported late"),
    "long_stay": ("停放时间过长", "the stay is long"),
    "large_amount": ("金额较大", "the amount is large"),
}


def begins_text(explanation: Explanation, lang: Lang) -> str:
    """Why it begins when it does."""
    return said(BEGINS[explanation.facts.begin_why], lang)


def ends_text(explanation: Explanation, lang: Lang) -> str | None:
    """Why it ends when it does; none while it has not."""
    why = explanation.facts.end_why
    return None if why is None else said(ENDS[why], lang)


def unsure_text(explanation: Explanation, lang: Lang) -> str | None:
    """Why a person should look at it; none where nothing is thin."""
    why = explanation.facts.unsure_why
    return None if why is None else said(UNSURE[why], lang)


def limits_text(rules: FoldRules, lang: Lang) -> str:
    """What decided about the session when it was last changed."""
    stay, gap, silence = (
        span_text(timedelta(milliseconds=one), lang) for one in (rules.min_stay_ms, rules.min_gap_ms, rules.silence_ms)
    )
    return said(
        (
            f"当时的标准：停放短于 {stay} 不计，空闲短于 {gap} 合并，{silence} 无消息即为失联",
            f"as they were: shorter than {stay} is no stay, a gap under {gap} is closed, {silence} unheard is silence",
        ),
        lang,
    )


def late_text(seen: Seen, lang: Lang) -> str | None:
    """That a reading came late and what that did; none where it came in its turn."""
    if not seen.is_late:
        return None
    delay = span_text(seen.delay, lang)
    after = seen.came_after
    if after is None:
        return said((f"迟到 {delay}", f"{delay} late, out of turn"), lang)
    return said((f"迟到 {delay}，在第 {after} 版账单之后", f"{delay} late, after the bill for revision {after}"), lang)


def again_text(again: Again, lang: Lang) -> str:
    """What computing again says."""
    match again.outcome:
        case Outcome.EQUAL:
            return said(("重新计算：一致", "computed again now: equal"), lang)
        case Outcome.DIFFERENT:
            return said((f"重新计算：不一致（{again.found}）", f"computed again now: DIFFERENT ({again.found})"), lang)
        case Outcome.NOT_KEPT:
            pair = ("原始消息已不再保存，无法重新计算", "its readings are no longer kept: it cannot be computed again")
            return said(pair, lang)
        case Outcome.NOT_YET:
            return said(("尚无对应账单", "there is no bill for it yet"), lang)


def bill_text(bill: StoredBill, lang: Lang) -> str | None:
    """Why a bill charges nothing; none where it has lines."""
    reason = bill.fee.get("reason")
    return None if reason is None else said(NOT_CHARGED.get(reason, (reason, reason)), lang)


def source_text(one: StoredEvidence, lang: Lang) -> str:
    """Who says so, and that a camera was in doubt."""
    doubt = ("（识别不确定）", ", in doubt") if one.source == "camera" and not one.is_sure else ("", "")
    return said(SOURCES[one.source], lang) + said(doubt, lang)


def span_text(span: timedelta, lang: Lang) -> str:
    """A length of time, to the second below an hour, to the day from two days on."""
    seconds = int(span.total_seconds())
    if span >= 2 * DAY:
        return said((f"{span.days} 天", f"{span.days} days"), lang)
    if span >= HOUR:
        return minutes_text(seconds // 60, lang)
    minutes, rest = divmod(seconds, 60)
    if minutes == 0:
        return said((f"{rest} 秒", f"{rest} s"), lang)
    return said((f"{minutes} 分 {rest} 秒", f"{minutes} min {rest} s"), lang)


def payment_text(payment: StoredPayment, lang: Lang) -> str:
    """What became of an attempt to collect money."""
    told = said(PAYMENT_STATUS[payment.status], lang)
    if payment.is_late:
        told += said(("，关闭之后才到账", ", after we had closed it"), lang)
    if payment.received_fen is not None and payment.received_fen != payment.amount_fen:
        told += said(("，金额与应收不符，挂账待查", ", another amount than was asked for: in suspense"), lang)
    return told


def held_text(bill: StoredBill, lang: Lang) -> str:
    """Why a bill waits, or waited, for a person; empty where it does not."""
    if not bill.held_for:
        return ""
    reasons = said(("、", ", "), lang).join(said(HELD_FOR.get(one, (one, one)), lang) for one in bill.held_for)
    if bill.released_by is None:
        return said((f"待人工核对：{reasons}", f"held for a person: {reasons}"), lang)
    zh = f"曾待核对（{reasons}），{bill.released_by} 已放行：{bill.release_reason}"
    return said((zh, f"was held ({reasons}), released by {bill.released_by}: {bill.release_reason}"), lang)
