"""Ways to change names, what is selected, fragments, directives and operations."""

import re
from dataclasses import replace

from graphql import get_named_type, is_leaf_type


# --- names


def misspell_a_field(draft):
    node, _, _ = draft.one(draft.places.fields)
    return draft.put_for(node.name, draft.misspelt(node.name.value))


def take_a_field_of_another_type(draft):
    node, parent, _ = draft.one(draft.places.fields)
    other = draft.schema.get_type(draft.random.choice(["Article", "PageInfo", "IndexStatus", "Query", "Recommendation"]))
    # Where the type has the field too, another article would be asked for.
    names = [name for name in other.fields if parent is None or name not in getattr(parent, "fields", {})]
    return draft.put_for(node.name, draft.random.choice(names)) if names else None


def misspell_an_argument(draft):
    found = draft.one(draft.places.arguments)
    return found and draft.put_for(found[0].name, draft.misspelt(found[0].name.value))


def misspell_an_input_field(draft):
    found = draft.one(draft.places.object_fields)
    return found and draft.put_for(found[0].name, draft.misspelt(found[0].name.value))


def misspell_a_type(draft):
    found = draft.one(draft.places.types)
    return found and draft.put_for(found[0], draft.misspelt(found[0].name.value))


def misspell_an_enum_value(draft):
    found = draft.one([node for node, _ in draft.places.literals if node.kind == "enum_value"])
    return found and draft.put_for(found, draft.misspelt(found.value))


def rename_an_alias(draft):
    """Everywhere, so that fields which are one stay one."""
    node = draft.one([node for node, _, _ in draft.places.fields if node.alias])
    if node is None:
        return None
    text = re.sub(rf"(?<![\w$]){node.alias.value}(\s*:)", rf"{node.alias.value}_renamed\1", draft.text)
    return replace(draft.request, query=text)


def rename_a_fragment(draft):
    node = draft.one(draft.places.fragments)
    if node is None:
        return None
    text = re.sub(rf"(\.\.\.\s*|fragment\s+){node.name.value}\b", r"\1Renamed", draft.text)
    return replace(draft.request, query=text)


def rename_a_variable(draft):
    node = draft.one(draft.places.definitions)
    if node is None:
        return None
    name = node.variable.name.value
    text = re.sub(rf"\${name}\b", "$renamed", draft.text)
    variables = {("renamed" if key == name else key): value for key, value in (draft.request.variables or {}).items()}
    return replace(draft.request, query=text, variables=variables)


# --- merging


def contradict_by_an_alias(draft):
    """Another field under a response name that is taken, somewhere in the same place of the answer."""
    found = draft.one(
        [
            (node, parent)
            for node, parent, type_ in draft.places.fields
            if parent and hasattr(parent, "fields") and not node.name.value.startswith("__")
        ]
    )
    if found is None:
        return None
    node, parent = found
    key = node.alias.value if node.alias else node.name.value
    leaves = [name for name, one in parent.fields.items() if is_leaf_type(get_named_type(one.type)) and name != node.name.value]
    other = draft.random.choice([*leaves, "__typename"]) if leaves else "__typename"
    text = f" {key}: {other} "
    if draft.random.random() < 0.5:
        text = f" ... on {parent.name} {{{text}}} "
    at = draft.random.choice([node.loc.start, node.loc.end])
    return draft.insert(at, text)


def contradict_by_arguments(draft):
    found = draft.one(
        [
            node
            for node, _, _ in draft.places.fields
            if node.name.value in ("similarTo", "articles", "article", "recommend", "nodes", "node")
        ]
    )
    if found is None:
        return None
    head = f"{found.alias.value + ': ' if found.alias else ''}{found.name.value}"
    other = {
        "similarTo": "(k: 2)",
        "articles": "(first: 2)",
        "article": "(id: 2)",
        "recommend": "(k: 2)",
        "nodes": "(ids: [2])",
        "node": "(id: 2)",
    }
    return draft.insert(found.loc.end, f" {head}{other[found.name.value]} {{ __typename }} ")


