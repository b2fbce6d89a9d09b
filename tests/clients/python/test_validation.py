"""Documents that are changed in one place: graphql-core and the server agree on which are valid still, and nothing of an
invalid one is executed."""

import unittest

from mutate import WAYS, Mutator
from trial import Trial

DOCUMENTS = 2_000


class Validation(unittest.TestCase):
    def test_the_server_refuses_what_the_reference_refuses(self):
        trial = Trial("validation")
        breaking = Mutator(trial.reference.schema, f"{trial.seed} validation", WAYS)
        trial.run(DOCUMENTS, lambda number: breaking.change(number, trial.documents.request(number)))
        trial.check(self, ["query", "mutation", "subscription", *WAYS])


if __name__ == "__main__":
    unittest.main()
