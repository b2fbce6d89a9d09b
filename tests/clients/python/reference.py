"""What graphql-core, which follows the specification, makes of a request, over what the server has.

Its resolvers ask the server, with the plainest of documents: one field, its arguments in variables, everything selected.
So what is compared are parsing, validation, coercion, merging, order and errors, and not the articles themselves."""

import asyncio
import json
import re
import threading
from dataclasses import dataclass

from graphql import (
    ASTValidationRule,
    ExecutionResult,
    GraphQLError,
    GraphQLFloat,
    GraphQLNonNull,
    OperationType,
    Undefined,
    Visitor,
    build_schema,
    create_source_event_stream,
    execute_sync,
    get_named_type,
    get_operation_ast,
    introspection_types,
    is_leaf_type,
    is_non_null_type,
    parse,
    specified_rules,
    specified_scalar_types,
    validate,
    visit,
)
from graphql.execution.values import get_variable_values
from graphql.validation import recommended_rules

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


# Those of the specification: how deep introspection may go is a limit, and the server has limits of its own.
RULES = [rule for rule in specified_rules if rule not in recommended_rules]


def validated(schema, document):
    """What is wrong with a document by the specification of September 2025, of which graphql-core 3.2 lacks a rule."""
    errors = validate(schema, document, [ConditionalSubscriptions])
    # That one first: graphql-core fails at variables in such conditions.
    return errors or validate(schema, document, RULES)


class OneKindOfStrings(Visitor):
    """A block string is a way to write a value (2.9.4): graphql-core would take it for another argument than the same value in quotes."""

    @staticmethod
    def enter_string_value(node, *_):
        node.block = False


class ConditionalSubscriptions(ASTValidationRule):
    """`@skip` and `@include` are not for the root selections of a subscription (5.2.4.1 Single Root Field)."""

    def enter_operation_definition(self, node, *_):
        if node.operation == OperationType.SUBSCRIPTION:
            self.look_through(node.selection_set, set())

    def look_through(self, selection_set, seen):
        for selection in selection_set.selections:
            if any(directive.name.value in ("skip", "include") for directive in selection.directives):
                self.report_error(GraphQLError("a condition at the root of a subscription", selection))
            if selection.kind == "inline_fragment":
                self.look_through(selection.selection_set, seen)
            if selection.kind == "fragment_spread" and selection.name.value not in seen:
                seen.add(selection.name.value)
                fragment = self.context.get_fragment(selection.name.value)
                if fragment:
                    self.look_through(fragment.selection_set, seen)


def be_exact_about_introspection():
    """`includeDeprecated` takes no null since September 2025."""
    for type_ in introspection_types.values():
        for field in getattr(type_, "fields", {}).values():
            argument = field.args.get("includeDeprecated")
            if argument and not is_non_null_type(argument.type):
                argument.type = GraphQLNonNull(argument.type)


async def no_events():
    return
    yield


@dataclass
class Verdict:
    """The phase that a request has come to, and its result when it was executed."""

    phase: str
    data: object = None
    errors: tuple = ()
    # Of the operation that is meant: query, mutation or subscription; none before it was found.
    kind: str | None = None

    @property
    def is_valid(self):
        return self.phase == "execution"