def contradict_below(draft):
    """The same field twice, with contradicting fields within."""
    found = draft.one([(node, type_) for node, _, type_ in draft.places.fields if node.selection_set and type_ is not None])
    if found is None:
        return None
    node, type_ = found
    inner = get_named_type(type_)
    leaves = [
        name for name, one in getattr(inner, "fields", {}).items() if is_leaf_type(get_named_type(one.type)) and not one.args
    ]
    if not leaves:
        return None
    head = draft.text[node.loc.start : node.selection_set.loc.start]
    one, other = draft.random.choice(leaves), draft.random.choice(leaves)
    first = f"{head}{{ same: {one} }} "
    second = f" ... {{ {head}{{ same: {other} }} }} "
    return draft.put_for(node, first + draft.source(node) + second)


def repeat_a_field(draft):
    node, _, _ = draft.one(draft.places.fields)
    return draft.insert(node.loc.end, draft.random.choice([" ", ", "]) + draft.source(node) + " ")


def repeat_a_field_in_a_fragment(draft):
    node, parent, _ = draft.one(draft.places.fields)
    if parent is None or parent.name in ("Mutation", "Subscription"):
        return None
    condition = draft.random.choice(["", f"on {parent.name} "])
    return draft.insert(node.loc.end, f" ... {condition}{{ {draft.source(node)} }} ")


# --- fragments


def close_a_circle(draft):
    node = draft.one(draft.places.fragments)
    if node is None:
        return None
    other = draft.random.choice(
        [one.name.value for one in draft.places.fragments if one.type_condition.name.value == node.type_condition.name.value]
    )
    if draft.random.random() < 0.5:
        other = node.name.value
    return draft.insert(node.selection_set.loc.start + 1, f" ...{other} ")


def close_a_circle_below(draft):
    found = draft.one([node for node in draft.places.fragments if node.type_condition.name.value == "Recommendation"])
    if found is None:
        return None
    return draft.insert(found.selection_set.loc.start + 1, f" article {{ similarTo {{ ...{found.name.value} }} }} ")


def add_an_unused_fragment(draft):
    return draft.insert(len(draft.text), " fragment Unused on Article { id } ")


def define_a_fragment_twice(draft):
    node = draft.one(draft.places.fragments)
    return node and draft.insert(len(draft.text), f" {draft.source(node)}")


def spread_an_unknown_fragment(draft):
    node = draft.one(draft.places.spreads)
    if node is not None and draft.random.random() < 0.5:
        return draft.put_for(node.name, "Unknown")
    found, _ = draft.one(draft.places.selection_sets)
    return draft.insert(found.loc.start + 1, " ...Unknown ")


def spread_where_it_cannot_be(draft):
    found, _ = draft.one(draft.places.selection_sets)
    type_ = draft.random.choice(["PageInfo", "Mutation", "UserError", "Int", "ArticleFilter", "Article", "Node"])
    return draft.insert(found.loc.start + 1, f" ... on {type_} {{ __typename }} ")


def name_a_fragment_on(draft):
    node = draft.one(draft.places.fragments)
    return node and replace(draft.request, query=re.sub(rf"\b{node.name.value}\b", "on", draft.text))


def define_a_fragment_on_no_type(draft):
    node = draft.one(draft.places.fragments)
    return node and draft.put(node.name.loc.end, node.selection_set.loc.start, " ")


def spread_twice(draft):
    node = draft.one(draft.places.spreads)
    return node and draft.insert(node.loc.end, f" ...{node.name.value} ")


def put_into_a_fragment(draft):
    found = draft.one([(node, parent) for node, parent, _ in draft.places.fields if parent is not None])
    if found is None:
        return None
    node, parent = found
    condition = draft.random.choice(["", f"on {parent.name} "])
    return draft.put_for(node, f"... {condition}{{ {draft.source(node)} }}")


def move_into_a_new_fragment(draft):
    found = draft.one([(node, parent) for node, parent, _ in draft.places.fields if parent is not None])
    if found is None:
        return None
    node, parent = found
    request = draft.put_for(node, "...Moved ")
    return replace(request, query=f"{request.query} fragment Moved on {parent.name} {{ {draft.source(node)} }}")


# --- directives


def add_an_unknown_directive(draft):
    node, _, _ = draft.one(draft.places.fields)
    return draft.insert(node.selection_set.loc.start if node.selection_set else node.loc.end, " @unknown ")


