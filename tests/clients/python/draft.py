"""A request that is about to be changed in one place, and the places where it can be."""

from dataclasses import dataclass, field, replace

from graphql import TypeInfo, TypeInfoVisitor, Visitor, parse, visit


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


class Draft:
    """A request that is about to be changed, with all places where it can be."""

    def __init__(self, schema, chance, request):
        self.schema, self.random, self.request = schema, chance, request
        self.text = request.query
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

    def waits(self, node):
        """Whether it says that the answer waits for the index."""
        return self.text[: node.loc.start].rstrip(" :").endswith("waitForIndex")

    def bracketed(self, nodes):
        """From the bracket before the first of `nodes` to the one behind the last."""
        return self.text.rindex("(", 0, nodes[0].loc.start), self.text.index(")", nodes[-1].loc.end) + 1


def tokens(document):
    token = document.loc.start_token.next
    while token.kind.value != "<EOF>":
        yield token
        token = token.next
