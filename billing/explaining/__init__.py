"""Why a session is what it is and costs what it costs, from the bytes to the fen, and whether that still computes."""

from billing.explaining.chain import Explanation, explain
from billing.explaining.facts import Facts
from billing.explaining.loading import SessionNotFoundError, find_session, load_facts
from billing.explaining.shape import explanation_object

__all__ = [
    "Explanation",
    "Facts",
    "SessionNotFoundError",
    "explain",
    "explanation_object",
    "find_session",
    "load_facts",
]
