"""The published schema of the tariff document; ``python -m billing.schema`` writes it anew."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from billing.tariff.document import TariffDocument

FILE: Final = "tariff.schema.json"


def current() -> dict[str, Any]:
    """The schema of the document as the code reads it now."""
    schema = TariffDocument.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "A price notice"}


def text() -> str:
    """The schema as it is published."""
    return json.dumps(current(), ensure_ascii=False, indent=2) + "\n"


def published() -> dict[str, Any]:
    """The schema file."""
    schema: dict[str, Any] = json.loads(files(__name__).joinpath(FILE).read_bytes())
    return schema


def write() -> Path:
    """Write the schema file beside this module."""
    path = Path(__file__).with_name(FILE)
    path.write_text(text(), encoding="utf-8")
    return path
