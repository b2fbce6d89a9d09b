"""The execution of documents, compared with graphql-core's, which follows the specification: the same data, the same documents, so
the same responses, to the order of their fields."""

import json
import os
import random
import unittest
import urllib.request
from pathlib import Path

from graphql import GraphQLError, build_schema, graphql_sync

ENDPOINT = os.environ["SERVER_URL"] + "/graphql"
SDL = (Path(__file__).parents[3] / "schema.graphql").read_text()
DOCUMENTS = 400
SCALARS = ["id", "title", "category", "tags", "revision", "externalId", "createdAt", "indexState", "__typename"]


def send(query, variables=None):
    body = json.dumps({"query": query, "variables": variables or {}}).encode()
    request = urllib.request.Request(ENDPOINT, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)


class Article(dict):
    """Fails where the server fails."""

    def resolve_similar(self, k):
        if not 1 <= k <= 100:
            raise GraphQLError("k")
        raise AssertionError("similar articles are not compared")


def reference():
    """Resolves over the articles that the server has."""
    schema = build_schema(SDL)
    fields = " ".join(field for field in SCALARS if field != "__typename")
    listed = send(f"{{ articles(first: 100) {{ nodes {{ {fields} }} }} }}")["data"]["articles"]["nodes"]
    articles = [Article(article) for article in listed]
    by_id = {article["id"]: article for article in articles}

    def resolve_articles(_root, _info, first=None, **_rest):
        first = 20 if first is None else first
        if not 0 <= first <= 100:
            raise GraphQLError("first")
        page = articles[:first]
        return {
            "nodes": page,
            "edges": [{"node": article} for article in page],
            "totalCount": len(articles),
            "pageInfo": {"hasNextPage": first < len(articles), "hasPreviousPage": False},
        }

    query = schema.query_type.fields
    query["articles"].resolve = resolve_articles
    query["article"].resolve = lambda _root, _info, id=None, **_rest: by_id.get(id)
    query["node"].resolve = lambda _root, _info, id: by_id.get(id)
    query["nodes"].resolve = lambda _root, _info, ids: [by_id.get(id) for id in ids]
    schema.get_type("Node").resolve_type = lambda *_: "Article"
    similar = schema.get_type("Article").fields["similarTo"]
    similar.resolve = lambda article, _info, k, **_rest: article.resolve_similar(k)
    return schema, list(by_id)


class Documents:
    """Documents by chance, all of them valid."""

    def __init__(self, seed, ids):
        self.random = random.Random(seed)
        self.ids = ids + ["999999"]
        self.fragments = []
        self.lengths = [0, 101, -1]

    def directive(self):
        return self.random.choice([""] * 6 + [" @skip(if: $no)", " @include(if: $no)", " @include(if: true)", " @skip(if: $yes)"])

    def article(self, depth=0):
        parts = []
        for _ in range(self.random.randint(1, 5)):
            kind = self.random.random()
            if kind < 0.7 or depth > 2:
                field = self.random.choice(SCALARS)
                alias = self.random.choice(["", "", f"x_{field.strip('_')}: "])
                parts.append(f"{alias}{field}{self.directive()}")
            elif kind < 0.8:
                parts.append(f"... on Article{self.directive()} {{ {self.article(depth + 1)} }}")
            elif kind < 0.9:
                name = f"f{len(self.fragments)}"
                self.fragments.append(None)
                self.fragments[int(name[1:])] = f"fragment {name} on Article {{ {self.article(depth + 1)} }}"
                parts.append(f"...{name}{self.directive()}")
            else:
                parts.append(f"bad{self.random.randint(0, 9)}: similarTo(k: {self.random.choice(self.lengths)}) {{ score }}")
        return " ".join(parts)

    def root(self, at):
        kind = self.random.randint(0, 3)
        one = self.random.choice(self.ids)
        if kind == 0:
            first = self.random.choice([0, 1, 3, 5, 5, 101])
            # Long lists of long lists cost too much to be executed.
            self.lengths = [0] if first > 100 else [0, 101, -1]
            page = ["totalCount", f"nodes {{ {self.article()} }}", f"edges {{ node {{ {self.article()} }} }}", "pageInfo { hasNextPage }"]
            return f"r{at}: articles(first: {first}) {{ {' '.join(self.random.sample(page, 2))} }}"
        self.lengths = [0, 101, -1]
        if kind == 1:
            return f'r{at}: article(id: "{one}"){self.directive()} {{ {self.article()} }}'
        if kind == 2:
            return f'r{at}: node(id: "{one}") {{ id __typename ... on Article {{ {self.article()} }} }}'
        several = json.dumps(self.random.sample(self.ids, 3))
        return f"r{at}: nodes(ids: {several}) {{ ... on Article {{ {self.article()} }} id }}"

    def next(self):
        self.fragments = []
        roots = " ".join(self.root(at) for at in range(self.random.randint(1, 3)))
        uses = "used: __typename @skip(if: $no) unused: __typename @skip(if: $yes)"
        return f"query($yes: Boolean!, $no: Boolean!) {{ {roots} {uses} }} {' '.join(self.fragments)}"


def comparable(errors):
    """The path of each error and its first place in the document. Validation may find the same fault on several ways."""
    places = lambda error: min((place["line"], place["column"]) for place in error["locations"])
    found = [json.dumps([error.get("path"), places(error)]) for error in errors or []]
    return sorted(found if all("path" in error for error in errors or []) else set(found))


class Execution(unittest.TestCase):
    def test_responses_are_those_of_the_reference(self):
        schema, ids = reference()
        documents = Documents(7, ids)
        variables = {"yes": True, "no": False}
        failed = nulled = 0
        for number in range(DOCUMENTS):
            document = documents.next()
            expected = graphql_sync(schema, document, variable_values=variables).formatted
            found = send(document, variables)
            with self.subTest(number=number, document=document):
                self.assertEqual(json.dumps(found.get("data")), json.dumps(expected.get("data")))
                errors, expected_errors = comparable(found.get("errors")), comparable(expected.get("errors"))
                if expected.get("data") is None and "path" in expected["errors"][0]:
                    # What else would have failed need not be told, nor even be tried.
                    self.assertTrue(errors and set(errors) <= set(expected_errors), (errors, expected_errors))
                else:
                    self.assertEqual(errors, expected_errors)
            failed += "errors" in expected
            nulled += expected.get("data") is None
        # Otherwise the comparison shows little.
        self.assertGreater(failed, DOCUMENTS / 10)
        self.assertGreater(nulled, 10)


if __name__ == "__main__":
    unittest.main()
