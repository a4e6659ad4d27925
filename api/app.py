"""The application: its parts, its routes, and the loop that keeps its city current."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI

import web
from api import (
    cameras,
    city,
    counts,
    coupons,
    debts,
    demo,
    health,
    histories,
    kiosk,
    live,
    lots,
    meta,
    metrics,
    nearby,
    notify,
    pass_shop,
    paying_here,
    payments,
    problems,
    quotes,
    receipts,
    sessions,
    spaces,
    uplinks,
)
from api.envelope import NOTHING_MAY_LOAD, Envelope, security_headers
from api.heads import Heads
from api.openapi import DESCRIPTION, TAGS, complete
from api.operator import (
    arrears,
    audits,
    calendar,
    closes,
    closures,
    collection,
    coupon_desk,
    exempt,
    explain,
    holds,
    kiosks,
    logins,
    pass_offers,
    passes,
    patrol,
    plates,
    refunds,
    sensors,
    suspense,
    tariffs,
)
from api.parts import Parts
from api.payment_polling import poll_for_ever
from api.prepared import Prepared
from core.settings import Settings

MODULES = (
    nearby,  # before the lots, one of which its last word would name
    lots,
    histories,
    counts,
    quotes,
    spaces,
    sessions,
    payments,
    paying_here,
    pass_shop,
    coupons,
    notify,
    receipts,
    live,
    city,
    meta,
    logins,
    closures,
    audits,
    refunds,
    suspense,
    closes,
    tariffs,
    calendar,
    exempt,
    patrol,
    plates,
    cameras,
    pass_offers,
    passes,
    coupon_desk,
    holds,
    explain,
    sensors,
    arrears,
    collection,
    kiosks,
    debts,
    kiosk,
    uplinks,
    health,
    metrics,
)


def create_app(settings: Settings) -> FastAPI:
    """The api as an ASGI application.

    Raises:
        InvalidError: a setting it cannot do without is missing.
    """
    parts = Parts.build(settings)
    app = FastAPI(
        title="Smart parking",
        version="1",
        description=DESCRIPTION,
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
        lifespan=_lifespan,
    )
    app.state.parts = parts
    for module in MODULES:
        app.include_router(module.router)
    if settings.demo_orders_url:
        app.include_router(demo.router)
    app.router.routes.extend(web.routes(_basemap(settings)))
    problems.install(app)
    headers = security_headers(https=parts.https)
    app.add_middleware(Heads)
    app.add_middleware(Envelope, measures=parts.measures, headers=headers)
    app.add_middleware(Prepared, showing=parts.showing, measures=parts.measures, headers=(*headers, NOTHING_MAY_LOAD))
    parts.measures.watch(partial(metrics.gauges_of, parts))
    complete(app)
    return app


def _basemap(settings: Settings) -> web.Basemap:
    return web.Basemap(
        address=settings.basemap,
        origins=settings.basemap_origins,
        datum=settings.basemap_datum,
        credit=settings.basemap_credit,
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Follow the city and young payments while the application runs."""
    parts = Parts.of(app)
    running = (
        asyncio.create_task(parts.following.run(), name="follow the city"),
        asyncio.create_task(poll_for_ever(parts.till), name="follow young payments"),
    )
    yield
    parts.showing.stream.close()
    parts.waiting.close()
    for task in running:
        task.cancel()
    for task in running:
        with suppress(asyncio.CancelledError):
            await task
    await asyncio.to_thread(parts.republisher.close)
    await parts.till.aclose()
    await parts.database.close()
