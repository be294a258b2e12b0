"""Domains: a type of one's own, with its base type and what its CHECKs say of each value.

A column of a domain is read as a column of the base type that has the domain's CHECKs, so that
rules need not know how a bound was declared.
"""

from dataclasses import replace
from typing import Any

from tradewright.review.schema.catalog import Constraint, ConstraintKind, Domain, Schema, Table
from tradewright.review.schema.tree import strings, type_modifiers, type_name
from tradewright.review.source.text import Statement

_VALUE = "value"


def create_domain(schema: Schema, statement: Statement) -> None:
    """Add the domain that a statement makes; one over another domain has that one's CHECKs too."""
    node = statement.node
    name = strings(node.get("domainname"))[-1]
    schema.types.add(name)
    base = schema.domains.get(type_name(node.get("typeName")))
    constraints = [wrapped["Constraint"] for wrapped in node.get("constraints", ())]
    checks = tuple(
        Constraint(
            kind=ConstraintKind.CHECK,
            name=inside.get("conname", f"{name}_check"),
            columns=(_VALUE,),
            node=inside,
            statement=statement,
            offset=statement.place(inside),
        )
        for inside in constraints
        if inside.get("contype") == "CONSTR_CHECK"
    )
    schema.domains[name] = Domain(
        base.type if base else type_name(node.get("typeName")),
        base.modifiers if base else type_modifiers(node.get("typeName")),
        (base.checks if base else ()) + checks,
    )


def resolve_domains(schema: Schema, table: Table) -> None:
    """Give each column of a domain the base type, and the table the domain's CHECKs of it."""
    for column in table.columns.values():
        domain = schema.domains.get(column.type)
        if domain is None:
            continue
        column.type, column.modifiers = domain.type, domain.modifiers
        table.constraints += [
            replace(check, columns=(column.name,), node=_of_column(check.node, column.name))
            for check in domain.checks
        ]


def _of_column(node: Any, column: str) -> Any:
    """Return a tree in which VALUE, as a domain calls what it checks, is the column."""
    if isinstance(node, list):
        return [_of_column(inside, column) for inside in node]
    if not isinstance(node, dict):
        return node
    if strings(node.get("ColumnRef", {}).get("fields")) == [_VALUE]:
        return {"ColumnRef": {"fields": [{"String": {"sval": column}}]}}
    return {key: _of_column(inside, column) for key, inside in node.items()}
