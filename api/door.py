"""The door: who is logged in, which device calls, and that a browser was not tricked into the request.

A login is a random cookie that no script can read and no other site can cause to be sent; only its digest is stored.
A change additionally needs a header that no form of another site can set, and an ``Origin`` that is ours.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import or_, select, update

from api.deps import TheParts, caller_of, parts_of, spend
from api.limits import BAD_KEYS, DEVICE_CALLS, UPLINKS
from core.audit import AuditEntry
from core.errors import DeniedError, UnauthenticatedError
from core.roles import Role
from core.tables import DeviceKey, Login, Operator
from core.tokens import digest_of

COOKIE: Final = "parking_login"
COOKIE_PATH: Final = "/api/v1/operator"
IDLE: Final = timedelta(minutes=30)
"""A login ends after this long without a request."""
AT_MOST: Final = timedelta(hours=12)
"""And after this long in any case."""
RENEW_BELOW: Final = timedelta(minutes=25)
CHANGE_HEADER: Final = "x-requested-with"
"""Whatever its value: a form of another site cannot send it."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
USED_EVERY: Final = timedelta(minutes=1)
"""How exactly a key's last use is kept."""

DeviceKind = Literal["kiosk", "uplink", "camera"]

_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="Set by `POST /api/v1/operator/login`.")
_bearer = HTTPBearer(auto_error=False, description="A device key, from `parking kiosk add`.")


class ForgedRequestError(DeniedError):
    """A change that a browser may have been tricked into."""

    slug = "forged-request"


class RoleDeniedError(DeniedError):
    """Logged in, but with another role. Carries ``needs``."""

    slug = "role-denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """A person who is logged in."""

    operator_id: int
    login: str
    name: str
    role: Role
    digest: bytes
    """Of this browser's cookie."""
    request_id: str

    def entry(self, action: str, subject: str, **values: Any) -> AuditEntry:
        """An audit entry in this person's name."""
        return AuditEntry(
            at=now(),
            actor=f"operator:{self.login}",
            action=action,
            subject=subject,
            request_id=self.request_id,
            **values,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device whose key is known and not revoked."""

    id: int
    kind: DeviceKind
    name: str


def now() -> datetime:
    """Logins and keys live on real time, whatever clock the city runs on."""
    return datetime.now(UTC)


def refuse_forgery(request: Request, *, header: bool = True) -> None:
    """Let a change through only if no other site can have caused it.

    Raises:
        ForgedRequestError: it carries another site's ``Origin``, or lacks the header that only our pages send.
    """
    if request.method in SAFE:
        return
    origin = request.headers.get("origin")
    ours = {urlsplit(parts_of(request).public_url).netloc, request.headers.get("host", "")}
    if origin is not None and urlsplit(origin).netloc not in ours:
        raise ForgedRequestError("this request comes from another site's page")
    if header and not request.headers.get(CHANGE_HEADER):
        raise ForgedRequestError("a change needs the header X-Requested-With, with any value")


async def _logged_in(
    request: Request, parts: TheParts, cookie: Annotated[str | None, Security(_cookie)] = None
) -> LoggedIn:
    if not cookie:
        raise UnauthenticatedError("nobody is logged in: POST /api/v1/operator/login")
    refuse_forgery(request)
    digest, at = digest_of(cookie), now()
    async with parts.database.transaction() as db:
        row = (await db.execute(_login_of(digest, at))).first()
        if row is None:
            raise UnauthenticatedError("this login has ended: log in again")
        if row.expires_at - at < RENEW_BELOW:
            until = min(at + IDLE, row.created_at + AT_MOST)
            await db.execute(update(Login).where(Login.digest == digest).values(expires_at=until))
    return LoggedIn(
        operator_id=row.id,
        login=row.login,
        name=row.name,
        role=Role(row.role),
        digest=digest,
        request_id=request.state.request_id,
    )


def _login_of(digest: bytes, at: datetime) -> Any:
    return (
        select(Operator.id, Operator.login, Operator.name, Operator.role, Login.created_at, Login.expires_at)
        .join(Login, Login.operator_id == Operator.id)
        .where(Login.digest == digest, Login.expires_at > at, Operator.disabled_at.is_(None))
    )


AnyRole = Annotated[LoggedIn, Depends(_logged_in)]
"""Whoever is logged in."""


def role(*roles: Role) -> Any:
    """A dependency: whoever is logged in with one of these roles, or as admin."""

    async def allowed(person: AnyRole) -> LoggedIn:
        if not person.role.may_act_as(*roles):
            needs = [wanted.value for wanted in roles] or [Role.ADMIN.value]
            raise RoleDeniedError(f"this needs the role {' or '.join(needs)}", needs=needs)
        return person

    return Depends(allowed)


def set_cookie(request: Request, response: Response, value: str) -> None:
    """Hand the login to the browser: out of reach of scripts, of other sites and, on https, of plain http."""
    response.set_cookie(
        COOKIE,
        value,
        max_age=int(AT_MOST.total_seconds()),
        path=COOKIE_PATH,
        secure=parts_of(request).https or request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def device(kind: DeviceKind) -> Any:
    """A dependency: the device of this kind whose key the request bears."""

    async def known(
        request: Request,
        parts: TheParts,
        bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
    ) -> Device:
        if bearer is None:
            raise UnauthenticatedError("a device key is needed: Authorization: Bearer ...")
        at = now()
        async with parts.database.transaction() as db:
            row = (await db.execute(_key_of(digest_of(bearer.credentials), kind))).first()
            if row is not None:
                await db.execute(_used(row.id, at))
        if row is None:
            spend(request, BAD_KEYS, caller_of(request))
            raise UnauthenticatedError("this key is unknown or revoked")
        spend(request, UPLINKS if kind == "uplink" else DEVICE_CALLS, f"device:{row.id}")
        return Device(id=row.id, kind=kind, name=row.name)

    return Depends(known)


def _key_of(digest: bytes, kind: DeviceKind) -> Any:
    return select(DeviceKey.id, DeviceKey.name).where(
        DeviceKey.digest == digest, DeviceKey.kind == kind, DeviceKey.revoked_at.is_(None)
    )


def _used(key_id: int, at: datetime) -> Any:
    stale = or_(DeviceKey.last_used_at.is_(None), DeviceKey.last_used_at < at - USED_EVERY)
    return update(DeviceKey).where(DeviceKey.id == key_id, stale).values(last_used_at=at)
