"""Sends many requests to the server and to the reference, and gathers on which of them the two disagree."""

import collections
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compare import answer_of, disagreement
from differences import meant
from documents import Documents, Facts
from reference import Reference
from server import Server

ROOT = Path(__file__).parents[3]
# As many requests are under way at a time.
THREADS = 4
# As many disagreements are told in full.
EXAMPLES = 8

READY = "{ indexStatus { state pending } }"
SEEN = """query($after: String) {
  articles(first: 100, after: $after, orderBy: { direction: ASC }) {
    edges { cursor node { id revision externalId } } pageInfo { hasNextPage endCursor }
  }
}"""


# What the documents are drawn from: the same ones for each commit, so that none fails for what an earlier one has done.
SEED = "sentio"


def seed():
    """`DOCUMENTS_SEED` draws other documents."""
    return os.environ.get("DOCUMENTS_SEED") or SEED


class Trial:
    """One kind of requests, numbered; `DOCUMENTS_ONLY` tries a single number."""

    def __init__(self, title):
        self.title, self.seed = title, seed()
        self.server = Server()
        self.reference = Reference((ROOT / "schema.graphql").read_text(encoding="utf-8"), self.server)
        self._await_index()
        self.articles = self._list()
        cursors = tuple(edge["cursor"] for edge in self.articles[:3])
        ids = tuple(edge["node"]["id"] for edge in self.articles)
        named = tuple(edge["node"]["externalId"] for edge in self.articles if edge["node"]["externalId"])
        self.facts = Facts(ids[:30], cursors, named[:2])
        self.documents = Documents(self.reference.schema, self.facts, f"{self.seed} {title}")
        self.lock = threading.Lock()
        # How many there were of each group that are valid or not.
        self.counts = collections.Counter()
        self.limited = self.failed = self.nulled = 0
        self.disagreements = []

    def run(self, count, change):
        """Compares the requests number 0 to `count` that `change` makes."""
        only = os.environ.get("DOCUMENTS_ONLY")
        print(f"\n{self.title}: {count} documents of the seed {self.seed} (DOCUMENTS_SEED and DOCUMENTS_ONLY choose others)")
        begun = time.monotonic()
        numbered = [(number, change(number)) for number in ([int(only)] if only else range(count))]
        writing = [one for one in numbered if "mutation" in one[1].request.query]
        reading = [one for one in numbered if "mutation" not in one[1].request.query]
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(lambda one: self._compare(*one), reading))
        # One after the other: between them everything is as it was.
        for one in writing:
            self._compare_written(*one)
        self.server.close()
        self._tell(time.monotonic() - begun)

    def _compare(self, number, change):
        self._judge(number, change, lambda _: None)

    def _compare_written(self, number, change):
        request = change.request

        def clear(request):
            self._restore(request)
            # The index is read by more fields than indexStatus.
            self._await_index()

        verdict = self._judge(number, change, clear)
        if not verdict.is_valid and self._list() != self.articles:
            self._disagree(number, change, "it has written, although it is invalid")
        self._restore(request)

    def _ask_both(self, request, clear):
        clear(request)
        verdict = self.reference.verdict(request)
        # The reference has written, too.
        clear(request)
        answer = answer_of(self.server, request, verdict)
        differs = disagreement(request, verdict, answer)
        if differs and differs != "limit" and verdict.is_valid and meant(request):
            differs = None
        return verdict, differs

    def _judge(self, number, change, clear):
        """Returns the verdict on a request; `clear` removes what it has written."""
        request = change.request
        verdict, differs = self._ask_both(request, clear)
        if differs and differs != "limit" and verdict.is_valid:
            # In quiet the index is tidied, which changes scores by words a little: both are asked at the same time then.
            self.reference.forget_answers()
            verdict, differs = self._ask_both(request, clear)
        with self.lock:
            self.counts[change.group, verdict.is_valid] += 1
            self.counts[verdict.kind or request.kind, verdict.is_valid] += 1
            self.counts["all", verdict.is_valid] += 1
            self.failed += verdict.is_valid and bool(verdict.errors)
            self.nulled += verdict.is_valid and verdict.data is None
            self.limited += differs == "limit"
        if differs and differs != "limit":
            self._disagree(number, change, differs)
        return verdict

    def _disagree(self, number, change, differs):
        with self.lock:
            self.disagreements.append((number, change, differs))

    def _tell(self, seconds):
        total = sum(self.counts["all", valid] for valid in (True, False))
        print(
            f"{self.title}: {total} compared in {seconds:.0f} s, {len(self.disagreements)} differ, {self.limited} beyond a limit, "
            f"{self.failed} with errors of fields, {self.nulled} of them without data"
        )
        for group in dict.fromkeys(group for group, _ in self.counts):
            print(f"  {group:<14} {self.counts[group, True]:>5} valid {self.counts[group, False]:>5} not")
        for number, change, differs in self.disagreements[:EXAMPLES]:
            print(f"\n{self.title} {number} ({change.group}: {change.way}): {differs}\n{change.request.body()}")

    def check(self, case, groups):
        """Fails `case` for a disagreement, or when too little was compared to show anything."""
        case.assertEqual(len(self.disagreements), 0, "the server and the reference disagree: see above")
        if os.environ.get("DOCUMENTS_ONLY"):
            return
        total = sum(self.counts["all", valid] for valid in (True, False))
        case.assertLess(self.limited, total / 100, "too many are beyond a limit")
        for group in ["all", *groups]:
            valid, invalid = self.counts[group, True], self.counts[group, False]
            case.assertGreaterEqual(min(valid, invalid), (valid + invalid) / 10, f"{group}: {valid} valid, {invalid} not")
            case.assertGreater(valid + invalid, 0, group)

    # --- what the server has

    def _await_index(self):
        deadline = time.monotonic() + 60
        while self.server.ask(READY)["indexStatus"] != {"state": "IN_STEP", "pending": 0}:
            if time.monotonic() > deadline:
                raise AssertionError("the index does not catch up")
            time.sleep(0.05)

    def _list(self):
        edges, after = [], None
        while True:
            page = self.server.ask(SEEN, after=after)["articles"]
            edges += page["edges"]
            if not page["pageInfo"]["hasNextPage"]:
                return edges
            after = page["pageInfo"]["endCursor"]

    def _restore(self, request):
        """Removes what was created. Nothing else can have been changed by a document that is right."""
        known = [edge["node"]["id"] for edge in self.articles]
        found = self._list()
        for edge in found:
            if edge["node"]["id"] not in known:
                self.server.ask(
                    "mutation($id: ID!) { deleteArticle(input: { id: $id, waitForIndex: false }) { userErrors { message } } }",
                    id=edge["node"]["id"],
                )
        if [edge for edge in found if edge["node"]["id"] in known] != self.articles:
            raise AssertionError(f"articles were changed or deleted by {request}")
