"""Breaks a valid request in one place, or changes it in one place without harm: which of the two, the reference says."""

import random
import re
from dataclasses import dataclass, field, replace

from graphql import (
    GraphQLEnumType,
    GraphQLNonNull,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    is_leaf_type,
    parse,
    visit,
)

from values import Values, to_literal

# About every third change is meant to do no harm, so that both verdicts are common.
HARMLESS_SHARE = 0.33

# Names that a schema has, or not, for places where they do not belong.
TYPES = ["Article", "Node", "PageInfo", "Query", "Int", "ID", "ArticleFilter", "DateTime", "OrderDirection", "Nothing"]
LITERALS = ['"text"', '""', "5", "-1", "3.5", "1e2", "true", "null", "ASC", "NOTHING", "{}", "[]", "[1]", '{x: 1}', '["1"]',
            "2147483648", "99999999999999999999", "$undefined", '"""block"""', "1.0"]
STRAY = ["}", "{", ")", "(", "]", "$", "!", "&", "|", ":", "=", "@", "...", '"', '"""', "?", "\\", "%", "-", "01", "1.", ".5",
         "1e", "\x00", "\u00e9", "'", "on", ".", "~"]
ESCAPES = ["\\x", "\\u12", "\\ud83c", "\\u{110000}", "\\u{}", "\\u{D800}", "\\udf89\\ud83c", "\\'", "\\u{1F389", "\\U0041", "\n"]
HARMLESS_SIGNS = [",", " ", "\n", "\t", "\r\n", ", ,", "# a comment \" { \n", "\ufeff"]


@dataclass
class Places:
    """Where what stands in a document; nodes with what the schema says of them."""

    fields: list = field(default_factory=list)
    arguments: list = field(default_factory=list)
    literals: list = field(default_factory=list)
    object_fields: list = field(default_factory=list)
    variables: list = field(default_factory=list)
    definitions: list = field(default_factory=list)
    spreads: list = field(default_factory=list)
    inline_fragments: list = field(default_factory=list)
    fragments: list = field(default_factory=list)
    operations: list = field(default_factory=list)
    directives: list = field(default_factory=list)
    types: list = field(default_factory=list)
    selection_sets: list = field(default_factory=list)


class Finder(Visitor):
    def __init__(self, info):
        super().__init__()
        self.info, self.places = info, Places()

    def enter_field(self, node, *_):
        self.places.fields.append((node, self.info.get_parent_type(), self.info.get_type()))

    def enter_argument(self, node, _key, _parent, _path, ancestors):
        self.places.arguments.append((node, self.info.get_argument(), self.holder(ancestors)))

    def holder(self, ancestors):
        return next(one for one in reversed(ancestors) if not isinstance(one, (list, tuple)))

    def enter_object_field(self, node, _key, _parent, _path, ancestors):
        self.places.object_fields.append((node, self.holder(ancestors)))

    def enter_variable(self, node, _key, parent, *_):
        if getattr(parent, "kind", "") != "variable_definition":
            self.places.variables.append(node)

    def enter_variable_definition(self, node, *_):
        self.places.definitions.append(node)

    def enter_fragment_spread(self, node, *_):
        self.places.spreads.append(node)

    def enter_inline_fragment(self, node, *_):
        self.places.inline_fragments.append(node)

    def enter_fragment_definition(self, node, *_):
        self.places.fragments.append(node)

    def enter_operation_definition(self, node, *_):
        self.places.operations.append(node)

    def enter_directive(self, node, *_):
        self.places.directives.append(node)

    def enter_named_type(self, node, _key, parent, *_):
        self.places.types.append((node, getattr(parent, "kind", "")))

    def enter_selection_set(self, node, *_):
        self.places.selection_sets.append((node, self.info.get_type()))

    def literal(self, node, *_):
        self.places.literals.append((node, self.info.get_input_type()))

    enter_int_value = enter_float_value = enter_string_value = enter_boolean_value = enter_null_value = literal
    enter_enum_value = enter_list_value = enter_object_value = literal


@dataclass
class Change:
    """What was done to a request: of which group, and in which way."""

    group: str
    way: str
    request: object


