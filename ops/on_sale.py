"""What a demo has on sale: passes that anybody can buy on the page, and that some of its drivers do buy."""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from billing.pass_sales.offers import OfferTerms, add_offer
from billing.tariff.document import Window
from core.audit import AuditEntry, write_audit
from core.clock import RealClock
from core.money import Fen

OFFERS: Final = (
    OfferTerms(
        code="county-month", name="全城月卡", name_en="The whole county, a month", days=30, price_fen=Fen(30_000)
    ),
    OfferTerms(
        code="county-nights",
        name="夜间月卡",
        name_en="Nights on working days, a month",
        days=30,
        price_fen=Fen(8_000),
        windows=(Window(days=("workday",), opens="18:00", closes="08:00"),),
    ),
)
ACTOR: Final = "demo"


async def put_on_sale(db: AsyncConnection) -> None:
    """Offer them; audited as anybody's offers are."""
    at = RealClock().now()
    for terms in OFFERS:
        await add_offer(db, terms, actor=ACTOR, at=at)
        after = {"days": terms.days, "price_fen": terms.price_fen, "lots": []}
        await write_audit(
            db, AuditEntry(at=at, actor=ACTOR, action="offer.added", subject=f"offer:{terms.code}", after=after)
        )
