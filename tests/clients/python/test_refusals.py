"""Refusals reach the clients of Python that send all of a body before they read: http.client and requests."""

import http.client
import json
import os
import unittest
from urllib.parse import urlsplit

import requests

SERVER = urlsplit(os.environ["SERVER_URL"])
ENDPOINT = os.environ["SERVER_URL"] + "/graphql"
JSON = {"Content-Type": "application/json"}


def body_of(mebibytes: int) -> bytes:
    return json.dumps({"query": "{ __typename }", "variables": {"x": "x" * (mebibytes << 20)}}).encode()


def chunks(body: bytes):
    for start in range(0, len(body), 1 << 20):
        yield body[start : start + (1 << 20)]


CASES = [
    (413, JSON),
    (415, {"Content-Type": "text/plain"}),
    (415, {**JSON, "Content-Encoding": "gzip"}),
    (406, {**JSON, "Accept": "text/html"}),
]


class Refusals(unittest.TestCase):
    def by_http_client(self, body, headers):
        connection = http.client.HTTPConnection(SERVER.hostname, SERVER.port, timeout=60)
        try:
            connection.request("POST", "/graphql", body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read()), response.will_close
        finally:
            connection.close()

    def test_http_client_reads_them(self):
        for mebibytes in (9, 64):
            body = body_of(mebibytes)
            for status, headers in CASES:
                for framed in (body, chunks(body)):
                    with self.subTest(status=status, mebibytes=mebibytes, headers=headers, framed=type(framed)):
                        found, answer, closes = self.by_http_client(framed, headers)
                        self.assertEqual(found, status)
                        self.assertTrue(answer["errors"][0]["message"])
                        self.assertTrue(closes)

    def test_requests_reads_them(self):
        body = body_of(64)
        for status, headers in CASES:
            for framed in (body, chunks(body)):
                with self.subTest(status=status, headers=headers, framed=type(framed)):
                    response = requests.post(ENDPOINT, data=framed, headers=headers, timeout=60)
                    self.assertEqual(response.status_code, status)
                    self.assertTrue(response.json()["errors"][0]["message"])

    def test_a_session_goes_on_after_them(self):
        with requests.Session() as session:
            for _ in range(3):
                refused = session.post(ENDPOINT, data=body_of(9), headers=JSON, timeout=60)
                self.assertEqual(refused.status_code, 413)
                answered = session.post(ENDPOINT, json={"query": "{ __typename }"}, timeout=60)
                self.assertEqual(answered.json(), {"data": {"__typename": "Query"}})

    def test_what_nobody_reads_ends_the_connection(self):
        for framed in (body_of(70), body_of(256)):
            try:
                response = requests.post(ENDPOINT, data=framed, headers=JSON, timeout=60)
            except requests.ConnectionError:
                continue
            self.assertEqual(response.status_code, 413)

    def test_long_responses_are_compressed(self):
        query = {"query": "{ __schema { types { name description fields { name description } } } }"}
        plain = requests.post(ENDPOINT, json=query, headers={"Accept-Encoding": "identity"}, timeout=60)
        self.assertNotIn("Content-Encoding", plain.headers)
        packed = requests.post(ENDPOINT, json=query, headers={"Accept-Encoding": "gzip"}, timeout=60)
        self.assertEqual(packed.headers["Content-Encoding"], "gzip")
        self.assertEqual(packed.content, plain.content)


if __name__ == "__main__":
    unittest.main()
