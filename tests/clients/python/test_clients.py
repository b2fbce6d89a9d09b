"""The Python clients: gql over HTTP and WebSocket, and what ariadne-codegen generates."""

import asyncio
import os
import subprocess
import sys
import unittest
from datetime import datetime
from pathlib import Path

from gql import Client, GraphQLRequest, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.websockets import WebsocketsTransport

ENDPOINT = os.environ["SERVER_URL"] + "/graphql"
SOCKET = ENDPOINT.replace("http", "ws", 1)
FOLDER = Path(__file__).parent

CREATE = """
  mutation ($input: CreateArticleInput!) {
    createArticle(input: $input) { article { id } userErrors { message } }
  }
"""


def http_client() -> Client:
    # The schema is fetched, and every document checked against it before it is sent.
    return Client(transport=AIOHTTPTransport(url=ENDPOINT), fetch_schema_from_transport=True)


async def create_article(title: str) -> str:
    async with http_client() as session:
        request = GraphQLRequest(CREATE, variable_values={"input": {"title": title, "content": "Words."}})
        created = await session.execute(request)
    return created["createArticle"]["article"]["id"]


class Gql(unittest.IsolatedAsyncioTestCase):
    async def test_a_query_finds_by_meaning(self):
        async with http_client() as session:
            found = await session.execute(gql('{ recommend(query: "pasta", k: 1) { article { title } } }'))
        self.assertEqual(found["recommend"][0]["article"]["title"], "Spaghetti Carbonara the Roman Way")

    async def test_an_error_has_its_code(self):
        async with http_client() as session:
            with self.assertRaises(TransportQueryError) as raised:
                await session.execute(gql('{ recommend(query: "") { score } }'))
        self.assertEqual(raised.exception.errors[0]["extensions"]["code"], "BAD_USER_INPUT")

    async def test_a_subscription_by_web_socket(self):
        self.assertEqual(await self.changes(WebsocketsTransport(url=SOCKET)), ["CREATED", "INDEXED"])

    async def test_a_subscription_in_the_older_protocol(self):
        older = WebsocketsTransport(url=SOCKET, subprotocols=[WebsocketsTransport.APOLLO_SUBPROTOCOL])
        self.assertEqual(await self.changes(older), ["CREATED", "INDEXED"])
        self.assertEqual(older.subprotocol, "graphql-ws")

    async def changes(self, transport: WebsocketsTransport) -> list[str]:
        """The changes that a subscription hears of an article that is created meanwhile."""
        kinds = []
        async with Client(transport=transport) as session:
            changes = session.subscribe(gql("subscription { articleChanged { kind articleId } }"))
            first = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0.5)
            article = await create_article("By gql")
            change = (await first)["articleChanged"]
            while True:
                if change["articleId"] == article:
                    kinds.append(change["kind"])
                if kinds[-1:] == ["INDEXED"]:
                    break
                change = (await anext(changes))["articleChanged"]
            await changes.aclose()
        return kinds


class AriadneCodegen(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        generated = subprocess.run(
            [sys.executable, "-m", "ariadne_codegen"], cwd=FOLDER, capture_output=True, text=True
        )
        assert generated.returncode == 0, generated.stdout + generated.stderr
        sys.path.insert(0, str(FOLDER))

    async def test_the_generated_client_reads_writes_and_subscribes(self):
        from generated_client import Client, CreateArticleInput, RecommendMode, RecommendOptions

        async with Client(url=ENDPOINT, ws_url=SOCKET) as client:
            options = RecommendOptions(mode=RecommendMode.HYBRID, diversity=0.2)
            found = await client.recommend("pasta", options)
            self.assertEqual(found.recommend[0].article.title, "Spaghetti Carbonara the Roman Way")
            page = await client.articles(first=2)
            self.assertIsInstance(page.articles.nodes[0].created_at, datetime)
            after = await client.articles(first=2, after=page.articles.page_info.end_cursor)
            self.assertNotEqual(page.articles.nodes[0].id, after.articles.nodes[0].id)

            changes = client.article_changed()
            first = asyncio.ensure_future(anext(changes))
            await asyncio.sleep(0.5)
            created = await client.create_article(CreateArticleInput(title="By ariadne", content="Words."))
            self.assertEqual(created.create_article.user_errors, [])
            change = (await first).article_changed
            while change.article_id != created.create_article.article.id:
                change = (await anext(changes)).article_changed
            self.assertEqual(change.article.title, "By ariadne")
            await changes.aclose()


if __name__ == "__main__":
    unittest.main()