class Mutator:
    """The change number `n` depends on the seed and on `n` alone."""

    def __init__(self, schema, facts, seed, ways):
        self.schema, self.facts, self.seed, self.ways = schema, facts, seed, ways

    def change(self, number, request):
        chance = random.Random(f"{self.seed} change {number}")
        broken = Breaking(self.schema, self.facts, chance, request)
        groups = list(self.ways)
        at = number
        while True:
            group = groups[at % len(groups)]
            harmful, harmless = self.ways[group]
            way = chance.choice(harmless if chance.random() < HARMLESS_SHARE else harmful)
            changed = way(broken)
            # Not every document has a place for every change; most have one for some of each group.
            if changed is not None and changed != request:
                return Change(group, way.__name__.strip("_"), changed)
            at += chance.random() < 0.2


class Breaking:
    def __init__(self, schema, facts, chance, request):
        self.schema, self.random, self.request = schema, chance, request
        self.text = request.query
        self.values = Values(chance, facts)
        self.document = parse(self.text)
        info = TypeInfo(schema)
        finder = Finder(info)
        visit(self.document, TypeInfoVisitor(info, finder))
        self.places = finder.places

    def one(self, places):
        return self.random.choice(places) if places else None

    def put(self, start, end, text):
        """The request with `text` from `start` to `end`."""
        return replace(self.request, query=self.text[:start] + text + self.text[end:])

    def put_for(self, node, text):
        return self.put(node.loc.start, node.loc.end, text)

    def insert(self, at, text):
        return self.put(at, at, text)

    def source(self, node):
        return self.text[node.loc.start : node.loc.end]

    def misspelt(self, name):
        at = self.random.randrange(len(name))
        return self.random.choice([name + "x", name[:at] + "_" + name[at:], name.swapcase(), name[:at] + name[at + 1 :] or "_"])

    def with_variables(self, variables):
        return replace(self.request, variables=variables)

    def operation(self):
        """The one that is meant."""
        name = self.request.operation_name
        return next(one for one in self.places.operations if name is None or (one.name and one.name.value == name))

    def bracketed(self, nodes):
        """From the bracket before the first of `nodes` to the one behind the last."""
        return self.text.rindex("(", 0, nodes[0].loc.start), self.text.index(")", nodes[-1].loc.end) + 1


# --- names


def _misspell_a_field(self):
    node, _, _ = self.one(self.places.fields)
    return self.put_for(node.name, self.misspelt(node.name.value))


def _take_a_field_of_another_type(self):
    node, parent, _ = self.one(self.places.fields)
    other = self.schema.get_type(self.random.choice(["Article", "PageInfo", "IndexStatus", "Query", "Recommendation"]))
    # Where the type has the field too, another article would be asked for.
    names = [name for name in other.fields if parent is None or name not in getattr(parent, "fields", {})]
    return self.put_for(node.name, self.random.choice(names)) if names else None


def _misspell_an_argument(self):
    found = self.one(self.places.arguments)
    return found and self.put_for(found[0].name, self.misspelt(found[0].name.value))


def _misspell_an_input_field(self):
    found = self.one(self.places.object_fields)
    return found and self.put_for(found[0].name, self.misspelt(found[0].name.value))


def _misspell_a_type(self):
    found = self.one(self.places.types)
    return found and self.put_for(found[0], self.misspelt(found[0].name.value))


def _misspell_an_enum_value(self):
    found = self.one([node for node, _ in self.places.literals if node.kind == "enum_value"])
    return found and self.put_for(found, self.misspelt(found.value))


def _rename_an_alias(self):
    """Everywhere, so that fields which are one stay one."""
    node = self.one([node for node, _, _ in self.places.fields if node.alias])
    if node is None:
        return None
    text = re.sub(rf"(?<![\w$]){node.alias.value}(\s*:)", rf"{node.alias.value}_renamed\1", self.text)
    return replace(self.request, query=text)


def _rename_a_fragment(self):
    node = self.one(self.places.fragments)
    if node is None:
        return None
    text = re.sub(rf"(\.\.\.\s*|fragment\s+){node.name.value}\b", r"\1Renamed", self.text)
    return replace(self.request, query=text)


