"""Number plates at rest: sealed by a ring of keys, found by keyed tokens, moved to newer keys, erased in time."""

from billing.plates.finding import FoundPlate, find_plates
from billing.plates.lookalikes import skeleton
from billing.plates.storing import PlatesNotConfiguredError, find_plate_id, store_plate
from billing.plates.vault import PlateKey, PlateVault, masked, vault_of

__all__ = [
    "FoundPlate",
    "PlateKey",
    "PlateVault",
    "PlatesNotConfiguredError",
    "find_plate_id",
    "find_plates",
    "masked",
    "skeleton",
    "store_plate",
    "vault_of",
]
