"""A known-item collection: each title is a query for its own article, whose title is taken out of what is indexed.

    known_items.py OUT ARTICLES.jsonl.gz…

Articles have `id`, `title` and `text`. The title is taken out of the text too, whatever its case and white space. Articles of
the same title answer the same query. OUT gets corpus.jsonl, queries.jsonl, qrels.tsv, and lengths.tsv with the words of the
shortest article that answers each query.
"""

import gzip
import json
import pathlib
import re
import sys


def articles(paths):
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                article = json.loads(line)
                yield f"{pathlib.Path(path).name.split('.')[0]}/{article['id']}", article["title"].strip(), article["text"]


def without_title(text, title):
    words = r"\s+".join(re.escape(word) for word in title.split())
    return re.sub(rf"(?<!\w){words}(?!\w)", " ", text, flags=re.IGNORECASE)


def main(out, *paths):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    queries, lengths = {}, {}
    with open(out / "corpus.jsonl", "w", encoding="utf-8") as corpus:
        for identifier, title, text in articles(paths):
            text = without_title(text, title)
            corpus.write(json.dumps({"id": identifier, "title": "", "text": text}) + "\n")
            if title and text.strip():
                queries.setdefault(title, []).append(identifier)
                lengths[title] = min(lengths.get(title, sys.maxsize), len(text.split()))
    with (
        open(out / "queries.jsonl", "w", encoding="utf-8") as query_file,
        open(out / "qrels.tsv", "w", encoding="utf-8") as grades,
        open(out / "lengths.tsv", "w", encoding="utf-8") as length_file,
    ):
        grades.write("query\tdocument\tgrade\n")
        for number, (title, identifiers) in enumerate(queries.items(), 1):
            query_file.write(json.dumps({"id": f"q{number}", "text": title}) + "\n")
            grades.writelines(f"q{number}\t{identifier}\t1\n" for identifier in identifiers)
            length_file.write(f"q{number}\t{lengths[title]}\n")
    print(f"{len(queries)} queries in {out}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