def _rename_a_variable(self):
    node = self.one(self.places.definitions)
    if node is None:
        return None
    name = node.variable.name.value
    text = re.sub(rf"\${name}\b", "$renamed", self.text)
    variables = {("renamed" if key == name else key): value for key, value in (self.request.variables or {}).items()}
    return replace(self.request, query=text, variables=variables)


# --- types


def _take_another_type_for_a_condition(self):
    found = self.one([node for node, parent in self.places.types if parent in ("inline_fragment", "fragment_definition")])
    return found and self.put_for(found, self.random.choice(TYPES))


def _take_another_type_for_a_variable(self):
    found = self.one([node for node, _ in self.places.types if node in [get_inner(one.type) for one in self.places.definitions]])
    return found and self.put_for(found, self.random.choice(TYPES))


def _wrap_the_type_of_a_variable(self):
    node = self.one(self.places.definitions)
    if node is None:
        return None
    type_ = self.source(node.type)
    return self.put_for(node.type, self.random.choice([f"[{type_}]", type_.strip("[]!"), type_.rstrip("!"), f"[{type_}]!"]))


def _demand_a_value(self):
    node = self.one(self.places.definitions)
    return node and self.put_for(node.type, self.source(node.type).rstrip("!") + "!")


def _give_a_variable_of_another_type(self):
    if not self.request.variables:
        return None
    name = self.one(list(self.request.variables))
    others = ["text", 5, 3.5, 3.0, True, None, [], {}, [None], {"x": 1}, 2**31, -(2**31), 1e20, "ASC", [["x"]], [1, "2"]]
    return self.with_variables({**self.request.variables, name: self.random.choice(others)})


def _break_into_a_variable(self):
    """Changes a value within an input object or a list."""
    deep = [name for name, value in (self.request.variables or {}).items() if isinstance(value, (dict, list)) and value]
    if not deep:
        return None
    name = self.one(deep)
    value = self.request.variables[name]
    other = self.random.choice(["text", 5, None, {}, [], 3.5, True])
    if isinstance(value, list):
        at = self.random.randrange(len(value))
        changed = value[:at] + [other] + value[at + 1 :]
    else:
        key = self.one(list(value))
        kind = self.random.random()
        without = {one: item for one, item in value.items() if one != key}
        changed = {**value, key: other} if kind < 0.4 else without if kind < 0.7 else {**without, self.misspelt(key): value[key]}
    return self.with_variables({**self.request.variables, name: changed})


def _space_out_a_type(self):
    node = self.one(self.places.definitions)
    return node and self.put_for(node.type, re.sub(r"([\[\]!])", r" \1 ", self.source(node.type)))


def _give_a_variable_nobody_defines(self):
    return self.with_variables({**(self.request.variables or {}), "nobody": self.random.choice([None, 1, {"a": []}])})


def get_inner(type_):
    while type_.kind != "named_type":
        type_ = type_.type
    return type_


# --- literals


def _take_another_literal(self):
    found = self.one(self.places.literals)
    return found and self.put_for(found[0], self.random.choice(LITERALS))


def _quote_a_literal(self):
    found = self.one([node for node, _ in self.places.literals if node.kind in ("enum_value", "int_value", "boolean_value", "float_value")])
    return found and self.put_for(found, f'"{self.source(found)}"')


def _take_the_quotes_off(self):
    found = self.one([node for node, _ in self.places.literals if node.kind == "string_value" and not node.block])
    return found and self.put_for(found, self.source(found).strip('"') or "x")


def _leave_the_range(self):
    found = self.one([node for node, type_ in self.places.literals if node.kind in ("int_value", "float_value")])
    return found and self.put_for(found, self.random.choice(["2147483648", "-2147483649", "2147483647000", "1e400", "3.0", "0.5"]))


def _null(self):
    found = self.one(self.places.literals)
    return found and self.put_for(found[0], "null")


def _take_another_right_literal(self):
    found = self.one([(node, type_) for node, type_ in self.places.literals if type_ is not None and node.kind in ("enum_value", "boolean_value")])
    if found is None:
        return None
    node, type_ = found
    named = get_named_type(type_)
    if isinstance(named, GraphQLEnumType):
        return self.put_for(node, self.random.choice(list(named.values)))
    return self.put_for(node, "false" if node.value else "true") if named.name == "Boolean" and not self.is_wait(node) else None


