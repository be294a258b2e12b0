"""A password or a key stands in the migration.

It is in the repository's history for good, in the server's log, and in pg_stat_statements. Each
installation has the same one.

Instead of::

    CREATE ROLE trader LOGIN PASSWORD 'secret123';

Use::

    CREATE ROLE trader LOGIN;

Not reported when the password is NULL or a placeholder, and for texts that are no secret.
"""

import re
from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import constant_text, option, range_name

_HASH = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}|\$argon2(?:id|i|d)\$|\$6\$[^$]+\$|\{SSHA\}")
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|\bsk_live_\w{10,}|\bghp_\w{30,}")
_SIGNS = ("$2", "$argon", "$6$", "{ssha}", "private key", "akia", "sk_live", "ghp_")
_SECRET = re.compile(
    r"(?:^|_)(?:password|passwd|secret|api_key|private_key|token)(?:_hash)?$", re.IGNORECASE
)


_CONNECTIONS = frozenset(
    {
        "CreateUserMappingStmt",
        "AlterUserMappingStmt",
        "CreateSubscriptionStmt",
        "AlterSubscriptionStmt",
    }
)
_CONNINFO = re.compile(r"\bpassword\s*=\s*[^\s$]|//[^:/@\s]+:[^@$\s]+@")


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.kind in {"CreateRoleStmt", "AlterRoleStmt"}:
        password = option(event.node.get("options"), "password")
        name = event.node.get("role") or event.node.get("role", {})
        if password and "String" in password:
            message = "a role's password stands in the migration, readable for all time"
            advice = "Create the role without one, and set the password where it is deployed."
            label = name if isinstance(name, str) else name.get("rolename", "role")
            yield Hit(event.statement, event.statement.start, message, advice, str(label))
        return
    if event.kind in _CONNECTIONS:
        yield from _connection(event)
        return
    yield from _named_secrets(event)
    if not context.mentions("secret-in-sql", event.source, _SIGNS):
        return
    for constant in event.statement.nodes("A_Const"):
        text = constant.get("sval", {}).get("sval", "")
        if _HASH.search(text) or _KEY.search(text):
            message = "a password's hash or a private key stands in the migration"
            advice = "Create the account where it is deployed, and change what was committed."
            name = range_name(event.node.get("relation"))[1]
            yield Hit(event.statement, event.statement.place(constant), message, advice, name)


def _connection(event: Event) -> Iterator[Hit]:
    """Find the password of a user mapping or a subscription."""
    node = event.node
    password = "String" in (option(node.get("options"), "password") or {})
    if password or _CONNINFO.search(str(node.get("conninfo", ""))):
        message = "the password of a connection stands in the migration, readable for all time"
        advice = "Make the connection where it is deployed."
        name = str(node.get("subname") or node.get("servername", ""))
        yield Hit(event.statement, event.statement.start, message, advice, name)


def _named_secrets(event: Event) -> Iterator[Hit]:
    columns = [w.get("ResTarget", {}).get("name", "") for w in event.node.get("cols", ())]
    rows = event.node.get("selectStmt", {}).get("SelectStmt", {}).get("valuesLists", [])
    for index, column in enumerate(columns):
        if not _SECRET.search(column):
            continue
        for row in rows:
            value = row["List"]["items"][index : index + 1]
            text = constant_text(value[0]) if value else None
            if text and not _HASH.search(text) and len(text) > 5:
                message = f'a value for "{column}" stands in the migration'
                advice = "Insert it where it is deployed."
                place = event.statement.place(value[0].get("A_Const"))
                yield Hit(event.statement, place, message, advice, column)


RULE = Rule(
    id="secret-in-sql",
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    kinds=("CreateRoleStmt", "AlterRoleStmt", "InsertStmt", "UpdateStmt", *sorted(_CONNECTIONS)),
    check=_check,
)
