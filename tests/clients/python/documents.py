"""Documents by chance, all of them valid, with variables and the operation that is meant."""

import random
from dataclasses import dataclass, field
from functools import partial

from graphql import (
    GraphQLNonNull,
    Undefined,
    get_named_type,
    is_composite_type,
    is_leaf_type,
    is_required_argument,
)

from values import Values, Variable, to_json, to_literal

# What is left out because it differs from one moment to the next.
UNSTABLE = {
    "IndexStatus": {"lagSeconds", "oldestPending", "fragments"},
    "IndexGeneration": {"rate", "secondsLeft"},
    "RecommendationEdge": {"cursor"},
    "PageInfo": {"startCursor", "endCursor"},
    "Mutation": set(),
}
# What is asked of the schema: what both know of it.
INTROSPECTION = {
    "__Type": {"kind", "name", "description", "fields", "enumValues", "inputFields", "interfaces", "possibleTypes", "ofType"},
    "__Field": {"name", "description", "args", "type", "isDeprecated", "deprecationReason"},
    "__InputValue": {"name", "description", "type"},
    "__EnumValue": {"name", "description", "isDeprecated", "deprecationReason"},
}
# What is asked of an article that is written and at once deleted again: nothing that another one would not have too.
OF_WRITTEN_ARTICLES = {"externalId", "title", "content", "category", "tags", "revision"}
DEPTH_MAX = 7
# How many items a field may have that is a list, or has one.
ITEMS = {"articles": 5, "recommend": 5, "recommendations": 5, "similarTo": 5, "nodes": 3}
# Most values that one operation may ask for, by a rough count: limits of the server are not what is compared here.
SIZE_MAX = 400

NAMES = ["a", "b", "c", "n", "id", "type", "query", "fragment", "input", "true_", "_", "On"]


@dataclass(frozen=True)
class Facts:
    """What the server has."""

    ids: tuple
    cursors: tuple
    external_ids: tuple


@dataclass
class Request:
    """What a client sends, and which kind of operation is meant as long as it is valid."""

    query: str
    variables: dict | None
    operation_name: str | None
    kind: str

    def body(self):
        body = {"query": self.query, "variables": self.variables, "operationName": self.operation_name}
        return {name: value for name, value in body.items() if value is not None}


@dataclass
class Use:
    """A place where a variable stands."""

    name: str
    type: object
    has_default: bool
    argument: str
    in_directive: bool = False


@dataclass
class Scope:
    """An operation or a fragment while it is written: what it uses."""

    world: str
    uses: list = field(default_factory=list)
    spreads: set = field(default_factory=set)
    in_fragment: bool = False
    in_introspection: bool = False


@dataclass
class Fragment:
    name: str
    type: str
    text: str
    scope: Scope
    size: int


class Documents:
    """The document number `n` depends on the seed and on `n` alone."""

    def __init__(self, schema, facts, seed):
        self.schema, self.facts, self.seed = schema, facts, seed

    def request(self, number):
        return Document(self.schema, self.facts, random.Random(f"{self.seed} {number}"), number).request()