def misplace_a_directive(draft):
    kind = draft.random.random()
    directive = draft.random.choice([" @include(if: true) ", " @skip(if: false) ", " @deprecated ", ' @specifiedBy(url: "x") '])
    if kind < 0.35:
        return draft.insert(draft.one(draft.places.operations).selection_set.loc.start, directive)
    if kind < 0.6 and draft.places.definitions:
        return draft.insert(draft.one(draft.places.definitions).loc.end, directive)
    if kind < 0.85 and draft.places.fragments:
        return draft.insert(draft.one(draft.places.fragments).selection_set.loc.start, directive)
    node, _, _ = draft.one(draft.places.fields)
    return draft.insert(node.selection_set.loc.start if node.selection_set else node.loc.end, " @deprecated ")


def repeat_a_directive(draft):
    node, _, _ = draft.one(draft.places.fields)
    at = node.selection_set.loc.start if node.selection_set else node.loc.end
    return draft.insert(at, " @include(if: true) @include(if: true) ")


def spoil_the_argument_of_a_directive(draft):
    node, _, _ = draft.one(draft.places.fields)
    at = node.selection_set.loc.start if node.selection_set else node.loc.end
    return draft.insert(
        at,
        draft.random.choice(
            [
                " @skip ",
                " @skip() ",
                ' @include(if: "true") ',
                " @include(if: null) ",
                " @skip(if: 1) ",
                " @include(unless: true) ",
                " @include(if: true, if: true) ",
                " @include(if: true, unless: false) ",
                " @skip(if: [true]) ",
                " @skip(if: $undefined) ",
            ]
        ),
    )


def add_a_directive(draft):
    holder = draft.one(
        [node for node, parent, _ in draft.places.fields if parent is not None and parent.name != "Subscription"]
        + draft.places.spreads
        + draft.places.inline_fragments
    )
    if holder is None or holder.directives:
        return None
    at = getattr(holder, "selection_set", None)
    directive = draft.random.choice([" @include(if: true) ", " @skip(if: false) "])
    return draft.insert(at.loc.start if at else holder.loc.end, directive)


# --- operations


def name_an_operation_twice(draft):
    node = draft.one([one for one in draft.places.operations if one.name])
    return node and draft.insert(len(draft.text), f" query {node.name.value} {{ __typename }}")


def add_one_without_a_name(draft):
    return draft.insert(draft.random.choice([0, len(draft.text)]), " { __typename } ")


def leave_no_operation(draft):
    return replace(draft.request, query="fragment Alone on Query { __typename }", operation_name=None)


def take_an_unknown_operation(draft):
    return replace(draft.request, operation_name="Unknown")


def take_none_of_several(draft):
    return replace(draft.request, operation_name=None) if len(draft.places.operations) > 1 else None


def define_a_type(draft):
    text = draft.random.choice(
        [
            "type Mine { a: Int }",
            "extend type Query { a: Int }",
            "schema { query: Query }",
            "scalar Mine",
            "directive @mine on FIELD",
        ]
    )
    return draft.insert(len(draft.text), f" {text}")


def select_of_a_leaf(draft):
    found = draft.one([node for node, _, type_ in draft.places.fields if not node.selection_set])
    return found and draft.insert(found.loc.end, " { __typename } ")


def select_nothing(draft):
    found = draft.one([node for node, _, _ in draft.places.fields if node.selection_set])
    return found and draft.put_for(found.selection_set, draft.random.choice(["", "", "{}"]))


def subscribe_twice(draft):
    node = draft.one([one for one in draft.places.operations if one.operation.value == "subscription"])
    root = draft.random.choice(
        ["second: indexStatus { state }", "__typename", "... on Subscription { second: indexStatus { state } }"]
    )
    return node and draft.insert(node.selection_set.loc.start + 1, f" {root} ")


def take_another_kind_of_operation(draft):
    node = draft.one(
        [one for one in draft.places.operations if draft.text.startswith(("query", "mutation", "subscription"), one.loc.start)]
    )
    if node is None or node.operation.value == "mutation":
        return None
    # Never into a mutation: nothing may be written by a document that asks.
    other = "subscription" if node.operation.value == "query" else "query"
    return draft.put(node.loc.start, node.loc.start + len(node.operation.value), other)


def add_another_operation(draft):
    if any(one.name is None for one in draft.places.operations):
        return None
    name = draft.request.operation_name or draft.places.operations[0].name.value
    request = draft.insert(draft.random.choice([0, len(draft.text)]), " query Other { __typename } ")
    return replace(request, operation_name=name)
