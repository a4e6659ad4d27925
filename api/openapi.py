"""The OpenAPI document: complete, with examples, and with the one shape of every refusal."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import Problem, WrongPlace, refusal

DESCRIPTION: Final = """\
Where a space is free now, what a stay costs and why, live.

Instants are RFC 3339; money is whole fen (a hundredth of a yuan); positions are longitude, latitude.
Refusals are `application/problem+json`: `type` is stable, `detail` says what to do.
"""
TAGS: Final = [
    {"name": "lots", "description": "Street sections and car parks."},
    {"name": "spaces", "description": "Single marked spaces."},
    {"name": "live", "description": "Changes as they happen."},
    {"name": "sessions", "description": "One vehicle's visit, for whoever stands before its space."},
    {"name": "payments", "description": "Paying for a session, and what providers say of it."},
    {"name": "passes", "description": "Time paid for in advance, bought online."},
    {"name": "arrears", "description": "What a plate owes from before: asked for, paid, disputed."},
    {"name": "receipts", "description": "What a payer is given as proof."},
    {"name": "city", "description": "What surrounds the map."},
    {"name": "operator", "description": "For people with a login."},
    {"name": "kiosk", "description": "For devices with a key."},
    {"name": "cameras", "description": "For cameras that read plates."},
    {"name": "uplinks", "description": "For platforms that push sensors' messages."},
    {"name": "demo", "description": "Parking by the map where sensors are simulated; absent elsewhere."},
    {"name": "health", "description": "For whoever runs this."},
]


def complete(app: FastAPI) -> None:
    """Let the application describe itself with its refusals instead of the framework's."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=app.openapi_tags,
            )
            schemas = document["components"]["schemas"]
            for model in (Problem, WrongPlace):
                schemas[model.__name__] = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas[model.__name__].pop("$defs", None)
            for operation in (one for path in document["paths"].values() for one in path.values()):
                operation["responses"]["default"] = refusal("Any other refusal")
            for framework in ("HTTPValidationError", "ValidationError"):
                schemas.pop(framework, None)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]  # the way FastAPI documents for this
