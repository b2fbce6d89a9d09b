"""The tables of docs/evaluation.md.

    evaluation.py SENTIO DATA

SENTIO is the program, DATA a folder with the collections cranfield, cacm and pubmedqa, and with blog-18f.jsonl.gz and
python-peps.jsonl.gz, of which the known-item collection is made. Everyday questions are asked of the former.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import known_items
import questions

MODES = ["SEMANTIC", "KEYWORD", "HYBRID"]
DIFFERENCES = ["HYBRID - SEMANTIC", "HYBRID - KEYWORD", "SEMANTIC - exact scan"]
PARTS = ["shortest third", "middle third", "longest third"]


def measured(sentio, folder):
    command = [sentio, "eval", str(folder), "--json", "--per-query"]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def figure(value, sign=""):
    return f"{value:{sign}.4f}".replace("0.", ".", 1)


def cell(interval, sign=""):
    mean, low, high = (figure(interval[name], sign) for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def table(reports, measure):
    heads = [f"{name} ({report['documents']:,} documents, {report['queries']:,} queries)" for name, report in reports.items()]
    print(f"\n{measure}\n\n| | " + " | ".join(heads) + " |\n|---" + "|---" * len(heads) + "|")
    for mode in MODES:
        print(f"| {mode} | " + " | ".join(cell(report["modes"][mode]["intervals"][measure]) for report in reports.values()) + " |")
    for name in DIFFERENCES:
        cells = [cell(report["differences"][name][measure], "+") for report in reports.values()]
        print(f"| {name} | " + " | ".join(cells) + " |")


def by_length(report, lengths):
    queries = sorted(lengths, key=lengths.get)
    third = -(-len(queries) // len(PARTS))
    print("\nknown items by length, nDCG@10\n\n| | words | " + " | ".join(MODES) + " |\n|---|---" + "|---" * len(MODES) + "|")
    for part, name in enumerate(PARTS):
        chosen = queries[part * third : (part + 1) * third]
        scores = [[report["per_query"][mode][query]["ndcg_at_10"] for query in chosen] for mode in MODES]
        means = " | ".join(figure(sum(values) / len(values)) for values in scores)
        print(f"| {name} | {lengths[chosen[0]]:,} to {lengths[chosen[-1]]:,} | {means} |")


def first_hits(report):
    print("\neveryday questions whose first article is right\n")
    for mode in MODES:
        scores = report["per_query"][mode].values()
        print(f"| {mode} | {sum(score['mrr_at_10'] == 1 for score in scores)} of {report['queries']} |")


def main(sentio, data):
    data = pathlib.Path(data)
    with tempfile.TemporaryDirectory() as folder:
        known = pathlib.Path(folder) / "known items"
        known_items.main(known, data / "blog-18f.jsonl.gz", data / "python-peps.jsonl.gz")
        lengths = dict(line.split("\t") for line in (known / "lengths.tsv").read_text(encoding="utf-8").splitlines())
        lengths = {query: int(words) for query, words in lengths.items()}
        reports = {}
        for path in [data / "cranfield", data / "cacm", known, data / "pubmedqa"]:
            reports[path.name] = measured(sentio, path)
        everyday = pathlib.Path(folder) / "everyday"
        judged = pathlib.Path(__file__).with_name("blog-18f-questions.json")
        questions.main(everyday, judged, data / "blog-18f.jsonl.gz")
        answered = measured(sentio, everyday)
    for measure in ["ndcg_at_10", "recall_at_100", "mrr_at_10"]:
        table(reports, measure)
    by_length(reports["known items"], lengths)
    first_hits(answered)


if __name__ == "__main__":
    main(*sys.argv[1:])
