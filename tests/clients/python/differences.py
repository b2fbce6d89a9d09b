"""Where the server is meant to differ from the reference: single cases, each with its reason. No whole rule belongs here."""

# What is the case, and whether a request is one.
CASES = []


def meant(request, verdict, answer):
    return any(applies(request, verdict, answer) for _, applies in CASES)
