"""What people with a login may do, by one word each. Pure."""

from enum import StrEnum


class Role(StrEnum):
    """One person has one role; ``admin`` may do what every other may."""

    ADMIN = "admin"
    OPERATOR = "operator"
    """Lots, sensors and cases."""
    WARDEN = "warden"
    """In the street: plates with evidence, spaces out of use."""
    FINANCE = "finance"
    """Refunds, reconciliation, the audit."""

    def may_act_as(self, *roles: "Role") -> bool:
        """Whether this role is one of those, or admin."""
        return self is Role.ADMIN or self in roles
