"""The desk of the payments' tests: a town, an api, two strangers."""

from tests.payments.conftest import desk, town

__all__ = ["desk", "town"]
