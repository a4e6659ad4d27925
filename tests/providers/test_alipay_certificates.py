"""Alipay with certificates: their numbers as its own SDK makes them, sent and signed with every call."""

from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from alipay import DCAliPay  # type: ignore[import-untyped]  # the SDK has no types
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from billing.providers.alipay.certificates import application_number, root_number
from billing.providers.configured import alipay_merchant
from billing.providers.port import Channel, OrderStatus
from core.errors import InvalidError
from core.settings import Settings
from tests.providers.conftest import Merchant
from tests.providers.strangers import NOW, order, pem, private_key, public_pem

pytestmark = pytest.mark.filterwarnings("ignore:X509.get_issuer is deprecated:DeprecationWarning")

ISSUERS = (
    {"CN": "Ant Financial Certification Authority Class 2 R1", "OU": "CA", "O": "Ant Financial", "C": "CN"},
    {"CN": "支付宝 (测试)", "C": "CN"},
    {"O": "nameless"},
)
OIDS = {
    "CN": NameOID.COMMON_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "C": NameOID.COUNTRY_NAME,
}


def certificate(issuer: dict[str, str], *, serial: int = 2026_11_23, with_curve: bool = False) -> str:
    """Of the application, by this issuer; PEM."""
    key = ec.generate_private_key(ec.SECP256R1()) if with_curve else private_key("authority")
    name = x509.Name([x509.NameAttribute(OIDS[short], value) for short, value in issuer.items()])
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "us")]))
        .issuer_name(name)
        .public_key(private_key("us").public_key())
        .serial_number(serial)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=900))
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize("issuer", ISSUERS)
@pytest.mark.parametrize("serial", [1, 2**64, 2**158 + 7])
def test_an_applications_number_is_the_sdks(issuer: dict[str, str], serial: int) -> None:
    ours = certificate(issuer, serial=serial)
    assert application_number(ours, "X") == DCAliPay.get_cert_sn(ours)


def test_the_roots_number_is_the_sdks_and_leaves_out_other_algorithms() -> None:
    roots = [certificate(ISSUERS[0], serial=5), certificate(ISSUERS[0], with_curve=True), certificate(ISSUERS[1])]
    chain = "\n".join(roots)
    assert root_number(chain, "X") == DCAliPay.get_root_cert_sn(chain)
    assert root_number(chain, "X").count("_") == 1


@pytest.mark.parametrize("text", ["", "x", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate_names_the_setting(text: str) -> None:
    for number in (application_number, root_number):
        with pytest.raises(InvalidError, match="PARKING_X"):
            number(text, "PARKING_X")


def test_roots_without_rsa_are_refused() -> None:
    with pytest.raises(InvalidError, match="signed with RSA"):
        root_number(certificate(ISSUERS[0], with_curve=True), "PARKING_X")


def test_one_certificate_without_the_other_is_refused() -> None:
    given = {
        "alipay_app_id": "2021000000000001",
        "alipay_seller_id": "2088000000000015",
        "alipay_private_key": pem(private_key("us")),
        "alipay_public_key": public_pem(private_key("alipay")),
    }
    with pytest.raises(InvalidError, match="PARKING_ALIPAY_ROOT_CERTIFICATE"):
        alipay_merchant(Settings.model_validate(given | {"alipay_app_certificate": certificate(ISSUERS[0])}))


async def test_calls_and_pages_carry_both_numbers_under_the_signature(merchant: Merchant) -> None:
    ours, roots = certificate(ISSUERS[0]), certificate(ISSUERS[0], serial=9)
    providers = merchant.with_settings(PARKING_ALIPAY_APP_CERTIFICATE=ours, PARKING_ALIPAY_ROOT_CERTIFICATE=roots)
    alipay = providers["alipay"]
    state = await alipay.query(merchant.order_no)
    assert state.status is OrderStatus.NOT_FOUND, "the gateway believed the signature over them"
    opened = await alipay.create(order(Channel.ALIPAY_WAP))
    assert opened.pay_url is not None
    fields = dict(parse_qsl(opened.pay_url.partition("?")[2]))
    assert (fields["app_cert_sn"], fields["alipay_root_cert_sn"]) == (
        DCAliPay.get_cert_sn(ours),
        DCAliPay.get_root_cert_sn(roots),
    )
    for provider in providers.values():
        await provider.aclose()
