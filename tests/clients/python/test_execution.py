"""Valid documents: the server gives the same data in the same order and fails at the same fields as graphql-core."""

import unittest

from mutate import WAYS_OF_REQUESTS, Mutator
from trial import Trial

DOCUMENTS = 2_000


class Execution(unittest.TestCase):
    def test_responses_are_those_of_the_reference(self):
        trial = Trial("execution")
        spoiling = Mutator(trial.reference.schema, trial.facts, f"{trial.seed} execution", WAYS_OF_REQUESTS)

        def request(number):
            sound = trial.documents.request(number)
            # A good document may come with bad variables, or ask for an operation that it has not.
            if number % 3:
                return "sound", sound
            change = spoiling.change(number, sound)
            return change.group, change.request

        trial.run(DOCUMENTS, request)
        trial.check(self, WAYS_OF_REQUESTS)
        if trial.counts["all", True] > 1:
            # Otherwise little is seen of errors and of what they leave of the data.
            self.assertGreater(trial.failed, DOCUMENTS / 20)
            self.assertGreater(trial.nulled, DOCUMENTS / 200)


if __name__ == "__main__":
    unittest.main()
