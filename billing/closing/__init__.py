"""The daily close: the provider's bill, our orders and the journal laid side by side. docs/closing.md"""

from billing.closing.closing import close_day, fetch_close, list_closes
from billing.closing.importing import BillChangedError, import_bill
from billing.closing.matching import Cause, Closed, Difference

__all__ = [
    "BillChangedError",
    "Cause",
    "Closed",
    "Difference",
    "close_day",
    "fetch_close",
    "import_bill",
    "list_closes",
]
