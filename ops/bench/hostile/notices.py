"""Real notifications of the gateway, caught on their way, and what a forger makes of them."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from random import Random
from typing import Final
from urllib.parse import parse_qsl, urlencode

import uvicorn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ops.bench.hostile.asking import Attempt
from ops.bench.running import free_port

SIGNATURE: Final = "wechatpay-signature"
SERIAL: Final = "wechatpay-serial"
KEPT: Final = (SIGNATURE, SERIAL, "wechatpay-timestamp", "wechatpay-nonce", "wechatpay-signature-type", "content-type")
FOREIGN_BITS: Final = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """A notification as it came."""

    provider: str
    headers: dict[str, bytes]
    body: bytes

    def attempt(
        self,
        kind: str,
        *,
        body: bytes | None = None,
        provider: str | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> Attempt:
        """It, with something else about it."""
        changed = {**self.headers, **(headers or {})}
        return Attempt(
            method="POST",
            path=f"/api/v1/notify/{provider or self.provider}",
            headers=tuple((name.encode(), value) for name, value in changed.items()),
            body=self.body if body is None else body,
            kind=f"notification {kind}",
        )


@asynccontextmanager
async def catching(caught: list[Caught]) -> AsyncIterator[str]:
    """An address that takes every notification and passes none on; its beginning."""

    async def take(request: Request) -> Response:
        headers = {name: value.encode("latin-1") for name, value in request.headers.items() if name in KEPT}
        body = await request.body()
        caught.append(Caught(provider=request.path_params["provider"], headers=headers, body=body))
        return Response("success", media_type="text/plain")

    port = free_port()
    app = Starlette(routes=[Route("/api/v1/notify/{provider}", take, methods=["POST"])])
    server = _Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


class Forger:
    """Alters what was caught, by dice; has a key of its own, which is not the provider's."""

    def __init__(self, dice: Random, caught: list[Caught]) -> None:
        """Make a key."""
        self.dice = dice
        self.caught = caught
        self._key = rsa.generate_private_key(public_exponent=65_537, key_size=FOREIGN_BITS)

    def attempt(self) -> Attempt:
        """Some notification that must have no effect of its own."""
        ways: tuple[Callable[[Caught], Attempt], ...] = (
            self._flipped, self._cut, self._re_encoded, self._re_signed, self._with_headers_of_another, self._replayed,
            self._headers_gone, self._headers_odd, self._elsewhere, self._grown, self._reworded,
        )  # fmt: skip
        return self.dice.choice(ways)(self.dice.choice(self.caught))

    def _flipped(self, one: Caught) -> Attempt:
        body = bytearray(one.body)
        body[self.dice.randrange(len(body))] ^= 1 << self.dice.randrange(8)
        return one.attempt("with a bit flipped", body=bytes(body))

    def _cut(self, one: Caught) -> Attempt:
        return one.attempt("cut short", body=one.body[: self.dice.randrange(len(one.body))])

    def _re_encoded(self, one: Caught) -> Attempt:
        if one.provider == "alipay":
            fields = [(name, value.replace("0", "０") if name == "subject" else value) for name, value in _fields(one)]
            return one.attempt("re-encoded", body=urlencode(fields[::-1], encoding="gb18030").encode())
        indent = self.dice.choice((None, 1, 4))
        text = json.dumps(json.loads(one.body), indent=indent, sort_keys=self.dice.random() < 0.5)  # noqa: PLR2004 - half
        return one.attempt("re-encoded", body=self.dice.choice((b"", b"\xef\xbb\xbf", b" ")) + text.encode())

    def _re_signed(self, one: Caught) -> Attempt:
        """By somebody who knows the protocol, but not the key."""
        if one.provider == "alipay":
            fields = dict(_fields(one)) | {"total_amount": "0.01"}
            signed = "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name not in {"sign", "sign_type"})
            fields["sign"] = self._sign(signed.encode()).decode()
            return one.attempt("signed with a foreign key", body=urlencode(fields).encode())
        stamp, nonce = one.headers["wechatpay-timestamp"], one.headers["wechatpay-nonce"]
        signature = self._sign(b"\n".join((stamp, nonce, one.body, b"")))
        return one.attempt("signed with a foreign key", headers={SIGNATURE: signature})

    def _with_headers_of_another(self, one: Caught) -> Attempt:
        other = self.dice.choice(self.caught)
        return Caught(provider=one.provider, headers=other.headers, body=one.body).attempt("with another's headers")

    def _replayed(self, one: Caught) -> Attempt:
        return one.attempt("replayed")

    def _headers_gone(self, one: Caught) -> Attempt:
        gone = self.dice.choice(list(one.headers))
        kept = {name: value for name, value in one.headers.items() if name != gone}
        return Caught(provider=one.provider, headers=kept, body=one.body).attempt("without a header")

    def _headers_odd(self, one: Caught) -> Attempt:
        name = self.dice.choice(KEPT)
        value = self.dice.choice(
            (
                b"",
                b"0",
                b"-1",
                b"9" * 40,
                b"x" * 5_000,
                b"\xff",
                b"WECHATPAY/SIGNTEST/x",
                b"PUB_KEY_ID_0",
                b"1e9",
                b"====",
            )
        )
        return one.attempt(f"with an odd {name}", headers={name: value})

    def _elsewhere(self, one: Caught) -> Attempt:
        provider = self.dice.choice(
            ("wechat", "alipay", "unionpay", "x", "WECHAT", "..%2fwechat", "wechat%00", "a" * 40)
        )
        return one.attempt("to another's address", provider=provider)

    def _grown(self, one: Caught) -> Attempt:
        size = self.dice.choice((1, 1_000, 300_000))
        return one.attempt("with more behind it", body=one.body + b" " * size)

    def _reworded(self, one: Caught) -> Attempt:
        """What is said is changed, what signs it is not."""
        if one.provider == "alipay":
            name = self.dice.choice(
                ("total_amount", "out_trade_no", "trade_status", "app_id", "seller_id", "sign_type")
            )
            fields = dict(_fields(one)) | {name: self.dice.choice(("0.01", "", "TRADE_SUCCESS", "RSA", "NONE", "\x00"))}
            return one.attempt("reworded", body=urlencode(fields).encode())
        document = json.loads(one.body)
        document["resource"]["ciphertext"] = base64.b64encode(self.dice.randbytes(64)).decode()
        return one.attempt("reworded", body=json.dumps(document, separators=(",", ":")).encode())

    def _sign(self, text: bytes) -> bytes:
        return base64.b64encode(self._key.sign(text, padding.PKCS1v15(), hashes.SHA256()))


def _fields(one: Caught) -> list[tuple[str, str]]:
    return parse_qsl(one.body.decode(), keep_blank_values=True)


class _Server(uvicorn.Server):
    """Leaves the signals to whoever runs the bench."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
