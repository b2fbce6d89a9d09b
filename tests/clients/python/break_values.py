"""Ways to change types, literals, arguments and variables."""

import re

from graphql import GraphQLEnumType, GraphQLNonNull, get_named_type

from values import to_literal

# Names that a schema has, or not, for places where they do not belong.
TYPES = ["Article", "Node", "PageInfo", "Query", "Int", "ID", "ArticleFilter", "DateTime", "OrderDirection", "Nothing"]
LITERALS = [
    '"text"',
    '""',
    "5",
    "-1",
    "3.5",
    "1e2",
    "true",
    "null",
    "ASC",
    "NOTHING",
    "{}",
    "[]",
    "[1]",
    "{x: 1}",
    '["1"]',
    "2147483648",
    "99999999999999999999",
    "$undefined",
    '"""block"""',
    "1.0",
]


# --- types


def take_another_type_for_a_condition(draft):
    found = draft.one([node for node, parent in draft.places.types if parent in ("inline_fragment", "fragment_definition")])
    return found and draft.put_for(found, draft.random.choice(TYPES))


def take_another_type_for_a_variable(draft):
    found = draft.one(
        [node for node, _ in draft.places.types if node in [get_inner(one.type) for one in draft.places.definitions]]
    )
    return found and draft.put_for(found, draft.random.choice(TYPES))


def wrap_the_type_of_a_variable(draft):
    node = draft.one(draft.places.definitions)
    if node is None:
        return None
    type_ = draft.source(node.type)
    return draft.put_for(node.type, draft.random.choice([f"[{type_}]", type_.strip("[]!"), type_.rstrip("!"), f"[{type_}]!"]))


def demand_a_value(draft):
    node = draft.one(draft.places.definitions)
    return node and draft.put_for(node.type, draft.source(node.type).rstrip("!") + "!")


def give_a_variable_of_another_type(draft):
    if not draft.request.variables:
        return None
    name = draft.one(list(draft.request.variables))
    others = ["text", 5, 3.5, 3.0, True, None, [], {}, [None], {"x": 1}, 2**31, -(2**31), 1e20, "ASC", [["x"]], [1, "2"]]
    return draft.with_variables({**draft.request.variables, name: draft.random.choice(others)})


def break_into_a_variable(draft):
    """Changes a value within an input object or a list."""
    deep = [name for name, value in (draft.request.variables or {}).items() if isinstance(value, (dict, list)) and value]
    if not deep:
        return None
    name = draft.one(deep)
    value = draft.request.variables[name]
    other = draft.random.choice(["text", 5, None, {}, [], 3.5, True])
    if isinstance(value, list):
        at = draft.random.randrange(len(value))
        changed = value[:at] + [other] + value[at + 1 :]
    else:
        key = draft.one(list(value))
        kind = draft.random.random()
        without = {one: item for one, item in value.items() if one != key}
        changed = {**value, key: other} if kind < 0.4 else without if kind < 0.7 else {**without, draft.misspelt(key): value[key]}
    return draft.with_variables({**draft.request.variables, name: changed})


def space_out_a_type(draft):
    node = draft.one(draft.places.definitions)
    return node and draft.put_for(node.type, re.sub(r"([\[\]!])", r" \1 ", draft.source(node.type)))


def give_a_variable_nobody_defines(draft):
    return draft.with_variables({**(draft.request.variables or {}), "nobody": draft.random.choice([None, 1, {"a": []}])})


def get_inner(type_):
    while type_.kind != "named_type":
        type_ = type_.type
    return type_


# --- literals


def take_another_literal(draft):
    found = draft.one(draft.places.literals)
    return found and draft.put_for(found[0], draft.random.choice(LITERALS))


def quote_a_literal(draft):
    found = draft.one(
        [node for node, _ in draft.places.literals if node.kind in ("enum_value", "int_value", "boolean_value", "float_value")]
    )
    return found and draft.put_for(found, f'"{draft.source(found)}"')


def take_the_quotes_off(draft):
    found = draft.one([node for node, _ in draft.places.literals if node.kind == "string_value" and not node.block])
    return found and draft.put_for(found, draft.source(found).strip('"') or "x")


def leave_the_range(draft):
    found = draft.one([node for node, type_ in draft.places.literals if node.kind in ("int_value", "float_value")])
    return found and draft.put_for(
        found, draft.random.choice(["2147483648", "-2147483649", "2147483647000", "1e400", "3.0", "0.5"])
    )


def null(draft):
    found = draft.one(draft.places.literals)
    return found and draft.put_for(found[0], "null")


def take_another_right_literal(draft):
    found = draft.one(
        [
            (node, type_)
            for node, type_ in draft.places.literals
            if type_ is not None and node.kind in ("enum_value", "boolean_value")
        ]
    )
    if found is None:
        return None
    node, type_ = found
    named = get_named_type(type_)
    if isinstance(named, GraphQLEnumType):
        return draft.put_for(node, draft.random.choice(list(named.values)))
    return draft.put_for(node, "false" if node.value else "true") if named.name == "Boolean" and not draft.waits(node) else None


def write_a_string_otherwise(draft):
    found = draft.one([node for node, _ in draft.places.literals if node.kind == "string_value"])
    return found and draft.put_for(found, to_literal(found.value, draft.random))


def wrap_one_value_for_a_list(draft):
    found = draft.one([node for node, type_ in draft.places.literals if node.kind == "list_value" and len(node.values) == 1])
    return found and draft.put_for(found, draft.source(found.values[0]))


