"""What all shapes of questions and answers share."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """JSON that comes in or goes out; the words under a field are its description in OpenAPI."""

    model_config = ConfigDict(use_attribute_docstrings=True)