def is_wait(self, node):
    return self.text[: node.loc.start].rstrip(" :").endswith("waitForIndex")


Breaking.is_wait = is_wait


def _write_a_string_otherwise(self):
    found = self.one([node for node, _ in self.places.literals if node.kind == "string_value"])
    return found and self.put_for(found, to_literal(found.value, self.random))


def _wrap_one_value_for_a_list(self):
    found = self.one([node for node, type_ in self.places.literals if node.kind == "list_value" and len(node.values) == 1])
    return found and self.put_for(found, self.source(found.values[0]))


# --- arguments and input fields


def _remove_an_argument(self):
    found = self.one(self.places.arguments)
    if found is None:
        return None
    node, _, holder = found
    if len(holder.arguments) > 1:
        return self.put_for(node, "")
    start, end = self.text.rindex("(", 0, node.loc.start), self.text.index(")", node.loc.end) + 1
    return self.put(start, end, "")


def _repeat_an_argument(self):
    found = self.one(self.places.arguments)
    return found and self.insert(found[0].loc.end, ", " + self.source(found[0]))


def _remove_an_input_field(self):
    found = self.one(self.places.object_fields)
    return found and self.put_for(found[0], "")


def _repeat_an_input_field(self):
    found = self.one(self.places.object_fields)
    return found and self.insert(found[0].loc.end, ", " + self.source(found[0]))


def _add_an_unknown_argument(self):
    node, _, _ = self.one(self.places.fields)
    if node.arguments:
        return self.insert(node.arguments[0].loc.start, "unknown: 1, ")
    return self.insert(node.name.loc.end, "(unknown: 1)")


def _add_an_unknown_input_field(self):
    found = self.one([node for node, type_ in self.places.literals if node.kind == "object_value"])
    return found and self.insert(found.loc.start + 1, "unknown: 1, ")


def _empty_the_arguments(self):
    node = self.one([node for node, _, _ in self.places.fields if not node.arguments])
    return node and self.insert(node.name.loc.end, "()")


def _swap_arguments(self):
    several = [holder for _, _, holder in self.places.arguments if len(holder.arguments) > 1]
    holder = self.one(several)
    if holder is None:
        return None
    first, last = holder.arguments[0], holder.arguments[-1]
    middle = self.text[first.loc.end : last.loc.start]
    return self.put(first.loc.start, last.loc.end, self.source(last) + middle + self.source(first))


def _swap_input_fields(self):
    found = self.one([node for node, _ in self.places.literals if node.kind == "object_value" and len(node.fields) > 1])
    if found is None:
        return None
    first, last = found.fields[0], found.fields[-1]
    middle = self.text[first.loc.end : last.loc.start]
    return self.put(first.loc.start, last.loc.end, self.source(last) + (middle.strip() and middle or " ") + self.source(first))


def _add_an_optional_argument(self):
    """Null, which says as much as nothing."""
    places = []
    for node, parent, _ in self.places.fields:
        known = getattr(getattr(parent, "fields", {}).get(node.name.value), "args", {})
        given = {one.name.value for one in node.arguments}
        places += [(node, name) for name, one in known.items() if name not in given and not isinstance(one.type, GraphQLNonNull)]
    if not places:
        return None
    node, name = self.one(places)
    if node.arguments:
        return self.insert(node.arguments[0].loc.start, f"{name}: null, ")
    return self.insert(node.name.loc.end, f"({name}: null)")


# --- merging


def _contradict_by_an_alias(self):
    """Another field under a response name that is taken, somewhere in the same place of the answer."""
    found = self.one([(node, parent) for node, parent, type_ in self.places.fields if parent and hasattr(parent, "fields") and not node.name.value.startswith("__")])
    if found is None:
        return None
    node, parent = found
    key = node.alias.value if node.alias else node.name.value
    leaves = [name for name, one in parent.fields.items() if is_leaf_type(get_named_type(one.type)) and name != node.name.value]
    other = self.random.choice([*leaves, "__typename"]) if leaves else "__typename"
    text = f" {key}: {other} "
    if self.random.random() < 0.5:
        text = f" ... on {parent.name} {{{text}}} "
    at = self.random.choice([node.loc.start, node.loc.end])
    return self.insert(at, text)


