"""What may be said of a conversation with a provider: never a key, a signature or who paid. Pure."""

import logging
import re
from typing import Final

HIDDEN: Final = "***"

_QUERY: Final = re.compile(r"\?[^\s\"']*")
_LONG: Final = re.compile(r"[A-Za-z0-9+/_=-]{12,}")


def without_query(text: str) -> str:
    """An address without its query string, which may hold an account's secret, a code or a signature."""
    return _QUERY.sub(f"?{HIDDEN}", text)


def without_names(text: str) -> str:
    """A provider's own words, shortened, with whatever looks like an openid, a number or a key taken out."""
    return _LONG.sub(HIDDEN, text)[:200]


class QueryFilter(logging.Filter):
    """Takes query strings out of what the HTTP client logs of its requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record pass, rewritten."""
        record.msg, record.args = without_query(record.getMessage()), None
        return True


def quiet_http_client() -> None:
    """Put the filter on the HTTP client's own logger, once."""
    logger = logging.getLogger("httpx")
    if not any(isinstance(each, QueryFilter) for each in logger.filters):
        logger.addFilter(QueryFilter())
