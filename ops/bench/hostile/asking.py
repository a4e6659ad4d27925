"""Requests that somebody might try: routes from the OpenAPI description, and everything odd put into them. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

MONEY: Final = (
    "payments", "refunds", "waiver", "notify", "arrears", "passes", "coupon", "suspense", "receipt", "close",
)  # fmt: skip
"""A route whose path has one of these words can move money, or shows whose it was."""
STREAMS: Final = "/events"
"""Answers without an end are left out."""
METHODS: Final = ("get", "post", "put", "patch", "delete")

ODD_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 1.5, 1e308, 2**31, 2**63, -(2**63), 10**30, "", " ", "0", "1", "-1", "null", "NaN",
    "wechat", "alipay", "x" * 300, "x" * 20_000, "\x00", "a\x00b", "\ud83d\ude97", "é", "車",
    "'; DROP TABLE payment; --",
    "../../etc/passwd", "${jndi:ldap://x}", [], {}, [[]], [None], {"": ""}, [[[[[[[[]]]]]]]],
)  # fmt: skip
ODD_KEYS: Final = (
    "amount_fen",
    "amount",
    "total_fen",
    "currency",
    "status",
    "paid",
    "id",
    "__proto__",
    "",
    "é",
    "x" * 300,
)
ODD_TEXTS: Final = (
    b"", b" ", b"{", b"}", b"[", b"null", b"true", b"0", b'"x"', b"[]", b"{}", b"NaN", b'{"channel": NaN}', b"\xff\xfe",
    b"\xef\xbb\xbf{}", b"\x00", b'{"channel": "wechat"', b'{"channel": "wechat", "channel": "alipay"}',
    b'{"amount_fen": 1e999}', b'{"amount_fen": -0}', b'{"amount_fen": 0x10}', b"[" * 5_000, b'{"a":' * 5_000,
    b"channel=wechat", b"<xml/>", b"9" * 5_000, b'{"channel": "\\ud800"}', b'{"reason": "\\u0000abc", "amount_fen": 1}',
)  # fmt: skip
ODD_IDS: Final = (
    "0", "-1", "null", "undefined", "x", "%00", "%2e%2e%2f", "..%2f..", "'", "%27%20OR%201=1--", "%F0%9F%9A%97", "%ff",
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "a" * 300,
    "%7B0b5e1f0a-3c1d-4a57-9f5e-2c8f6a7d9b10%7D", "0b5e1f0a3c1d4a579f5e2c8f6a7d9b10",
)  # fmt: skip
ODD_REPEAT_KEYS: Final = (
    "", " ", "x", "0", "a" * 7, "a" * 64, "a" * 300, "a" * 9_000, "é", "a b", "a\tb", "../x", "%00", "'", '"', ",",
    "same",
)  # fmt: skip
ODD_TYPES: Final = (
    "application/json", "application/json; charset=utf-16", "text/plain", "application/x-www-form-urlencoded",
    "multipart/form-data", "multipart/form-data; boundary=x", "", "json", "application/xml", "*/*",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request."""

    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    kind: str = ""
    """What is odd about it, for the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of the description."""

    method: str
    path: str
    example: Mapping[str, Any] = field(default_factory=dict)
    """A body as it should be, as far as the description shows one."""


def money_routes(openapi: Mapping[str, Any]) -> list[Route]:
    """Every route that has to do with money."""
    schemas = openapi.get("components", {}).get("schemas", {})
    return [
        Route(method=method.upper(), path=path, example=_example(operation, schemas))
        for path, operations in openapi["paths"].items()
        if any(word in path for word in MONEY) and not path.endswith(STREAMS)
        for method, operation in operations.items()
        if method in METHODS
    ]


def odd_attempt(dice: Random, routes: Sequence[Route], ids: Sequence[str]) -> Attempt:
    """Some request that nobody should make."""
    route = dice.choice(routes)
    path = "/".join(_filled(part, dice, ids) for part in route.path.split("/"))
    headers = [(b"content-type", dice.choice(ODD_TYPES).encode() if dice.random() < 0.1 else b"application/json")]  # noqa: PLR2004
    headers += _repeat_keys(dice)
    if route.method == "GET":
        return Attempt(method="GET", path=f"{path}{_query(dice)}", kind="ids and queries")
    kind, body = _body(dice, route)
    return Attempt(method=route.method, path=path, headers=tuple(headers), body=body, kind=kind)


def _filled(part: str, dice: Random, ids: Sequence[str]) -> str:
    if not part.startswith("{"):
        return part
    return dice.choice(ids) if dice.random() < 0.7 else dice.choice(ODD_IDS)  # noqa: PLR2004 - a share


def _repeat_keys(dice: Random) -> Iterator[tuple[bytes, bytes]]:
    """None, one, or two of them."""
    for _ in range(dice.choice((0, 1, 1, 1, 1, 1, 1, 2))):
        key = dice.choice(ODD_REPEAT_KEYS) if dice.random() < 0.4 else f"{dice.getrandbits(64):016x}"  # noqa: PLR2004
        yield b"idempotency-key", key.encode()


def _query(dice: Random) -> str:
    return dice.choice(
        ("", "", "?limit=0", "?limit=-1", "?limit=99999999999999999999", "?status=%00", "?x=%ff", "?limit")
    )


def _body(dice: Random, route: Route) -> tuple[str, bytes]:
    if dice.random() < 0.25:  # noqa: PLR2004 - a share
        return "bytes that are no body", dice.choice(ODD_TEXTS)
    body = dict(route.example)
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        keys = [*body, dice.choice(ODD_KEYS)]
        key = dice.choice(keys)
        if dice.random() < 0.2:  # noqa: PLR2004
            body.pop(key, None)
        else:
            body[key] = dice.choice(ODD_VALUES)
    return "odd values", json.dumps(body).encode()


def _example(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = _resolved(content.get("schema", {}), schemas)
    return {name: _value(_resolved(each, schemas), schemas) for name, each in schema.get("properties", {}).items()}


def _value(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if "default" in schema or schema.get("examples"):
        return schema["examples"][0] if schema.get("examples") else schema["default"]
    for choice in schema.get("anyOf", ()):
        return _value(_resolved(choice, schemas), schemas)
    if "enum" in schema:
        return schema["enum"][0]
    return {"integer": 1, "boolean": False, "array": [], "object": {}}.get(str(schema.get("type")), "a reason")


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = schemas.get(name, schema)
    return found
