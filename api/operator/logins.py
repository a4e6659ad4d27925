"""Logging in and out, and one's own password."""

import time

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import Field, SecretStr
from sqlalchemy import Row, delete, insert, select, update
from starlette.concurrency import run_in_threadpool

from api.deps import Db, TheParts, caller_of, spend
from api.door import COOKIE, COOKIE_PATH, IDLE, AnyRole, now, refuse_forgery, set_cookie
from api.limits import LOGINS_OF_ADDRESS, LOGINS_OF_NAME, LOGINS_OF_ONE, Allowance
from api.parts import Parts
from api.passwords import LONGEST, hash_password
from api.problems import responses
from api.shapes import Shape
from core.audit import AuditEntry, write_audit
from core.errors import UnauthenticatedError
from core.roles import Role
from core.tables import Login, Operator
from core.tokens import digest_of, new_secret

log = structlog.get_logger()

router = APIRouter(prefix="/api/v1/operator", tags=["operator"])


class LoginIn(Shape):
    """Who wants to log in."""

    login: str = Field(max_length=64, examples=["chen"])
    password: SecretStr = Field(max_length=LONGEST, examples=["correct horse"])


class PasswordIn(Shape):
    """A new password, and the old one to prove who asks."""

    old: SecretStr = Field(max_length=LONGEST, examples=["correct horse"])
    new: SecretStr = Field(max_length=LONGEST, examples=["battery staple"])


class OperatorOut(Shape):
    """Who is logged in."""

    login: str = Field(examples=["chen"])
    name: str
    role: Role


@router.post("/login", responses=responses(401, 403, 422, 429))
async def log_in(request: Request, response: Response, body: LoginIn, parts: TheParts) -> OperatorOut:
    """Log in; the answer sets a cookie for `/api/v1/operator` that lasts half an hour from its last use."""
    refuse_forgery(request, header=False)  # JSON alone keeps other sites' forms out, and there is no login to misuse
    attempts = _attempts(request, body.login)
    for allowance, caller in attempts:
        spend(request, allowance, caller)
    person = await _find(parts, body.login)
    if not await parts.passwords.fits(body.password.get_secret_value(), person.password_hash if person else None):
        log.warning("login.refused", address=caller_of(request))
        raise UnauthenticatedError("login or password is wrong")
    assert person is not None  # noqa: S101 - no password fits nobody
    secret, at = new_secret("login"), now()
    async with parts.database.transaction() as db:
        await db.execute(delete(Login).where(Login.expires_at <= at))
        await db.execute(
            insert(Login).values(digest=digest_of(secret), operator_id=person.id, created_at=at, expires_at=at + IDLE)
        )
        await write_audit(
            db,
            AuditEntry(
                at=at,
                actor=f"operator:{person.login}",
                action="operator.logged_in",
                subject=f"operator:{person.login}",
                request_id=request.state.request_id,
            ),
        )
    for allowance, caller in attempts:
        parts.limiter.give_back(allowance, caller, time.monotonic())
    set_cookie(request, response, secret)
    response.headers["Cache-Control"] = "no-store"
    return OperatorOut(login=person.login, name=person.name, role=Role(person.role))


@router.post("/logout", status_code=204, responses=responses(401, 403))
async def log_out(response: Response, person: AnyRole, db: Db) -> None:
    """End this login."""
    await db.execute(delete(Login).where(Login.digest == person.digest))
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="strict")


@router.get("/me", responses=responses(401))
async def read_me(person: AnyRole) -> OperatorOut:
    """Who is logged in."""
    return OperatorOut(login=person.login, name=person.name, role=person.role)


@router.post("/password", status_code=204, responses=responses(401, 403, 422, 429))
async def change_password(request: Request, body: PasswordIn, person: AnyRole, parts: TheParts) -> None:
    """Change one's own password; every other browser of this person is logged out."""
    spend(request, LOGINS_OF_ONE, f"{person.login} {caller_of(request)}")
    known = await _find(parts, person.login)
    if not await parts.passwords.fits(body.old.get_secret_value(), known.password_hash if known else None):
        raise UnauthenticatedError("the old password is wrong")
    new_hash = await run_in_threadpool(hash_password, body.new.get_secret_value())
    async with parts.database.transaction() as db:
        await db.execute(update(Operator).where(Operator.id == person.operator_id).values(password_hash=new_hash))
        others = (Login.operator_id == person.operator_id) & (Login.digest != person.digest)
        await db.execute(delete(Login).where(others))
        await write_audit(db, person.entry("operator.password_changed", f"operator:{person.login}"))


async def _find(parts: Parts, login: str) -> Row[tuple[int, str, str, str, str]] | None:
    wanted = select(Operator.id, Operator.login, Operator.name, Operator.role, Operator.password_hash)
    async with parts.database.transaction() as db:
        return (await db.execute(wanted.where(Operator.login == login, Operator.disabled_at.is_(None)))).first()


def _attempts(request: Request, login: str) -> list[tuple[Allowance, str]]:
    """What an attempt is counted against: this login from here, anything from here, this login from anywhere."""
    address = caller_of(request)
    return [(LOGINS_OF_ONE, f"{login} {address}"), (LOGINS_OF_ADDRESS, address), (LOGINS_OF_NAME, login)]
