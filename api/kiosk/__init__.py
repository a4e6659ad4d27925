"""For payment kiosks: every answer carries the server's time, because theirs may be wrong."""

from fastapi import APIRouter

from api.kiosk import debts, events, finding, paying

router = APIRouter(prefix="/api/v1/kiosk", tags=["kiosk"])
for part in (events, finding, paying, debts):
    router.include_router(part.router)
