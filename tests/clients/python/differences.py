"""Where the server is meant to differ from the reference: single cases, each with its reason. No whole rule belongs here."""

import re

from graphql import get_operation_ast, parse


def asks_for_interfaces_of_node(request):
    return re.search(r'__type\(name: "+Node"+\)', request.query) and "interfaces" in request.query


def decides_the_root_by_null(request):
    """Whether a variable is null on which it depends whether something at the root of the operation is selected."""
    nulls = {name for name, value in (request.variables or {}).items() if value is None}
    if not nulls:
        return False
    document = parse(request.query)
    operation = get_operation_ast(document, request.operation_name)
    fragments = {one.name.value: one for one in document.definitions if one.kind == "fragment_definition"}
    pending, seen = list(operation.selection_set.selections), set()
    while pending:
        selection = pending.pop()
        for directive in selection.directives:
            if any(getattr(argument.value, "name", None) and argument.value.name.value in nulls for argument in directive.arguments):
                return True
        if selection.kind == "inline_fragment":
            pending.extend(selection.selection_set.selections)
        if selection.kind == "fragment_spread" and selection.name.value not in seen:
            seen.add(selection.name.value)
            pending.extend(fragments[selection.name.value].selection_set.selections)
    return False


# What a request asks for, and why the answers may differ.
CASES = [
    (decides_the_root_by_null, "nothing is executed then: the server refuses the request, and the reference answers it with null"),
    (asks_for_interfaces_of_node, "async-graphql has null for an interface that implements no other, instead of an empty list"),
]


def meant(request):
    return any(applies(request) for applies, _ in CASES)
