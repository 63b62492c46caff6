"""Who may do what: roles, tokens, officers, sessions, one-use tickets, and the audit."""

from api.auth.doorkeeper import TICKET_TTL_MS, TICKETS_MAX, Doorkeeper, TicketOffice
from api.auth.principal import ANONYMOUS, ROLES, AuthError, Principal
from api.auth.sessions import Lifetime
from api.auth.store import AuditRecord, AuthStore, TokenRecord

__all__ = [
    "ANONYMOUS",
    "ROLES",
    "TICKETS_MAX",
    "TICKET_TTL_MS",
    "AuditRecord",
    "AuthError",
    "AuthStore",
    "Doorkeeper",
    "Lifetime",
    "Principal",
    "TicketOffice",
    "TokenRecord",
]
