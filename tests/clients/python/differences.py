"""Where the server is meant to differ from the reference: single cases, each with its reason. No whole rule belongs here."""

import re


def describes_a_scalar_of_the_specification(request):
    return re.search(r'__type\(name: "+(ID|Int|String)"+\)', request.query) and "description" in request.query


def asks_for_interfaces_of_node(request):
    return re.search(r'__type\(name: "+Node"+\)', request.query) and "interfaces" in request.query


# What a request asks for, and why the answers may differ.
CASES = [
    (describes_a_scalar_of_the_specification, "each implementation has words of its own for them"),
    (asks_for_interfaces_of_node, "async-graphql has null for an interface that implements no other, instead of an empty list"),
]


def meant(request):
    return any(applies(request) for applies, _ in CASES)