# --- arguments and input fields


def remove_an_argument(draft):
    found = draft.one(draft.places.arguments)
    if found is None:
        return None
    node, _, holder = found
    if len(holder.arguments) > 1:
        return draft.put_for(node, "")
    start, end = draft.text.rindex("(", 0, node.loc.start), draft.text.index(")", node.loc.end) + 1
    return draft.put(start, end, "")


def repeat_an_argument(draft):
    found = draft.one(draft.places.arguments)
    return found and draft.insert(found[0].loc.end, ", " + draft.source(found[0]))


def remove_an_input_field(draft):
    found = draft.one(draft.places.object_fields)
    return found and draft.put_for(found[0], "")


def repeat_an_input_field(draft):
    found = draft.one(draft.places.object_fields)
    return found and draft.insert(found[0].loc.end, ", " + draft.source(found[0]))


def add_an_unknown_argument(draft):
    node, _, _ = draft.one(draft.places.fields)
    if node.arguments:
        return draft.insert(node.arguments[0].loc.start, "unknown: 1, ")
    return draft.insert(node.name.loc.end, "(unknown: 1)")


def add_an_unknown_input_field(draft):
    found = draft.one([node for node, type_ in draft.places.literals if node.kind == "object_value"])
    return found and draft.insert(found.loc.start + 1, "unknown: 1, ")


def empty_the_arguments(draft):
    node = draft.one([node for node, _, _ in draft.places.fields if not node.arguments])
    return node and draft.insert(node.name.loc.end, "()")


def swap_arguments(draft):
    several = [holder for _, _, holder in draft.places.arguments if len(holder.arguments) > 1]
    holder = draft.one(several)
    if holder is None:
        return None
    first, last = holder.arguments[0], holder.arguments[-1]
    middle = draft.text[first.loc.end : last.loc.start]
    return draft.put(first.loc.start, last.loc.end, draft.source(last) + middle + draft.source(first))


def swap_input_fields(draft):
    found = draft.one([node for node, _ in draft.places.literals if node.kind == "object_value" and len(node.fields) > 1])
    if found is None:
        return None
    first, last = found.fields[0], found.fields[-1]
    middle = draft.text[first.loc.end : last.loc.start]
    return draft.put(first.loc.start, last.loc.end, draft.source(last) + (middle.strip() and middle or " ") + draft.source(first))


def add_an_optional_argument(draft):
    """Null, which says as much as nothing."""
    places = []
    for node, parent, _ in draft.places.fields:
        known = getattr(getattr(parent, "fields", {}).get(node.name.value), "args", {})
        given = {one.name.value for one in node.arguments}
        places += [(node, name) for name, one in known.items() if name not in given and not isinstance(one.type, GraphQLNonNull)]
    if not places:
        return None
    node, name = draft.one(places)
    if node.arguments:
        return draft.insert(node.arguments[0].loc.start, f"{name}: null, ")
    return draft.insert(node.name.loc.end, f"({name}: null)")


# --- variables


def remove_a_definition(draft):
    operation = draft.one([one for one in draft.places.operations if one.variable_definitions])
    if operation is None:
        return None
    definitions = operation.variable_definitions
    if len(definitions) > 1:
        return draft.put_for(draft.random.choice(definitions), "")
    return draft.put(*draft.bracketed(definitions), "")


def add_an_unused_definition(draft):
    operation = draft.one(draft.places.operations)
    text = "$unused: Int"
    if operation.variable_definitions:
        return draft.insert(operation.variable_definitions[0].loc.start, f"{text}, ")
    if operation.name:
        return draft.insert(operation.name.loc.end, f"({text})")
    return None


def define_a_variable_twice(draft):
    node = draft.one(draft.places.definitions)
    return node and draft.insert(node.loc.end, f", {draft.source(node)}")


def use_an_undefined_variable(draft):
    node = draft.one(draft.places.variables)
    if node is not None and draft.random.random() < 0.6:
        return draft.put_for(node, "$undefined")
    found = draft.one(draft.places.literals)
    return found and draft.put_for(found[0], "$undefined")


def use_another_variable(draft):
    node = draft.one(draft.places.variables)
    other = draft.one(draft.places.definitions)
    return node and other and draft.put_for(node, f"${other.variable.name.value}")


def use_a_variable_as_a_default(draft):
    node = draft.one(draft.places.definitions)
    if node is None:
        return None
    return draft.put(node.type.loc.end, node.loc.end, f" = ${node.variable.name.value}")


def take_another_default(draft):
    node = draft.one(draft.places.definitions)
    return node and draft.put(
        node.type.loc.end, node.loc.end, f" = {draft.random.choice([one for one in LITERALS if '$' not in one])}"
    )


def leave_a_variable_out(draft):
    if not draft.request.variables:
        return None
    gone = draft.one(list(draft.request.variables))
    return draft.with_variables({name: value for name, value in draft.request.variables.items() if name != gone})


def remove_a_default(draft):
    node = draft.one([one for one in draft.places.definitions if one.default_value])
    return node and draft.put(node.type.loc.end, node.loc.end, "")


def swap_definitions(draft):
    operation = draft.one([one for one in draft.places.operations if len(one.variable_definitions or ()) > 1])
    if operation is None:
        return None
    first, last = operation.variable_definitions[0], operation.variable_definitions[-1]
    middle = draft.text[first.loc.end : last.loc.start]
    return draft.put(
        first.loc.start, last.loc.end, draft.source(last) + (middle.strip() and middle or ", ") + draft.source(first)
    )
