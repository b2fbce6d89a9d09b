"""Values for arguments, input fields and variables by chance: as literals of a document and as JSON."""

import json

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    is_required_input_field,
)

# What exists in an input type, but makes answers differ from one moment to the next.
UNSTABLE_FIELDS = {"freshness"}
# Inputs whose `id` must be nobody's, so that nothing is changed.
CHANGING = {"UpdateArticleInput", "DeleteArticleInput"}
NOBODY = "999999"

WORDS = ["pasta", "a walk in the forest", "stars", "how to save money", "caf\u00e9 \U0001f35d", 'a "quoted" word', "tab\there"]


class Enum(str):
    """The name of an enum's value: without quotation marks in a document."""


class Variable(str):
    """Stands where a document uses a variable."""


class Values:
    """Values that are right for their types, drawn from `random`. `facts` says what the server has."""

    def __init__(self, random, facts):
        self.random = random
        self.facts = facts

    def of(self, type_, name, use_variable=lambda _type, _name, _has_default: None, has_default=False):
        """A value of `type_` for the argument or input field `name`. `use_variable` may put a variable there instead."""
        variable = use_variable(type_, name, has_default)
        if variable is not None:
            return variable
        if isinstance(type_, GraphQLNonNull):
            return self.of_nullable(type_.of_type, name, use_variable)
        if self.random.random() < 0.08:
            return None
        return self.of_nullable(type_, name, use_variable)

    def of_nullable(self, type_, name, use_variable=lambda _type, _name, _has_default: None):
        chance = self.random
        if isinstance(type_, GraphQLList):
            if chance.random() < 0.1:
                # One value stands for a list of one; null would be no list.
                return self.of_nullable(_nullable(type_.of_type), name)
            return [self.of(type_.of_type, name, use_variable) for _ in range(chance.randint(1 if name == "articles" else 0, 3))]
        if isinstance(type_, GraphQLInputObjectType):
            return self.of_object(type_, use_variable)
        if isinstance(type_, GraphQLEnumType):
            return Enum(chance.choice(list(type_.values)))
        return self.of_scalar(type_.name, name)

    def of_object(self, type_, use_variable):
        value = {}
        for name, field in type_.fields.items():
            wanted = is_required_input_field(field) or self.random.random() < 0.35 or name in ("externalId", "waitForIndex")
            if not wanted or name in UNSTABLE_FIELDS:
                continue
            has_default = field.default_value is not Undefined
            drawn_for = "nobody" if name == "id" and type_.name in CHANGING else name
            value[name] = self.of(field.type, drawn_for, use_variable, has_default)
        names = list(value)
        self.random.shuffle(names)
        return {name: value[name] for name in names}

    def of_scalar(self, scalar, name):
        chance, facts = self.random, self.facts
        if name == "nobody":
            return chance.choice([NOBODY, int(NOBODY)])
        if scalar == "Boolean":
            return False if name == "waitForIndex" else chance.random() < 0.5
        if scalar == "ID":
            one = chance.choice([*facts.ids, NOBODY])
            return chance.choice([one, one, int(one)])
        if scalar == "DateTime":
            return chance.choice(["2024-05-01T10:00:00Z", "2030-01-01T00:00:00.123456Z", "1999-12-31T23:59:59+02:00"])
        if scalar == "Float":
            return chance.choice([0, 1, 0.5, 0.25, 1e-3])
        if scalar == "Int":
            return chance.choice(
                {
                    "first": [0, 1, 2, 3, 3, 5, -1],
                    "last": [1, 2, 3],
                    "k": [1, 2, 3, 3, 5, 0],
                    "perCategory": [1, 2, 3],
                    "autocut": [1, 2],
                    "expectedRevision": [77],
                }.get(name, [0, 10, 100, 5_000])
            )
        return chance.choice(
            {
                "after": facts.cursors,
                "before": facts.cursors,
                "category": ["Tech", "Food", "Some\nother"],
                "categoryIn": ["Tech", "Nature", "Food", "None"],
                "categoryNotIn": ["Tech", "Nature"],
                "title": ["A title", "A title", 'One with a "quotation"', "\U0001f680", ""],
                "content": ["Some words.", 'Lines\n  and \\ more """ lines.', "c"],
                "externalId": facts.external_ids,
            }.get(name, WORDS)
        )


def _nullable(type_):
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def to_json(value):
    """As a client sends it in `variables`."""
    return json.loads(json.dumps(value))


def to_literal(value, random):
    """As it stands in a document, in one of the ways in which it can be written."""
    if isinstance(value, Variable):
        return f"${value}"
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, str):
        return string_literal(value, random)
    if isinstance(value, list):
        return "[" + random.choice([", ", " ", ","]).join(to_literal(item, random) for item in value) + "]"
    if isinstance(value, dict):
        fields = (f"{name}:{random.choice(['', ' '])}{to_literal(item, random)}" for name, item in value.items())
        return "{" + random.choice([", ", " "]).join(fields) + "}"
    if isinstance(value, float):
        return random.choice([repr(value), f"{value:e}", f"{value:.4f}"])
    return json.dumps(value)


def string_literal(text, random):
    kind = random.random()
    if kind < 0.15 and "\t" not in text and text.strip() == text and text:
        return '"""' + text.replace('"""', '\\"""') + ("\n" if text.endswith(('"', "\\")) else "") + '"""'
    if kind < 0.3:
        # As a printer of JSON writes it that knows ASCII only.
        return json.dumps(text)
    if kind < 0.4:
        return '"' + "".join(f"\\u{{{ord(sign):X}}}" if not sign.isascii() or sign in '"\\\n\t' else sign for sign in text) + '"'
    return json.dumps(text, ensure_ascii=False)
