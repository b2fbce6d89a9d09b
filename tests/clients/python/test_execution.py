"""Valid documents: the server gives the same data in the same order and fails at the same fields as graphql-core."""

import unittest

from mutate import WAYS_OF_REQUESTS, Change, Mutator
from trial import Trial

DOCUMENTS = 2_000


class Execution(unittest.TestCase):
    def test_responses_are_those_of_the_reference(self):
        trial = Trial("execution")
        spoiling = Mutator(trial.reference.schema, f"{trial.seed} execution", WAYS_OF_REQUESTS)

        def change(number):
            sound = trial.documents.request(number)
            # A good document may come with bad variables, or ask for an operation that it has not.
            return Change("sound", "as it is", sound) if number % 5 > 1 else spoiling.change(number, sound)

        trial.run(DOCUMENTS, change)
        trial.check(self, WAYS_OF_REQUESTS)
        if trial.counts["all", True] > 1:
            # Otherwise little is seen of errors and of what they leave of the data.
            self.assertGreater(trial.failed, DOCUMENTS / 40)
            self.assertGreater(trial.nulled, DOCUMENTS / 200)


if __name__ == "__main__":
    unittest.main()
