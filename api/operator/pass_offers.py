"""Passes on sale: listed with those that were, put on sale, taken off."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from api.deps import Db, Now
from api.door import AnyRole, LoggedIn, role
from api.operator.passes import LotCode
from api.problems import responses
from api.shapes import Shape
from billing.pass_sales.offers import Offer, OfferTerms, add_offer, end_offer, list_offers
from billing.passes import Rest
from billing.tariff.document import Window
from core.audit import write_audit
from core.clock import rfc3339
from core.roles import Role

router = APIRouter(prefix="/api/v1/operator/pass-offers", tags=["operator"])

Finance = Annotated[LoggedIn, role(Role.FINANCE)]
CODE = r"^[a-z0-9][a-z0-9_-]*$"
OfferCode = Annotated[
    str, Path(max_length=48, pattern=CODE, description="The offer's.", openapi_examples={"one": {"value": "kl-month"}})
]


class OfferIn(Shape):
    """A pass to be put on sale; another price later is another offer."""

    code: str = Field(max_length=48, pattern=CODE, examples=["kl-month"])
    name: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$", examples=["鼓山路月卡"])
    name_en: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$", examples=["Gushan Road, a month"])
    lots: list[LotCode] = Field(default=[], max_length=100, examples=[["KL"]])
    """Only there; none: everywhere."""
    windows: list[Window] = Field(default=[], max_length=20, examples=[[]])
    """When it stands for a stay, as in a notice's bands; none: always."""
    rest: Rest = Field(default="fresh_tiers", examples=["fresh_tiers"])
    """What prices a stay's time after it: tiers from their beginning, or the clock from where it stood."""
    days: int = Field(ge=1, le=3_660, strict=True, examples=[30])
    price_fen: int = Field(ge=1, le=100_000_000, strict=True, examples=[12_000])


class OfferRow(OfferIn):
    """An offer, on sale or not any more."""

    added_by: str = Field(examples=["operator:li"])
    ended_by: str | None
    ended_at: str | None = Field(json_schema_extra={"format": "date-time"})

    @classmethod
    def of(cls, offer: Offer) -> "OfferRow":
        """The offer in JSON's types."""
        terms = offer.terms
        return cls(
            code=terms.code,
            name=terms.name,
            name_en=terms.name_en,
            lots=list(terms.lots),
            windows=list(terms.windows),
            rest=terms.rest,
            days=terms.days,
            price_fen=terms.price_fen,
            added_by=offer.added_by,
            ended_by=offer.ended_by,
            ended_at=rfc3339(offer.ended_at) if offer.ended_at else None,
        )


@router.get("", responses=responses(401))
async def read_all_offers(db: Db, _person: AnyRole) -> list[OfferRow]:
    """Everything that is or was on sale, the newest first."""
    return [OfferRow.of(one) for one in await list_offers(db, ended=True)]


@router.post("", status_code=201, responses=responses(401, 403, 404, 409, 422))
async def put_on_sale(body: OfferIn, person: Finance, db: Db, now: Now) -> OfferRow:
    """Put a pass on sale, for anybody to buy online."""
    terms = OfferTerms(
        code=body.code,
        name=body.name,
        name_en=body.name_en,
        lots=tuple(body.lots),
        windows=tuple(body.windows),
        rest=body.rest,
        days=body.days,
        price_fen=body.price_fen,
    )
    made = OfferRow.of(await add_offer(db, terms, actor=person.login, at=now))
    after = made.model_dump(include={"lots", "days", "price_fen"})
    await write_audit(db, person.entry("offer.added", f"offer:{terms.code}", after=after))
    return made


@router.post("/{code}/end", responses=responses(401, 403, 404, 422))
async def take_off_sale(code: OfferCode, person: Finance, db: Db, now: Now) -> OfferRow:
    """Take a pass off sale; what was bought stays bought, an order that is open may still be paid."""
    ended = OfferRow.of(await end_offer(db, code, actor=person.login, at=now))
    await write_audit(db, person.entry("offer.ended", f"offer:{code}"))
    return ended