class Document:
    def __init__(self, schema, facts, chance, number):
        self.schema = schema
        self.random = chance
        facts = Facts(facts.ids, facts.cursors, facts.external_ids + tuple(f"new {number} {one}" for one in range(3)))
        self.values = Values(chance, facts)
        self.fragments = []
        self.spread_fragments = {}
        # A response name means the same everywhere in the document, so that nothing contradicts.
        self.meanings = {}
        self.variables = 0
        # How many selections are still to be made: a few documents are large.
        self.left = chance.choice([4, 8, 12, 20, 40])

    # --- selections

    def selection(self, type_, scope, depth=0, size=1):
        """What is selected of `type_`, and how many values that may be."""
        parts, total, written = [], 0, []
        for _ in range(self.random.randint(1, 4)):
            if parts and self.left <= 0:
                break
            self.left -= 1
            kind = self.random.random()
            if kind < 0.72 or self.left <= 0 or depth > DEPTH_MAX:
                part = self.field(type_, scope, depth, size, written)
            elif kind < 0.86:
                part = self.inline_fragment(type_, scope, depth, size)
            else:
                part = self.spread(type_, scope, depth, size)
            if part is not None:
                parts.append(part[0])
                total += part[1]
        if not parts:
            return "__typename", size
        return self.random.choice([" ", "\n  ", ", "]).join(parts), total

    def fields_of(self, type_, scope):
        fields = dict(type_.fields)
        if scope.world == "mutation" and type_.name in ("Article", "Node"):
            fields = {name: field for name, field in fields.items() if name in OF_WRITTEN_ARTICLES}
        if type_.name in INTROSPECTION:
            # Types of fields of types of fields have no end.
            deep = {"fields", "inputFields", "interfaces", "possibleTypes"} if scope.in_introspection else set()
            return {name: fields[name] for name in fields if name in INTROSPECTION[type_.name] - deep}
        return {name: field for name, field in fields.items() if name not in UNSTABLE.get(type_.name, ())}

    def field(self, type_, scope, depth, size, written):
        if self.random.random() < 0.12:
            alias = self.random.choice(["", "", "kind_of_it: "])
            return f"{alias}__typename{self.directives(scope)}", size
        if type_ is self.schema.query_type and depth == 0 and self.random.random() < 0.08:
            return self.introspection(scope, depth)
        fields = self.fields_of(type_, scope)
        composite = [name for name, field in fields.items() if is_composite_type(get_named_type(field.type))]
        leaves = [name for name in fields if name not in composite]
        before = len(scope.uses), set(scope.spreads)
        if written and self.random.random() < 0.15:
            # The same field once more: what is selected of both is merged.
            name, head = self.random.choice(written)
        else:
            # Deep down there is an end.
            if depth >= DEPTH_MAX or size > 40 or (self.left <= 0 and leaves):
                composite = []
            if not composite and not leaves:
                return None
            name = self.random.choice(leaves if leaves and (not composite or self.random.random() < 0.6) else composite)
            head = self.head(type_.name, name, fields[name], scope)
        inner = get_named_type(fields[name].type)
        if is_leaf_type(inner):
            return head + self.directives(scope), size
        size *= ITEMS.get(name, 1)
        outside = scope.in_introspection
        scope.in_introspection = outside or type_.name == "__Type"
        selection, total = self.selection(inner, scope, depth + 1, size)
        scope.in_introspection = outside
        if total > SIZE_MAX:
            # Left out, and so is what only this part would have used.
            del scope.uses[before[0] :]
            scope.spreads = before[1]
            return None
        written.append((name, head))
        return f"{head}{self.directives(scope)} {{ {selection} }}", total

    def introspection(self, scope, depth):
        types = [name for name in self.schema.type_map if not name.startswith("__")]
        name = self.random.choice([*types, *types, "Nothing"])
        alias = f"{self.random.choice(NAMES)}_{name}"
        selection, _ = self.selection(self.schema.get_type("__Type"), scope, depth + 1)
        return f"{alias}: __type(name: {to_literal(name, self.random)}){self.directives(scope)} {{ {selection} }}", 1

    def head(self, parent, name, field, scope):
        """Alias, name and arguments, with a response name that means just this."""
        arguments = self.arguments(name, field, scope)
        meaning = (parent, name, arguments)
        alias = self.random.choice([name, name, name, f"{self.random.choice(NAMES)}_{name}"])
        number = 0
        while self.meanings.setdefault(alias, meaning) != meaning:
            number += 1
            alias = f"{name}_{number}"
        return f"{'' if alias == name else alias + ': '}{name}{arguments}"

    def arguments(self, name, field, scope):
        wanted = {}
        for argument, definition in field.args.items():
            required = is_required_argument(definition)
            if not required and self.random.random() < 0.5:
                continue
            if argument in ("last", "before") and ("first" in wanted or self.random.random() < 0.7):
                continue
            if name == "recommend" or name == "recommendations":
                # One of the two; both, and neither, are errors that are looked at now and then.
                if argument == "articleId" and "query" in wanted and self.random.random() < 0.9:
                    continue
            has_default = definition.default_value is not Undefined
            wanted[argument] = self.values.of(definition.type, argument, partial(self.variable, scope), has_default)
        if not wanted:
            return ""
        names = list(wanted)
        self.random.shuffle(names)
        return "(" + ", ".join(f"{name}: {to_literal(wanted[name], self.random)}" for name in names) + ")"

    def directives(self, scope):
        if scope.world == "subscription root":
            return ""
        found = ""
        for name in ("skip", "include"):
            if self.random.random() < 0.07:
                type_ = GraphQLNonNull(self.schema.get_type("Boolean"))
                value = self.variable(scope, type_, "if", False, always=self.random.random() < 0.7, in_directive=True)
                literal = to_literal(self.random.random() < (0.25 if name == "skip" else 0.75), self.random)
                found += f" @{name}(if: {literal if value is None else '$' + value})"
        return found

    def conditions(self, type_):
        """Types that what is `type_` may be of."""
        if type_.name == "Node":
            return ["Article", "Node"]
        return [type_.name, "Node"] if type_.name == "Article" else [type_.name]

    def inline_fragment(self, type_, scope, depth, size):
        condition = self.random.choice([None, *self.conditions(type_)])
        inner = self.schema.get_type(condition) if condition else type_
        selection, total = self.selection(inner, scope, depth + 1, size)
        return f"...{f' on {condition}' if condition else ''}{self.directives(scope)} {{ {selection} }}", total

    def spread(self, type_, scope, depth, size):
        """A fragment that is there already, or a new one."""
        conditions = self.conditions(type_)
        known = [
            one
            for one in self.fragments
            if one.type in conditions and one.scope.world == scope.world and one.size * size <= SIZE_MAX
        ]
        if known and self.random.random() < 0.5:
            fragment = self.random.choice(known)
        else:
            inner = Scope(scope.world, in_fragment=True)
            condition = self.random.choice(conditions)
            selection, total = self.selection(self.schema.get_type(condition), inner, depth + 1, 1)
            name = f"{self.random.choice(['Part', 'part', 'query', '_'])}{len(self.fragments)}"
            text = f"fragment {name} on {condition}{self.random.choice([' ', '', chr(10)])}{{ {selection} }}"
            fragment = Fragment(name, condition, text, inner, total)
            self.fragments.append(fragment)
        if fragment.size * size > SIZE_MAX:
            return self.field(type_, scope, DEPTH_MAX, size, [])
        scope.spreads.add(fragment.name)
        return f"...{fragment.name}{self.directives(scope)}", fragment.size * size

    # --- variables

    def variable(self, scope, type_, argument, has_default, always=False, in_directive=False):
        """A variable for such a value, or none."""
        if not always and self.random.random() >= 0.14:
            return None
        if argument == "externalId" and scope.world == "mutation":
            return None
        same = [use.name for use in scope.uses if str(_nullable(use.type)) == str(_nullable(type_)) and use.argument == argument]
        if same and self.random.random() < 0.4:
            name = self.random.choice(same)
        else:
            self.variables += 1
            name = f"v{self.variables}" if scope.in_fragment else f"\x01{self.variables}\x01"
        scope.uses.append(Use(name, type_, has_default, argument, in_directive))
        return Variable(name)

    def reached(self, scope):
        """The fragments that an operation spreads, itself or by others."""
        names, todo = {}, sorted(scope.spreads)
        by_name = {fragment.name: fragment for fragment in self.fragments}
        while todo:
            name = todo.pop()
            if name not in names:
                names[name] = by_name[name]
                todo += sorted(by_name[name].scope.spreads)
        return names

    def definitions(self, scope):
        """The variables of an operation, as text, and values for them."""
        by_name = {}
        fragments = self.reached(scope)
        self.spread_fragments.update(fragments)
        for use in [*scope.uses, *(use for fragment in fragments.values() for use in fragment.scope.uses)]:
            by_name.setdefault(use.name, []).append(use)
        texts, values = [], {}
        for name, uses in by_name.items():
            text, value = self.definition(name, uses)
            texts.append(text)
            if value is not Undefined:
                values[name] = value
        self.random.shuffle(texts)
        return f"({self.random.choice([', ', ' ']).join(texts)})" if texts else "", values

    def definition(self, name, uses):
        plain = _nullable(uses[0].type)
        must = any(isinstance(use.type, GraphQLNonNull) and not use.has_default for use in uses)
        strict = any(isinstance(use.type, GraphQLNonNull) for use in uses)
        directive = any(use.in_directive for use in uses)
        type_ = GraphQLNonNull(plain) if self.random.random() < (0.5 if must else 0.2) else plain
        constant = partial(self.values.of_nullable, plain, uses[0].argument)
        default = Undefined
        if (must and type_ is plain) or self.random.random() < 0.25:
            default = constant() if strict or type_ is not plain or self.random.random() < 0.8 else None
        text = f"${name}:{self.random.choice([' ', ''])}{type_}"
        if default is not Undefined:
            text += f" = {to_literal(default, self.random)}"
        chance = self.random.random()
        if chance < 0.3 and (type_ is plain or default is not Undefined) and not (directive and default is None):
            return text, Undefined
        # Null for a value that cannot be null is an error of the field; of a directive no specification says what follows.
        if chance < 0.45 and type_ is plain and not directive and (not strict or self.random.random() < 0.3):
            return text, None
        value = to_json(constant())
        if type(value) is int and self.random.random() < 0.15:
            value = float(value)
        return text, value

    # --- operations

    def operation(self, world, name):
        scope = Scope(world)
        if world == "subscription":
            selection = self.subscription(scope)
        else:
            root = self.schema.query_type if world == "query" else self.schema.mutation_type
            selection, _ = self.selection(root, scope)
        definitions, values = self.definitions(scope)
        # Some have the name that a variable of another type has in a fragment which this operation does not reach.
        reached = self.reached(scope)
        others = {use.name: None for one in self.fragments if one.name not in reached for use in one.scope.uses}
        others = [name for name in others if not any(use.name == name for one in reached.values() for use in one.scope.uses)]
        names = {}
        for number, placeholder in enumerate({use.name: None for use in scope.uses if use.name.startswith("\x01")}):
            names[placeholder] = f"{self.random.choice(NAMES)}{number}"
            if others and self.random.random() < 0.3:
                names[placeholder] = others.pop()
        text = f"{world}{' ' + name if name else ''}{definitions} {{ {selection} }}"
        if world == "query" and not name and not definitions and self.random.random() < 0.7:
            text = f"{{ {selection} }}"
        for placeholder, real in names.items():
            text = text.replace(placeholder, real)
        return text, {names.get(name, name): value for name, value in values.items()}

    def subscription(self, scope):
        """One root field, be it in fragments."""
        name = self.random.choice(["indexStatus", "indexStatus", "articleChanged"])
        root = self.schema.subscription_type
        inner = get_named_type(root.fields[name].type)

        def one(scope, head):
            selection, _ = self.selection(inner, scope, 2, 10)
            return f"{head} {{ {selection} }}"

        in_fragment = self.random.random() < 0.35
        holder = Scope(scope.world, in_fragment=True) if in_fragment else scope
        head = self.head("Subscription", name, root.fields[name], holder)
        text = " ".join(one(holder, head) for _ in range(self.random.choice([1, 1, 2])))
        if self.random.random() < 0.3:
            text = f"... on Subscription {{ {text} }}"
        if in_fragment:
            fragment = Fragment(f"Root{len(self.fragments)}", "Subscription", "", holder, 0)
            fragment.text = f"fragment {fragment.name} on Subscription {{ {text} }}"
            self.fragments.append(fragment)
            scope.spreads.add(fragment.name)
            return f"...{fragment.name}"
        return text

    def request(self):
        chance = self.random
        kinds = ["query"] * 7 + ["mutation"] * 2 + ["subscription"]
        count = chance.choice([1, 1, 1, 2, 3])
        named = count > 1 or chance.random() < 0.5
        operations = []
        for number in range(count):
            name = f"{chance.choice(['Op', 'op', 'query', 'Mutation_'])}{number}" if named else None
            kind = chance.choice(kinds)
            operations.append((name, kind, *self.operation(kind, name)))
        name, kind, _, values = chance.choice(operations)
        texts = [text for _, _, text, _ in operations] + [fragment.text for fragment in self.spread_fragments.values()]
        if named or chance.random() < 0.5:
            chance.shuffle(texts)
        query = chance.choice(["\n", " ", '\n# a comment: { } "\n', ","]).join(texts)
        if chance.random() < 0.1:
            values = {**values, "nobody_asks": [1, None]}
        operation_name = name if count > 1 or (named and chance.random() < 0.5) else None
        return Request(query, values or chance.choice([None, {}]), operation_name, kind)


def _nullable(type_):
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_