def _contradict_by_arguments(self):
    found = self.one([node for node, _, _ in self.places.fields if node.name.value in ("similarTo", "articles", "article", "recommend", "nodes", "node")])
    if found is None:
        return None
    head = f"{found.alias.value + ': ' if found.alias else ''}{found.name.value}"
    other = {"similarTo": "(k: 2)", "articles": "(first: 2)", "article": "(id: 2)", "recommend": "(k: 2)", "nodes": "(ids: [2])", "node": "(id: 2)"}
    return self.insert(found.loc.end, f" {head}{other[found.name.value]} {{ __typename }} ")


def _contradict_below(self):
    """The same field twice, with contradicting fields within."""
    found = self.one([(node, type_) for node, _, type_ in self.places.fields if node.selection_set and type_ is not None])
    if found is None:
        return None
    node, type_ = found
    inner = get_named_type(type_)
    leaves = [name for name, one in getattr(inner, "fields", {}).items() if is_leaf_type(get_named_type(one.type)) and not one.args]
    if not leaves:
        return None
    head = self.text[node.loc.start : node.selection_set.loc.start]
    one, other = self.random.choice(leaves), self.random.choice(leaves)
    first = f"{head}{{ same: {one} }} "
    second = f" ... {{ {head}{{ same: {other} }} }} "
    return self.put_for(node, first + self.source(node) + second)


def _repeat_a_field(self):
    node, _, _ = self.one(self.places.fields)
    return self.insert(node.loc.end, self.random.choice([" ", ", "]) + self.source(node) + " ")


def _repeat_a_field_in_a_fragment(self):
    node, parent, _ = self.one(self.places.fields)
    if parent is None or parent.name in ("Mutation", "Subscription"):
        return None
    condition = self.random.choice(["", f"on {parent.name} "])
    return self.insert(node.loc.end, f" ... {condition}{{ {self.source(node)} }} ")


# --- variables


def _remove_a_definition(self):
    operation = self.one([one for one in self.places.operations if one.variable_definitions])
    if operation is None:
        return None
    definitions = operation.variable_definitions
    if len(definitions) > 1:
        return self.put_for(self.random.choice(definitions), "")
    return self.put(*self.bracketed(definitions), "")


def _add_an_unused_definition(self):
    operation = self.one(self.places.operations)
    text = "$unused: Int"
    if operation.variable_definitions:
        return self.insert(operation.variable_definitions[0].loc.start, f"{text}, ")
    if operation.name:
        return self.insert(operation.name.loc.end, f"({text})")
    return None


def _define_a_variable_twice(self):
    node = self.one(self.places.definitions)
    return node and self.insert(node.loc.end, f", {self.source(node)}")


def _use_an_undefined_variable(self):
    node = self.one(self.places.variables)
    if node is not None and self.random.random() < 0.6:
        return self.put_for(node, "$undefined")
    found = self.one(self.places.literals)
    return found and self.put_for(found[0], "$undefined")


def _use_another_variable(self):
    node = self.one(self.places.variables)
    other = self.one(self.places.definitions)
    return node and other and self.put_for(node, f"${other.variable.name.value}")


def _use_a_variable_as_a_default(self):
    node = self.one(self.places.definitions)
    if node is None:
        return None
    return self.put(node.type.loc.end, node.loc.end, f" = ${node.variable.name.value}")


def _take_another_default(self):
    node = self.one(self.places.definitions)
    return node and self.put(node.type.loc.end, node.loc.end, f" = {self.random.choice([one for one in LITERALS if '$' not in one])}")


def _leave_a_variable_out(self):
    if not self.request.variables:
        return None
    gone = self.one(list(self.request.variables))
    return self.with_variables({name: value for name, value in self.request.variables.items() if name != gone})


def _remove_a_default(self):
    node = self.one([one for one in self.places.definitions if one.default_value])
    return node and self.put(node.type.loc.end, node.loc.end, "")


