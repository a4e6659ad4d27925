"""Secrets as files: a variable whose name ends with ``_FILE`` names the file that holds the setting."""

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from core.errors import InvalidError


class SecretFiles(PydanticBaseSettingsSource):
    """Reads every secret whose variable with ``_FILE`` is set; the variable itself, if set too, wins."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The file's text without white space around it; None where no file is named.

        Raises:
            InvalidError: the file cannot be read; names the variable.
        """
        variable = f"{self.config.get('env_prefix', '')}{field_name}_file".upper()
        path = os.environ.get(variable)
        if not path or not _is_secret(field):
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            why = "is no text" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {error.strerror}"
            raise InvalidError(f"{variable} names {path}, which {why}", setting=variable) from error

    def __call__(self) -> dict[str, Any]:
        """Every secret that a file holds."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation in (SecretStr, SecretStr | None)
