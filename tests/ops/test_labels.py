"""The labels on posts: every space once, its code opening its own page."""

from pathlib import Path

import pytest

from billing.receipts.fonts import find_file, font_of
from core.tokens import is_space_token
from ops.labels import ACROSS, DOWN, Label, address_of, labels_pdf
from tests.support.pdf import text_of

KEY = "a key of thirty-two characters !!"


def test_the_code_opens_the_page_of_its_own_space_only() -> None:
    label = Label(space_code="KL-017", lot_name="鼓山路")
    address = address_of(label, public_url="https://parking.example/", secret_key=KEY)
    page, _, token = address.partition("?k=")
    assert page == "https://parking.example/s/KL-017"
    assert is_space_token(KEY, "KL-017", token)
    assert not is_space_token(KEY, "KL-018", token)


@pytest.mark.parametrize("count", [1, ACROSS * DOWN, ACROSS * DOWN + 1])
def test_every_space_has_its_label(count: int, chinese_font: Path) -> None:
    labels = [Label(space_code=f"KL-{n:03}", lot_name="鼓山路") for n in range(1, count + 1)]
    pdf = labels_pdf(labels, public_url="https://parking.example", secret_key=KEY, font=font_of(chinese_font))
    written = text_of(pdf)
    assert all(label.space_code in written for label in labels)
    assert written.count("鼓山路") == count
    assert pdf.count(b"/Type /Page\n") == (count + ACROSS * DOWN - 1) // (ACROSS * DOWN)


@pytest.fixture
def chinese_font() -> Path:
    found = find_file(("/usr/share/fonts", "/usr/local/share/fonts"))
    assert found is not None, "apt-get install fonts-noto-cjk"
    return found