def _swap_definitions(self):
    operation = self.one([one for one in self.places.operations if len(one.variable_definitions or ()) > 1])
    if operation is None:
        return None
    first, last = operation.variable_definitions[0], operation.variable_definitions[-1]
    middle = self.text[first.loc.end : last.loc.start]
    return self.put(first.loc.start, last.loc.end, self.source(last) + (middle.strip() and middle or ", ") + self.source(first))


# --- fragments


def _close_a_circle(self):
    node = self.one(self.places.fragments)
    if node is None:
        return None
    other = self.random.choice([one.name.value for one in self.places.fragments if one.type_condition.name.value == node.type_condition.name.value])
    if self.random.random() < 0.5:
        other = node.name.value
    return self.insert(node.selection_set.loc.start + 1, f" ...{other} ")


def _close_a_circle_below(self):
    found = self.one([node for node in self.places.fragments if node.type_condition.name.value == "Recommendation"])
    if found is None:
        return None
    return self.insert(found.selection_set.loc.start + 1, f" article {{ similarTo {{ ...{found.name.value} }} }} ")


def _add_an_unused_fragment(self):
    return self.insert(len(self.text), " fragment Unused on Article { id } ")


def _define_a_fragment_twice(self):
    node = self.one(self.places.fragments)
    return node and self.insert(len(self.text), f" {self.source(node)}")


def _spread_an_unknown_fragment(self):
    node = self.one(self.places.spreads)
    if node is not None and self.random.random() < 0.5:
        return self.put_for(node.name, "Unknown")
    found, _ = self.one(self.places.selection_sets)
    return self.insert(found.loc.start + 1, " ...Unknown ")


def _spread_where_it_cannot_be(self):
    found, _ = self.one(self.places.selection_sets)
    type_ = self.random.choice(["PageInfo", "Mutation", "UserError", "Int", "ArticleFilter", "Article", "Node"])
    return self.insert(found.loc.start + 1, f" ... on {type_} {{ __typename }} ")


def _name_a_fragment_on(self):
    node = self.one(self.places.fragments)
    return node and replace(self.request, query=re.sub(rf"\b{node.name.value}\b", "on", self.text))


def _define_a_fragment_on_no_type(self):
    node = self.one(self.places.fragments)
    return node and self.put(node.name.loc.end, node.selection_set.loc.start, " ")


def _spread_twice(self):
    node = self.one(self.places.spreads)
    return node and self.insert(node.loc.end, f" ...{node.name.value} ")


def _put_into_a_fragment(self):
    found = self.one([(node, parent) for node, parent, _ in self.places.fields if parent is not None])
    if found is None:
        return None
    node, parent = found
    condition = self.random.choice(["", f"on {parent.name} "])
    return self.put_for(node, f"... {condition}{{ {self.source(node)} }}")


def _move_into_a_new_fragment(self):
    found = self.one([(node, parent) for node, parent, _ in self.places.fields if parent is not None])
    if found is None:
        return None
    node, parent = found
    request = self.put_for(node, "...Moved ")
    return replace(request, query=f"{request.query} fragment Moved on {parent.name} {{ {self.source(node)} }}")


# --- directives


def _add_an_unknown_directive(self):
    node, _, _ = self.one(self.places.fields)
    return self.insert(node.selection_set.loc.start if node.selection_set else node.loc.end, " @unknown ")


def _misplace_a_directive(self):
    kind = self.random.random()
    directive = self.random.choice([" @include(if: true) ", " @skip(if: false) ", " @deprecated ", ' @specifiedBy(url: "x") '])
    if kind < 0.35:
        return self.insert(self.one(self.places.operations).selection_set.loc.start, directive)
    if kind < 0.6 and self.places.definitions:
        return self.insert(self.one(self.places.definitions).loc.end, directive)
    if kind < 0.85 and self.places.fragments:
        return self.insert(self.one(self.places.fragments).selection_set.loc.start, directive)
    node, _, _ = self.one(self.places.fields)
    return self.insert(node.selection_set.loc.start if node.selection_set else node.loc.end, " @deprecated ")


def _repeat_a_directive(self):
    node, _, _ = self.one(self.places.fields)
    at = node.selection_set.loc.start if node.selection_set else node.loc.end
    return self.insert(at, " @include(if: true) @include(if: true) ")


