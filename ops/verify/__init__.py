"""Whether what the system says happened is what really happened: sessions and fees against a simulator's truth."""

from hashlib import sha256

from ops.state import State
from ops.verify.compare import compare
from ops.verify.money import People
from ops.verify.promise import Promise, PromiseWatch
from ops.verify.report import Difference, Readings, Report, Session, Why
from ops.verify.run import TruthOfAnotherCityError, verify
from ops.verify.truth import Stay, Truth, load_truth

__all__ = [
    "Difference",
    "People",
    "Promise",
    "PromiseWatch",
    "Readings",
    "Report",
    "Session",
    "Stay",
    "Truth",
    "TruthOfAnotherCityError",
    "Why",
    "compare",
    "installation_name",
    "load_truth",
    "verify",
]


def installation_name(state: State) -> str:
    """By what a truth file and an installation know each other; empty where no installation has run yet.

    A digest of a secret that every installation has and that never changes: nothing can be found out from it.
    """
    if not (state.root / "secrets" / "secret-key").exists():
        return ""
    return sha256(b"installation\x00" + state.secret("secret-key").encode()).hexdigest()[:16]
