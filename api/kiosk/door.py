"""Who calls, and what time it really is: the same for every kiosk's route."""

from typing import Annotated, Any, Final

from pydantic import Field

from api.door import Device, device
from api.door import now as real_now
from core.clock import rfc3339

Kiosk = Annotated[Device, device("kiosk")]
"""The kiosk whose key the request bears."""

TIME: Final[Any] = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-23T04:00:00.000Z"])


def timed(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with the server's time, which is real whatever clock the city runs on."""
    return {"server_time": rfc3339(real_now()), **answer}