def _spoil_the_argument_of_a_directive(self):
    node, _, _ = self.one(self.places.fields)
    at = node.selection_set.loc.start if node.selection_set else node.loc.end
    return self.insert(at, self.random.choice([
        " @skip ", " @skip() ", ' @include(if: "true") ', " @include(if: null) ", " @skip(if: 1) ", " @include(unless: true) ",
        " @include(if: true, if: true) ", " @include(if: true, unless: false) ", " @skip(if: [true]) ", " @skip(if: $undefined) ",
    ]))


def _add_a_directive(self):
    holder = self.one([node for node, parent, _ in self.places.fields if parent is not None and parent.name != "Subscription"]
                      + self.places.spreads + self.places.inline_fragments)
    if holder is None or holder.directives:
        return None
    at = getattr(holder, "selection_set", None)
    directive = self.random.choice([" @include(if: true) ", " @skip(if: false) "])
    return self.insert(at.loc.start if at else holder.loc.end, directive)


# --- operations


def _name_an_operation_twice(self):
    node = self.one([one for one in self.places.operations if one.name])
    return node and self.insert(len(self.text), f" query {node.name.value} {{ __typename }}")


def _add_one_without_a_name(self):
    return self.insert(self.random.choice([0, len(self.text)]), " { __typename } ")


def _leave_no_operation(self):
    return replace(self.request, query="fragment Alone on Query { __typename }", operation_name=None)


def _take_an_unknown_operation(self):
    return replace(self.request, operation_name="Unknown")


def _take_none_of_several(self):
    return replace(self.request, operation_name=None) if len(self.places.operations) > 1 else None


def _define_a_type(self):
    text = self.random.choice(["type Mine { a: Int }", "extend type Query { a: Int }", "schema { query: Query }", "scalar Mine", "directive @mine on FIELD"])
    return self.insert(len(self.text), f" {text}")


def _select_of_a_leaf(self):
    found = self.one([node for node, _, type_ in self.places.fields if not node.selection_set])
    return found and self.insert(found.loc.end, " { __typename } ")


def _select_nothing(self):
    found = self.one([node for node, _, _ in self.places.fields if node.selection_set])
    return found and self.put_for(found.selection_set, self.random.choice(["", "", "{}"]))


def _subscribe_twice(self):
    node = self.one([one for one in self.places.operations if one.operation.value == "subscription"])
    root = self.random.choice(["second: indexStatus { state }", "__typename", "... on Subscription { second: indexStatus { state } }"])
    return node and self.insert(node.selection_set.loc.start + 1, f" {root} ")


def _take_another_kind_of_operation(self):
    node = self.one([one for one in self.places.operations if self.text.startswith(("query", "mutation", "subscription"), one.loc.start)])
    if node is None or node.operation.value == "mutation":
        return None
    # Never into a mutation: nothing may be written by a document that asks.
    other = "subscription" if node.operation.value == "query" else "query"
    return self.put(node.loc.start, node.loc.start + len(node.operation.value), other)


def _add_another_operation(self):
    if any(one.name is None for one in self.places.operations):
        return None
    name = self.request.operation_name or self.places.operations[0].name.value
    request = self.insert(self.random.choice([0, len(self.text)]), " query Other { __typename } ")
    return replace(request, operation_name=name)


# --- syntax


def _cut(self):
    return self.put(self.random.randrange(len(self.text)), len(self.text), "")


def _delete_a_sign(self):
    at = self.random.choice([place for place, sign in enumerate(self.text) if not sign.isspace()])
    return self.put(at, at + 1, "")


def _insert_a_stray(self):
    return self.insert(self.random.randrange(len(self.text) + 1), self.random.choice(STRAY))


def _insert_a_name(self):
    """Also within arguments and input objects, where a lenient parser looks for the next pair."""
    places = [token.start for token in tokens(self.document)]
    return self.insert(self.random.choice(places), self.random.choice([" x ", " null ", " on ", " first ", " 1 "]))


def _delete_a_token(self):
    token = self.random.choice(list(tokens(self.document)))
    return self.put(token.start, token.end, " ")


def _double_a_token(self):
    token = self.random.choice(list(tokens(self.document)))
    return self.insert(token.end, f" {self.text[token.start : token.end]} ")


