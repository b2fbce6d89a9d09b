"""Requests to the server that is tested, over connections that are kept."""

import http.client
import json
import os
import threading
import time
from urllib.parse import urlsplit

PATIENCE = 60
# A connection that has been idle for longer may be closed by the server at any moment.
IDLE = 10


class Server:
    def __init__(self, url=None):
        self.address = urlsplit(url or os.environ["SERVER_URL"]).netloc
        self.local = threading.local()
        self.connections = []

    def answer(self, body, accept="application/json"):
        """The status and the body of an answer, its fields in their order."""
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
            self.connections.append(self.local.connection)
        elif time.monotonic() - self.local.used > IDLE:
            # It is opened again when it is used.
            self.local.connection.close()
        self.local.used = time.monotonic()
        response = self._post(self.local.connection, body, accept)
        text = response.read()
        return response.status, json.loads(text) if text else None

    def ask(self, query, **variables):
        """The data of a document that must succeed."""
        _, answer = self.answer({"query": query, "variables": variables})
        if "errors" in answer:
            raise AssertionError(f"{answer} to {query}")
        return answer["data"]

    def close(self):
        for connection in self.connections:
            connection.close()

    def first_event(self, body):
        """The first result of a subscription; a stream cannot be left without its connection."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        try:
            response = self._post(connection, body, "text/event-stream")
            if not response.getheader("content-type", "").startswith("text/event-stream"):
                return json.loads(response.read())
            for line in response:
                if line.startswith(b"data:") and line[5:].strip():
                    return json.loads(line[5:])
            return {"errors": [{"message": "the stream has ended without a result"}]}
        finally:
            connection.close()

    @staticmethod
    def _post(connection, body, accept):
        headers = {"Content-Type": "application/json", "Accept": accept}
        connection.request("POST", "/graphql", json.dumps(body).encode(), headers)
        return connection.getresponse()
