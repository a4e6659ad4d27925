import re

from hypothesis import given
from hypothesis import strategies as st

from core.tokens import digest_of, is_space_token, new_secret, space_token

KEY = "a key of tests, at least 32 characters long"


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_token_is_good_for_its_own_space_alone(one: str, other: str) -> None:
    token = space_token(KEY, one)
    assert re.fullmatch(r"[A-Za-z0-9_-]{12}", token)
    assert is_space_token(KEY, one, token)
    assert is_space_token(KEY, other, token) is (one == other)
    assert not is_space_token(KEY + "2", one, token)


@given(st.text())
def test_any_text_may_be_tried_as_a_token(guess: str) -> None:
    assert not is_space_token(KEY, "KL-017", guess)


def test_secrets_are_never_the_same_and_only_their_digest_is_kept() -> None:
    secrets = {new_secret("kiosk") for _ in range(100)}
    assert len(secrets) == 100
    assert all(secret.startswith("kiosk_") for secret in secrets)
    assert len({digest_of(secret) for secret in secrets}) == 100
