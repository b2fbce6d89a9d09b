"""Ways to change the text of a document, whatever it means."""

from draft import tokens

STRAY = [
    "}",
    "{",
    ")",
    "(",
    "]",
    "$",
    "!",
    "&",
    "|",
    ":",
    "=",
    "@",
    "...",
    '"',
    '"""',
    "?",
    "\\",
    "%",
    "-",
    "01",
    "1.",
    ".5",
    "1e",
    "\x00",
    "\u00e9",
    "'",
    "on",
    ".",
    "~",
]
ESCAPES = ["\\x", "\\u12", "\\ud83c", "\\u{110000}", "\\u{}", "\\u{D800}", "\\udf89\\ud83c", "\\'", "\\u{1F389", "\\U0041", "\n"]
HARMLESS_SIGNS = [",", " ", "\n", "\t", "\r\n", ", ,", '# a comment " { \n', "\ufeff"]


# --- syntax


def cut(draft):
    return draft.put(draft.random.randrange(len(draft.text)), len(draft.text), "")


def delete_a_sign(draft):
    at = draft.random.choice([place for place, sign in enumerate(draft.text) if not sign.isspace()])
    return draft.put(at, at + 1, "")


def insert_a_stray(draft):
    return draft.insert(draft.random.randrange(len(draft.text) + 1), draft.random.choice(STRAY))


def insert_a_name(draft):
    """Also within arguments and input objects, where a lenient parser looks for the next pair."""
    places = [token.start for token in tokens(draft.document)]
    return draft.insert(draft.random.choice(places), draft.random.choice([" x ", " null ", " on ", " first ", " 1 "]))


def delete_a_token(draft):
    token = draft.random.choice(list(tokens(draft.document)))
    return draft.put(token.start, token.end, " ")


def double_a_token(draft):
    token = draft.random.choice(list(tokens(draft.document)))
    return draft.insert(token.end, f" {draft.text[token.start : token.end]} ")


def forget_a_colon(draft):
    pairs = [node for node, *_ in draft.places.arguments + draft.places.object_fields]
    node = draft.one(pairs)
    return node and draft.put(node.name.loc.end, node.value.loc.start, " ")


def spoil_a_string(draft):
    found = draft.one([node for node, _ in draft.places.literals if node.kind == "string_value" and not node.block])
    return found and draft.insert(found.loc.start + 1, draft.random.choice(ESCAPES))


def end_a_string_too_late(draft):
    found = draft.one([node for node, _ in draft.places.literals if node.kind == "string_value"])
    return found and draft.put(found.loc.end - 1, found.loc.end, "")


def add_what_is_ignored(draft):
    places = [token.start for token in tokens(draft.document)] + [len(draft.text)]
    return draft.insert(draft.random.choice(places), draft.random.choice(HARMLESS_SIGNS))
