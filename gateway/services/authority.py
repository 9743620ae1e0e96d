"""Who may do what, beyond which rows they see."""

from gateway.errors import AccessDeniedError, NotAuthenticatedError
from gateway.models import Principal


def require_admin(principal: Principal) -> None:
    """Returns for an admin. Raises AccessDeniedError for a customer, NotAuthenticatedError for nobody."""
    if principal.is_admin:
        return
    if not principal.is_authenticated:
        raise NotAuthenticatedError("A token is needed. Send it as `Authorization: Bearer <token>`.")
    raise AccessDeniedError("Only an admin may do this.")
