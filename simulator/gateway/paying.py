"""The page where a person pays by clicking: what for, how much, three buttons; no scripts, two languages."""

from html import escape
from pathlib import Path
from string import Template
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from core.money import yuan_text
from simulator.gateway.clock import CALENDAR
from simulator.gateway.control import named
from simulator.gateway.parts import Gateway
from simulator.gateway.trades import RefusedError, Trade, TradeStatus, Why

PAGE: Final = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
SECURITY: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action *; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
WORDS: Final = {
    "zh": {
        "title": "模拟收银台",
        "simulated": "模拟支付：不会产生真实扣款",
        "wechat": "代替微信支付",
        "alipay": "代替支付宝",
        "order": "订单号",
        "until": "请在此前付款",
        "pay": "确认支付",
        "later": "稍后支付",
        "cancel": "取消",
        "paid": "支付成功",
        "closed": "订单已关闭，无法支付",
        "absent": "没有这个订单",
        "back": "返回商家",
        "later_said": "订单仍然有效，可稍后再次扫码支付。",
        "cancel_said": "已取消，本次没有付款。",
        "other": "English",
    },
    "en": {
        "title": "Simulated cashier",
        "simulated": "Simulated payment: no real money moves",
        "wechat": "In place of WeChat Pay",
        "alipay": "In place of Alipay",
        "order": "Order",
        "until": "Pay before",
        "pay": "Pay",
        "later": "Pay later",
        "cancel": "Cancel",
        "paid": "Paid",
        "closed": "This order is closed and cannot be paid",
        "absent": "There is no such order",
        "back": "Back to the merchant",
        "later_said": "The order stays open: scan the code again to pay it later.",
        "cancel_said": "Cancelled: nothing was paid.",
        "other": "中文",
    },
}


async def show(request: Request) -> Response:
    """The order as it stands; opening it is what scanning a code means."""
    gateway, words = Gateway.of(request), _words(request)
    try:
        trade = named(request)
    except RefusedError:
        return _page(request, f'<p class="state bad">{words["absent"]}</p>', 404)
    gateway.book.show(trade)
    said = request.query_params.get("said", "")
    note = f'<p class="state">{words[f"{said}_said"]}</p>' if said in ("later", "cancel") else ""
    return _page(request, _facts(trade, words) + note + _choices(request, trade, words))


async def decide(request: Request) -> Response:
    """One of the three buttons was pressed."""
    gateway, trade = Gateway.of(request), named(request)
    choice = dict(parse_qsl((await request.body()).decode("utf-8", "replace"))).get("choice", "")
    if choice == "pay":
        try:
            gateway.book.pay(trade, gateway.clock.now())
        except RefusedError as refusal:
            if refusal.why is Why.ABSENT:
                raise
        gateway.wake.set()
    elif choice == "cancel" and (back := _back(request, trade)):
        return RedirectResponse(back, 303)
    said = {"said": choice} if choice in ("later", "cancel") else {}
    kept = {name: value for name, value in request.query_params.items() if name != "said"}
    return RedirectResponse(f"{request.url.path}?{urlencode(kept | said)}", 303)


def _facts(trade: Trade, words: dict[str, str]) -> str:
    until = ""
    if trade.status in (TradeStatus.OPEN, TradeStatus.PREPARED):
        until = f"<dt>{words['until']}</dt><dd>{trade.expires_at.astimezone(CALENDAR):%H:%M:%S}</dd>"
    amount = yuan_text(trade.received_fen or trade.amount_fen)
    return (
        f'<p class="instead">{words[trade.provider]}</p><p class="for">{escape(trade.description)}</p>'
        f'<p class="amount">{amount}</p><dl><dt>{words["order"]}</dt><dd>{escape(trade.order_no)}</dd>{until}</dl>'
    )


def _choices(request: Request, trade: Trade, words: dict[str, str]) -> str:
    back = _back(request, trade)
    link = f'<a class="button" href="{escape(back)}">{words["back"]}</a>' if back else ""
    match trade.status:
        case TradeStatus.PAID:
            return f'<p class="state good" role="status">✓ {words["paid"]}</p>{link}'
        case TradeStatus.CLOSED:
            return f'<p class="state bad" role="status">{words["closed"]}</p>{link}'
        case TradeStatus.OPEN | TradeStatus.PREPARED:
            buttons = "".join(
                f'<button name="choice" value="{choice}" class="{choice}">{words[choice]}</button>'
                for choice in ("pay", "later", "cancel")
            )
            return f'<form method="post" action="{escape(_here(request))}">{buttons}</form>'


def _page(request: Request, body: str, status: int = 200) -> HTMLResponse:
    language, words = _language(request), _words(request)
    other = "en" if language == "zh" else "zh"
    kept = {name: value for name, value in request.query_params.items() if name != "lang"}
    html = PAGE.substitute(
        lang="zh-CN" if language == "zh" else "en",
        title=words["title"],
        simulated=words["simulated"],
        body=body,
        other=words["other"],
        other_url=escape(f"{request.url.path}?{urlencode(kept | {'lang': other})}"),
    )
    return HTMLResponse(html, status, headers=SECURITY)


def _here(request: Request) -> str:
    return f"{request.url.path}?{request.url.query}"


def _back(request: Request, trade: Trade) -> str | None:
    """Where the payer came from, if that is a web address."""
    wanted = trade.return_url or request.query_params.get("redirect_url") or ""
    return wanted if urlsplit(wanted).scheme in ("http", "https") else None


def _words(request: Request) -> dict[str, str]:
    return WORDS[_language(request)]


def _language(request: Request) -> str:
    chosen = request.query_params.get("lang")
    if chosen in WORDS:
        return chosen
    return "en" if request.headers.get("accept-language", "").lower().startswith("en") else "zh"


ROUTES: Final = [
    Route("/pay/{order_no}", show, methods=["GET"]),
    Route("/pay/{order_no}", decide, methods=["POST"]),
]