class Reference:
    def __init__(self, sdl, server):
        self.server = server
        self.schema = build_schema(sdl)
        self.answers = {}
        self.lock = threading.Lock()
        self.selections = {}
        self._be_exact_about_scalars()
        be_exact_about_introspection()
        self._ask_the_server()

    def verdict(self, request):
        try:
            document = parse(request.query)
        except GraphQLError as error:
            return Verdict("parsing", errors=(error.formatted,))
        visit(document, OneKindOfStrings())
        errors = validated(self.schema, document)
        if errors:
            return Verdict("validation", errors=tuple(error.formatted for error in errors))
        operation = get_operation_ast(document, request.operation_name)
        if operation is None:
            return Verdict("choice of the operation")
        variables, kind = request.variables or {}, operation.operation.value
        coerced = get_variable_values(self.schema, operation.variable_definitions or [], variables)
        if isinstance(coerced, list):
            return Verdict("variables", errors=tuple(error.formatted for error in coerced), kind=kind)
        if operation.operation is OperationType.SUBSCRIPTION:
            stream = asyncio.run(create_source_event_stream(self.schema, document, None, None, variables, request.operation_name))
            if isinstance(stream, ExecutionResult):
                return Verdict("source stream", errors=tuple(error.formatted for error in stream.errors), kind=kind)
        result = execute_sync(self.schema, document, variable_values=variables, operation_name=request.operation_name)
        return Verdict("execution", result.data, tuple(error.formatted for error in result.errors or ()), kind)

    def forget_answers(self):
        """What is asked from now on, the server is asked again."""
        with self.lock:
            self.answers.clear()

    def _be_exact_about_scalars(self):
        """graphql-core lets a scalar of ours pass unread, and takes a literal beyond all floats for infinite."""

        def parse_value(value):
            if not isinstance(value, str) or not RFC_3339.fullmatch(value):
                raise GraphQLError(f"no time: {value!r}")
            return value

        def parse_literal(node, _variables=None):
            return parse_value(getattr(node, "value", None) if node.kind == "string_value" else None)

        scalar = self.schema.get_type("DateTime")
        scalar.parse_value, scalar.parse_literal = parse_value, parse_literal
        read = GraphQLFloat.parse_literal
        GraphQLFloat.parse_literal = lambda node, variables=None: GraphQLFloat.parse_value(read(node, variables))
        # Each implementation has words of its own for the scalars of the specification.
        for name in specified_scalar_types:
            described = self.server.ask("query($name: String!) { __type(name: $name) { description } }", name=name)["__type"]
            if described and name in self.schema.type_map:
                self.schema.type_map[name].description = described["description"]

    def _ask_the_server(self):
        for name, field in self.schema.query_type.fields.items():
            field.resolve = self._asked("query", name, field)
        for name, field in self.schema.mutation_type.fields.items():
            field.resolve = self._written(name, field)
        for name, field in self.schema.subscription_type.fields.items():
            if name in self.schema.query_type.fields:
                field.resolve = self._asked("query", name, self.schema.query_type.fields[name])
            # Only whether there is a stream is looked at, not what comes of it.
            field.subscribe = lambda *_, **__: no_events()
        similar = self.schema.get_type("Article").fields["similarTo"]
        similar.resolve = self._asked("query", "similarTo", similar)
        self.schema.get_type("Node").resolve_type = lambda *_: "Article"

    def _asked(self, kind, name, field):
        def resolve(source, _info, **arguments):
            article = source["id"] if name == "similarTo" else None
            key = json.dumps([name, article, arguments], sort_keys=True)
            with self.lock:
                known = self.answers.get(key)
            if known is None:
                known = self._ask(kind, name, field, arguments, article)
                with self.lock:
                    self.answers[key] = known
            return self._result(known, name)

        return resolve

    def _written(self, name, field):
        def resolve(_source, _info, **arguments):
            arguments = {"input": {**arguments["input"], "waitForIndex": False}}
            return self._result(self._ask("mutation", name, field, arguments), name)

        return resolve

    def _ask(self, kind, name, field, arguments, article=None):
        types = {argument: definition.type for argument, definition in field.args.items() if argument in arguments}
        variables = {argument: f"${argument}: {type_}" for argument, type_ in types.items()}
        given = ", ".join(f"{argument}: ${argument}" for argument in types)
        asked = f"{name}{f'({given})' if given else ''} {{ {self._everything(get_named_type(field.type))} }}"
        if article is not None:
            variables["similar_to"] = "$similar_to: ID!"
            arguments = {**arguments, "similar_to": article}
            asked = f"article(id: $similar_to) {{ {asked} }}"
        definitions = ", ".join(variables.values())
        query = f"{kind}{f'({definitions})' if definitions else ''} {{ {asked} }}"
        _, answer = self.server.answer({"query": query, "variables": arguments})
        return answer

    def _result(self, answer, name):
        data = answer.get("data") or {}
        if name == "similarTo":
            data = data.get("article") or {}
        for error in answer.get("errors", ()):
            if not error.get("path") or error["path"][-1] != name:
                raise AssertionError(f"the plainest document fails: {answer}")
            raise GraphQLError(error["message"])
        return data.get(name, Undefined)

    def _everything(self, type_, depth=0):
        """All that is selected of a type, as far down as the server's answer does not depend on further arguments."""
        if (type_.name, depth) not in self.selections:
            parts = []
            if type_.name == "Node":
                parts.append(f"... on Article {{ {self._everything(self.schema.get_type('Article'), depth)} }}")
            for name, field in type_.fields.items():
                inner = get_named_type(field.type)
                if field.args or depth > 4:
                    continue
                parts.append(name if is_leaf_type(inner) else f"{name} {{ {self._everything(inner, depth + 1)} }}")
            self.selections[type_.name, depth] = " ".join(parts)
        return self.selections[type_.name, depth]
