"""How evidence comes in: as JSON, or as a form with a photo; read after the caller is known, and bounded."""

import asyncio
from base64 import b64decode
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from api.deps import Instant, parts_of
from api.parts import Parts
from api.shapes import Shape
from billing.evidence.photos import LARGEST_BYTES, PhotoRefusedError, PhotosNotConfiguredError, clean_photo
from billing.plates import PlatesNotConfiguredError, PlateVault

Colour = Literal["blue", "yellow", "green", "yellow-green", "white", "black"]
Words = TypeVar("Words", bound="SeenIn")

FORM: Final = "multipart/form-data"
MOST_FIELDS: Final = 12
UNREADABLE: Final = 400
"""What the framework says of a form that is none; one that grew too large says otherwise."""
LONGEST_BASE64: Final = LARGEST_BYTES * 4 // 3 + 4


class SeenIn(Shape):
    """A plate that was seen."""

    plate: str = Field(min_length=1, max_length=24, examples=["浙D·12345"])
    """Of mainland China; blanks, dots and lower case are forgiven."""
    colour: Colour | None = Field(default=None, examples=["blue"])
    """Of the plate: it tells the vehicle's class. None: what the plate's form tells."""
    observed_at: Instant | None = Field(default=None, examples=[None])
    """When it was seen; none: now."""
    photo: Annotated[str, Field(max_length=LONGEST_BASE64)] | None = Field(default=None, examples=[None])
    """JPEG, PNG or WebP, at most 6 MiB, in base64; in a form: the file itself. Kept as a picture alone, encrypted."""


def body_of(shape: type[SeenIn]) -> dict[str, Any]:
    """What OpenAPI says of a body that is JSON or a form with a file."""
    described = shape.model_json_schema(ref_template="#/components/schemas/{model}")
    example = {name: about["examples"][0] for name, about in described["properties"].items()}
    example = {name: value for name, value in example.items() if value is not None}
    file = {"type": "string", "format": "binary", "description": "The photo's file."}
    form = {**described, "properties": {**described["properties"], "photo": file}}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": described, "examples": {"seen": {"value": example}}},
                FORM: {"schema": form},
            },
        }
    }


async def read_seen(request: Request, shape: type[Words]) -> tuple[Words, bytes | None]:
    """What was said, and the photo's file.

    Raises:
        RequestValidationError, HTTPException: it is not what is described.
        PhotoRefusedError: the photo is not base64.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        return await _form(request, shape)
    try:
        seen = shape.model_validate_json(await request.body())
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False, include_context=False)) from None
    if seen.photo is None:
        return seen, None
    try:
        return seen, b64decode(seen.photo, validate=True)
    except ValueError as error:
        raise PhotoRefusedError("the photo is not written in base64") from error


def vault_in(parts: Parts) -> PlateVault:
    """The vault.

    Raises:
        PlatesNotConfiguredError: there is none.
    """
    if parts.plates is None:
        raise PlatesNotConfiguredError("plates are not taken here: PARKING_PLATE_KEY is not set")
    return parts.plates


async def keep_photo(request: Request, content: bytes | None) -> str | None:
    """Look at a photo and keep it; its name, or None where none was sent.

    Raises:
        PhotoRefusedError: it is none.
        PhotosNotConfiguredError: none are kept here.
    """
    if content is None:
        return None
    parts = parts_of(request)
    vault = vault_in(parts)
    if parts.photos is None:
        raise PhotosNotConfiguredError("photos are not taken here: PARKING_PHOTO_DIR is not set")
    picture = await asyncio.to_thread(clean_photo, content)
    return await asyncio.to_thread(parts.photos.keep, vault, picture)


async def _form(request: Request, shape: type[Words]) -> tuple[Words, bytes | None]:
    try:
        async with request.form(max_files=1, max_fields=MOST_FIELDS) as form:
            words: dict[str, Any] = {}
            photo = None
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    photo = await value.read(LARGEST_BYTES + 1)  # its name is the sender's and is not looked at
                elif value:
                    words[name] = value
    except HTTPException as error:
        if error.status_code != UNREADABLE:
            raise
        raise HTTPException(422, "this form cannot be read") from error
    words.pop("photo", None)
    try:
        return shape.model_validate(words), photo
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False, include_context=False)) from None
