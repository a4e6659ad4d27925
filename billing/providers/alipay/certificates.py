"""The numbers by which Alipay knows certificates: the application's own, and its roots. Pure.

Source: Alipay open platform, signing with certificates: the MD5 of the issuer's name and the serial number; of a chain
of roots those of the RSA ones, joined.
"""

import hashlib
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from core.errors import InvalidError

RSA_SIGNED: Final = frozenset({SignatureAlgorithmOID.RSA_WITH_SHA1, SignatureAlgorithmOID.RSA_WITH_SHA256})
_NAMED: Final = (
    ("CN", NameOID.COMMON_NAME),
    ("OU", NameOID.ORGANIZATIONAL_UNIT_NAME),
    ("O", NameOID.ORGANIZATION_NAME),
    ("C", NameOID.COUNTRY_NAME),
)


def application_number(text: str, setting: str) -> str:
    """What ``app_cert_sn`` says: of the application's certificate, PEM.

    Raises:
        InvalidError: it is none; names the setting.
    """
    return _number(_read(text, setting)[0])


def root_number(text: str, setting: str) -> str:
    """What ``alipay_root_cert_sn`` says: of the file of root certificates that Alipay hands out, PEM.

    Raises:
        InvalidError: it is none, or no root in it is signed with RSA; names the setting.
    """
    numbers = [_number(one) for one in _read(text, setting) if one.signature_algorithm_oid in RSA_SIGNED]
    if not numbers:
        raise InvalidError(f"{setting} holds no root certificate that is signed with RSA", setting=setting)
    return "_".join(numbers)


def _read(text: str, setting: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.strip().encode())
    except ValueError as error:
        raise InvalidError(f"{setting} is no certificate in PEM", setting=setting) from error


def _number(certificate: x509.Certificate) -> str:
    issuer = {short: certificate.issuer.get_attributes_for_oid(oid) for short, oid in _NAMED}
    name = ",".join(f"{short}={str(found[-1].value) if found else None}" for short, found in issuer.items())
    return hashlib.md5(f"{name}{certificate.serial_number}".encode(), usedforsecurity=False).hexdigest()
