"""Officers: their names, roles and passwords."""

from dataclasses import dataclass

from api.auth import passwords
from api.auth.file import AuthFile
from api.auth.principal import AuthError, Principal, as_kept, check_role, checked_name


@dataclass(frozen=True, slots=True)
class OfficerRecord:
    """What is known of an officer, apart from the password.

    changed_ms : when password or role were last set
    sessions : where the officer is signed in now, as a count
    """

    name: str
    role: str
    created_ms: int
    changed_ms: int
    sessions: int


@dataclass(frozen=True, slots=True)
class Proven:
    """An officer who has shown the password that was kept at `changed_ms`."""

    principal: Principal
    changed_ms: int


class Officers:
    """Officers in `auth.sqlite`. Thread-safe.

    Whatever changes what an officer may do, or with which password, ends the officer's
    sessions in the same transaction.
    """

    def __init__(self, file: AuthFile) -> None:
        self._file = file

    def add(self, name: str, role: str, password: str, now_ms: int) -> None:
        """Add an officer.

        Raises
        ------
        AuthError
            For a name that is taken, or a name, role or password that isn't accepted.
        """
        name = checked_name(name)
        if "/" in name or name in {".", ".."}:  # no address of a request could name them
            raise AuthError(f"name = {name!r}: without a slash, and more than dots")
        check_role(role)
        passwords.check_password(password)
        row = (name, role, passwords.kept(password), now_ms, now_ms)
        with self._file.transaction() as connection:
            done = connection.execute("INSERT OR IGNORE INTO officer VALUES (?, ?, ?, ?, ?)", row)
            if done.rowcount == 0:
                raise AuthError(f"name = {name!r}: there is an officer of that name already")

    def prove(self, name: str, password: str) -> Proven | None:
        """The officer of that name and password. Takes as long for a name that nobody has.

        A password that an older version has kept, or at a lower cost, is kept anew.
        """
        found = self._file.rows(
            "SELECT name, role, password, changed_ms FROM officer WHERE name = ?", (as_kept(name),)
        )
        known, role, kept, changed_ms = found[0] if found else ("", "viewer", None, 0)
        if not passwords.matches(password, kept):
            return None
        if passwords.outdated(kept):
            anew = passwords.kept(password)  # slow, so before the file is held
            with self._file.transaction() as connection:
                connection.execute(
                    "UPDATE officer SET password = ? WHERE name = ? AND password = ?",
                    (anew, known, kept),
                )
        return Proven(Principal(known, role), changed_ms)

    def role_of(self, name: str) -> str | None:
        """None where there is no officer of that name."""
        found = self._file.rows("SELECT role FROM officer WHERE name = ?", (as_kept(name),))
        return str(found[0][0]) if found else None

    def set_password(self, name: str, password: str, now_ms: int) -> bool:
        """False where there is no such officer. Raises AuthError for the password."""
        passwords.check_password(password)
        return self._change(name, "password", passwords.kept(password), now_ms)

    def set_role(self, name: str, role: str, now_ms: int) -> bool:
        """False where there is no such officer. Raises AuthError for the role."""
        check_role(role)
        return self._change(name, "role", role, now_ms)

    def _change(self, name: str, column: str, value: str, now_ms: int) -> bool:
        name = as_kept(name)
        with self._file.transaction() as connection:
            connection.execute("DELETE FROM session WHERE name = ?", (name,))
            done = connection.execute(
                f"UPDATE officer SET {column} = ?, changed_ms = ? WHERE name = ?",  # noqa: S608
                (value, now_ms, name),
            )
            return done.rowcount == 1

    def remove(self, name: str) -> bool:
        """False where there is no such officer. What the audit says of them stays."""
        name = as_kept(name)
        with self._file.transaction() as connection:
            connection.execute("DELETE FROM session WHERE name = ?", (name,))
            return connection.execute("DELETE FROM officer WHERE name = ?", (name,)).rowcount == 1

    def find(self, name: str, now_ms: int) -> OfficerRecord | None:
        """The officer of that name."""
        name = as_kept(name)
        return next((one for one in self.list(now_ms) if one.name == name), None)

    def list(self, now_ms: int) -> tuple[OfficerRecord, ...]:
        """By name."""
        rows = self._file.rows(
            "SELECT o.name, o.role, o.created_ms, o.changed_ms, count(s.id) FROM officer o"
            " LEFT JOIN session s ON s.name = o.name"
            " AND ? < min(s.until_ms, s.used_ms + s.idle_ms)"
            " GROUP BY o.name ORDER BY o.name",
            (now_ms,),
        )
        return tuple(OfficerRecord(*row) for row in rows)
