"""Number plates at rest: ciphertext nobody can read without the key, and tokens to find it that only the key makes.

One secret, stretched into a key for the ciphertext and one for the tokens. The tokens are exact; a wrong or other key
finds nothing and reads nothing.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import InvalidError, UnavailableError
from core.plate import Plate, parse_plate
from core.tables import PlateEvidence, PlateRow

KEY_NUMBER: Final = 1
KEY_CHARACTERS: Final = 32
NONCE_BYTES: Final = 12
TOKEN_BYTES: Final = 16
LOOK_ALIKES: Final = str.maketrans("DQ8Z5", "00B2S")
"""Characters a person or a camera confuses, made equal: 0/D/Q, 8/B, 2/Z, 5/S."""


class PlatesNotConfiguredError(UnavailableError):
    """No key for plates is set, so none is taken: it could not be kept safely."""

    slug = "plates-not-configured"


@dataclass(frozen=True, slots=True)
class PlateVault:
    """Seals, opens and finds plates with one key."""

    secret: str = field(repr=False)
    number: int = KEY_NUMBER

    def seal(self, plate: Plate) -> bytes:
        """Nonce and ciphertext, another each time; the key's number is bound to it."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self._key("cipher")).encrypt(nonce, plate.text.encode(), self._bound)

    def open(self, ciphertext: bytes) -> Plate:
        """The plate that was sealed.

        Raises:
            cryptography.exceptions.InvalidTag: with another key, or altered since.
        """
        nonce, sealed = ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:]
        return parse_plate(AESGCM(self._key("cipher")).decrypt(nonce, sealed, self._bound).decode())

    def token(self, kind: str, text: str) -> bytes:
        """What stands in the table for a text of this kind: ``exact``, ``last4``, ``last5`` or ``skeleton``."""
        return hmac.digest(self._key("token"), f"{kind}:{text}".encode(), "sha256")[:TOKEN_BYTES]

    @property
    def _bound(self) -> bytes:
        return f"plate:{self.number}".encode()

    def _key(self, purpose: str) -> bytes:
        return hashlib.sha256(f"{purpose}:{self.number}:{self.secret}".encode()).digest()


def vault_of(secret: str, number: int = KEY_NUMBER) -> PlateVault | None:
    """The vault of a key; None where none is set.

    Raises:
        InvalidError: the key is too short to be one.
    """
    if not secret:
        return None
    if len(secret) < KEY_CHARACTERS:
        raise InvalidError(f"PARKING_PLATE_KEY needs at least {KEY_CHARACTERS} random characters")
    return PlateVault(secret, number)


def skeleton(plate: Plate) -> str:
    """The plate with look-alike characters made equal; the province stays as it is."""
    return plate.text[0] + plate.text[1:].translate(LOOK_ALIKES)


async def store_plate(db: AsyncConnection, vault: PlateVault, plate: Plate, *, at: datetime) -> UUID:
    """The row of a plate, made when it is seen for the first time."""
    exact = vault.token("exact", plate.text)
    row = insert(PlateRow).values(
        ciphertext=vault.seal(plate),
        key_number=vault.number,
        exact_token=exact,
        last4_token=vault.token("last4", plate.text[-4:]),
        last5_token=vault.token("last5", plate.text[-5:]),
        skeleton_token=vault.token("skeleton", skeleton(plate)),
        first_seen_at=at,
    )
    await db.execute(row.on_conflict_do_nothing(index_elements=["key_number", "exact_token"]))
    known = select(PlateRow.id).where(PlateRow.key_number == vault.number, PlateRow.exact_token == exact)
    plate_id: UUID = (await db.execute(known)).scalar_one()
    return plate_id


async def claim_plate(db: AsyncConnection, vault: PlateVault, session_id: UUID, plate: Plate, *, at: datetime) -> None:
    """Keep a driver's word that this plate stands there: evidence of the lowest trust, once for each plate.

    Better evidence is neither compared nor told: whoever guesses plates here learns nothing.
    """
    plate_id = await store_plate(db, vault, plate, at=at)
    same = (
        select(func.count())
        .select_from(PlateEvidence)
        .where(
            PlateEvidence.session_id == session_id, PlateEvidence.plate_id == plate_id, PlateEvidence.source == "claim"
        )
    )
    if (await db.execute(same)).scalar_one():
        return
    await db.execute(
        insert(PlateEvidence).values(
            session_id=session_id, plate_id=plate_id, source="claim", observed_at=at, recorded_at=at
        )
    )
