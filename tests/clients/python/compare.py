"""Whether the server and the reference agree on a request."""

import json

# The code that tells in which phase a request was refused.
CODES = {
    "parsing": "GRAPHQL_PARSE_FAILED",
    "validation": "GRAPHQL_VALIDATION_FAILED",
    "variables": "BAD_USER_INPUT",
}


def is_compared(request, verdict):
    """Whether there is data to compare: no event comes that tells of an article."""
    return verdict.kind != "subscription" or "articleChanged" not in request.query


def answer_of(server, request, verdict):
    """What the server answers; of a subscription its first event. Of one whose events do not come it says that it needs a
    stream, when it is valid."""
    if verdict.kind == "subscription" and is_compared(request, verdict):
        return server.first_event(request.body())
    status, answer = server.answer(request.body())
    return {"data": None} if status == 406 else answer


def disagreement(request, verdict, answer):
    """In which respect the two differ, and None when in none."""
    errors = answer.get("errors", [])
    if any(error.get("extensions", {}).get("code") == "LIMIT_EXCEEDED" for error in errors):
        return "limit"
    found_valid = "data" in answer
    if verdict.is_valid != found_valid:
        said = errors[0]["message"] if errors else "it was executed"
        return f"the reference says {verdict.phase}{f' {verdict.errors[0]}' if verdict.errors else ''}; the server: {said}"
    if not verdict.is_valid:
        code = errors[0].get("extensions", {}).get("code") if errors else None
        if verdict.phase in CODES and code != CODES[verdict.phase]:
            return f"the code is {code}, not {CODES[verdict.phase]}"
        if verdict.phase in ("parsing", "validation") and not all(error.get("locations") for error in errors):
            return "an error has no place"
        return None
    if not is_compared(request, verdict):
        return None
    if json.dumps(answer["data"]) != json.dumps(verdict.data):
        return f"the data is {json.dumps(answer['data'])}, not {json.dumps(verdict.data)}"
    found, expected = places(errors, answer["data"]), places(verdict.errors, verdict.data)
    if found != expected:
        return f"the errors are at {found}, not at {expected}"
    if bool(errors) != bool(verdict.errors):
        return f"the errors are {errors}, not {verdict.errors}"
    return None


def places(errors, data):
    """The path of each error and its first place in the document. Below a null that an error has spread to, it is left to
    the server which of several errors it tells."""
    return sorted(json.dumps([error["path"], first_place(error)]) for error in errors if not is_hidden(error["path"], data))


def first_place(error):
    return min((place["line"], place["column"]) for place in error["locations"])


def is_hidden(path, data):
    for step in path:
        if data is None:
            return True
        data = data[step]
    return False
