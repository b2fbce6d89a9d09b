"""A collection of questions with judged first hits, over a file of articles.

    questions.py OUT QUESTIONS.json ARTICLES.jsonl.gz

Articles have `id`, `title` and `text`; questions have `question` and `right`, the ids of the articles that are right as the first.
OUT gets corpus.jsonl, queries.jsonl and qrels.tsv.
"""

import gzip
import json
import pathlib
import sys


def main(out, questions, articles):
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    questions = json.loads(pathlib.Path(questions).read_text(encoding="utf-8"))
    with gzip.open(articles, "rt", encoding="utf-8") as file, open(out / "corpus.jsonl", "w", encoding="utf-8") as corpus:
        for line in file:
            article = json.loads(line)
            corpus.write(json.dumps({name: article[name] for name in ("id", "title", "text")}) + "\n")
    with (
        open(out / "queries.jsonl", "w", encoding="utf-8") as queries,
        open(out / "qrels.tsv", "w", encoding="utf-8") as grades,
    ):
        grades.write("query\tdocument\tgrade\n")
        for number, question in enumerate(questions, 1):
            queries.write(json.dumps({"id": f"q{number}", "text": question["question"]}) + "\n")
            grades.writelines(f"q{number}\t{identifier}\t1\n" for identifier in question["right"])


if __name__ == "__main__":
    main(*sys.argv[1:])