def _forget_a_colon(self):
    pairs = [node for node, *_ in self.places.arguments + self.places.object_fields]
    node = self.one(pairs)
    return node and self.put(node.name.loc.end, node.value.loc.start, " ")


def _spoil_a_string(self):
    found = self.one([node for node, _ in self.places.literals if node.kind == "string_value" and not node.block])
    return found and self.insert(found.loc.start + 1, self.random.choice(ESCAPES))


def _end_a_string_too_late(self):
    found = self.one([node for node, _ in self.places.literals if node.kind == "string_value"])
    return found and self.put(found.loc.end - 1, found.loc.end, "")


def _add_what_is_ignored(self):
    places = [token.start for token in tokens(self.document)] + [len(self.text)]
    return self.insert(self.random.choice(places), self.random.choice(HARMLESS_SIGNS))


def tokens(document):
    token = document.loc.start_token.next
    while token.kind.value != "<EOF>":
        yield token
        token = token.next


# Of each group what is meant to break a document, and what is not.
WAYS = {
    "name": (
        [_misspell_a_field, _take_a_field_of_another_type, _misspell_an_argument, _misspell_an_input_field, _misspell_a_type,
         _misspell_an_enum_value],
        [_rename_an_alias, _rename_a_fragment, _rename_a_variable],
    ),
    "type": (
        [_take_another_type_for_a_condition, _take_another_type_for_a_variable, _wrap_the_type_of_a_variable, _demand_a_value,
         _give_a_variable_of_another_type, _break_into_a_variable],
        [_space_out_a_type, _give_a_variable_nobody_defines],
    ),
    "literal": (
        [_take_another_literal, _take_another_literal, _quote_a_literal, _take_the_quotes_off, _leave_the_range, _null],
        [_take_another_right_literal, _write_a_string_otherwise, _wrap_one_value_for_a_list],
    ),
    "argument": (
        [_remove_an_argument, _repeat_an_argument, _remove_an_input_field, _repeat_an_input_field, _add_an_unknown_argument,
         _add_an_unknown_input_field, _empty_the_arguments],
        [_swap_arguments, _swap_input_fields, _add_an_optional_argument],
    ),
    "merging": (
        [_contradict_by_an_alias, _contradict_by_an_alias, _contradict_by_arguments, _contradict_below],
        [_repeat_a_field, _repeat_a_field_in_a_fragment],
    ),
    "variable": (
        [_remove_a_definition, _add_an_unused_definition, _define_a_variable_twice, _use_an_undefined_variable,
         _use_another_variable, _use_a_variable_as_a_default, _take_another_default, _leave_a_variable_out, _remove_a_default],
        [_swap_definitions, _rename_a_variable, _give_a_variable_nobody_defines],
    ),
    "fragment": (
        [_close_a_circle, _close_a_circle_below, _add_an_unused_fragment, _define_a_fragment_twice, _spread_an_unknown_fragment,
         _spread_where_it_cannot_be, _name_a_fragment_on, _define_a_fragment_on_no_type],
        [_spread_twice, _put_into_a_fragment, _move_into_a_new_fragment],
    ),
    "directive": (
        [_add_an_unknown_directive, _misplace_a_directive, _repeat_a_directive, _spoil_the_argument_of_a_directive],
        [_add_a_directive],
    ),
    "operation": (
        [_name_an_operation_twice, _add_one_without_a_name, _leave_no_operation, _take_an_unknown_operation, _take_none_of_several,
         _define_a_type, _select_of_a_leaf, _select_nothing, _subscribe_twice, _take_another_kind_of_operation],
        [_add_another_operation],
    ),
    "syntax": (
        [_cut, _delete_a_sign, _delete_a_token, _double_a_token, _insert_a_name, _insert_a_stray, _forget_a_colon,
         _spoil_a_string, _end_a_string_too_late],
        [_add_what_is_ignored],
    ),
}

# What is sent beside a document.
WAYS_OF_REQUESTS = {
    "variables": (
        [_give_a_variable_of_another_type, _break_into_a_variable, _leave_a_variable_out, _take_an_unknown_operation],
        [_give_a_variable_nobody_defines],
    ),
}
