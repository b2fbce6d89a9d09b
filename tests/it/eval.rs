//! `sentio eval`: what it reads, what it refuses, what it prints.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::app::repository;

fn eval(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sentio"))
        .current_dir(folder)
        .env_clear()
        .env("SENTIO_MODEL", repository("models/all-MiniLM-L6-v2"))
        .env("SENTIO_ORT_LIB", repository("lib/libonnxruntime.so"))
        .env("SENTIO_LOG", "warn")
        // Never opened.
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")
        .arg("eval")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn refusal(folder: &Path, arguments: &[&str]) -> String {
    let output = eval(folder, arguments);
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Blank titles, an empty document, a query that is blank, one that nobody judged, one that the file lacks.
fn write_collection(folder: &Path) {
    let corpus = [
        r#"{"id": "pasta/1", "title": "", "text": "Carbonara needs eggs, cheese and spaghetti."}"#,
        r#"{"id": 7, "title": "Volcanoes", "text": "Lava flows down the mountain."}"#,
        r#"{"_id": "empty", "title": "", "text": ""}"#,
        r#"{"id": "long title", "title": "TITLE", "text": "Interest rates and the stock market."}"#,
    ];
    let corpus = corpus.join("\n").replace("TITLE", &"money ".repeat(100));
    std::fs::write(folder.join("corpus.jsonl"), corpus).unwrap();
    let queries = [
        r#"{"id": "q1", "text": "pasta"}"#,
        r#"{"id": "q2", "text": "volcanoes lava"}"#,
        r#"{"id": "q3", "text": " "}"#,
        r#"{"id": "unjudged", "text": "stock market"}"#,
    ];
    std::fs::write(folder.join("queries.jsonl"), queries.join("\n\n")).unwrap();
    let judgements =
        "query\tdocument\tgrade\nq1\tpasta/1\t2\nq1\t7\t0\nq2\t7\t1\nq3\tempty\t1\nq4\tpasta/1\t1\n";
    std::fs::write(folder.join("qrels.tsv"), judgements).unwrap();
}

#[test]
fn a_small_collection_is_measured_in_all_modes() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    let report = json(&eval(folder.path(), &[".", "--json"]));
    assert_eq!(report["default_mode"], "HYBRID");
    assert_eq!((report["documents"].as_u64(), report["queries"].as_u64()), (Some(4), Some(4)));
    // Two of four queries have an answer that is found; "pasta" is in none of the documents.
    for (mode, expected) in [("SEMANTIC", 0.5), ("HYBRID", 0.5), ("KEYWORD", 0.25)] {
        let summary = &report["modes"][mode];
        for measure in ["ndcg_at_10", "recall_at_100", "mrr_at_10"] {
            assert_eq!(summary[measure], expected, "{mode} {measure} {summary:#}");
            let interval = &summary["intervals"][measure];
            assert!(interval["low"].as_f64().unwrap() < expected, "{interval}");
        }
        assert!(summary["latency_ms_p50"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(report["differences"]["HYBRID - KEYWORD"]["ndcg_at_10"]["mean"], 0.25);
    assert_eq!(report["differences"]["SEMANTIC - exact scan"]["ndcg_at_10"]["mean"], 0.0);
    assert_eq!(report["vector_index_recall_at_10"], 1.0);

    let table = eval(folder.path(), &[".", "--mode", "hybrid", "--mode", "Keyword"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("4 documents, 4 judged queries") && table.contains("HYBRID - KEYWORD"), "{table}");
    assert!(!table.contains("HYBRID - SEMANTIC"), "{table}");
    // Nothing of it is left, and nothing of what is configured was touched.
    let mut files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["corpus.jsonl", "qrels.tsv", "queries.jsonl"]);
}

#[test]
fn ways_to_rank_are_compared_query_by_query() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    let variants = ["mode=keyword", "default", "mode=keyword,SENTIO_TEXT_LANGUAGE=none"];
    let arguments = [&[".", "--json", "--per-query", "--compare"][..], &variants].concat();
    let report = json(&eval(folder.path(), &arguments));
    assert_eq!(report["variants"]["default"]["ndcg_at_10"], 0.5, "{report:#}");
    assert_eq!(report["differences"]["default - mode=keyword"]["ndcg_at_10"]["mean"], 0.25);
    assert_eq!(report["differences"].as_object().unwrap().len(), 2);
    assert_eq!(report["per_query"]["default"]["q1"]["ndcg_at_10"], 1.0);
    assert_eq!(report["per_query"]["mode=keyword"]["q1"]["ndcg_at_10"], 0.0);
    let table = eval(folder.path(), &[".", "--compare", "mode=keyword", "default"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("default - mode=keyword  +0.2500"), "{table}");
    let twice = eval(folder.path(), &[".", "--compare", "default", "mode=semantic", "default"]);
    assert!(String::from_utf8(twice.stderr).unwrap().contains("has \"default\" twice"));
    let unknown = eval(folder.path(), &[".", "--compare", "default", "SENTIO_MODLE=x"]);
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("neither a setting nor one of"));
}

#[test]
fn pairs_are_correlated() {
    let folder = tempfile::tempdir().unwrap();
    let pairs = "score\tsentence1\tsentence2\n5\tA man eats pasta.\tA man is eating pasta.\n\
                 3\tA man eats pasta.\tSomebody has dinner.\n0\tA man eats pasta.\tThe stock market fell.\n";
    std::fs::write(folder.path().join("pairs.tsv"), pairs).unwrap();
    let report = json(&eval(folder.path(), &["pairs.tsv", "--json"]));
    assert_eq!((report["pairs"].as_u64(), report["spearman"]["mean"].as_f64()), (Some(3), Some(1.0)));
    let text = String::from_utf8(eval(folder.path(), &["pairs.tsv"]).stdout).unwrap();
    assert!(text.contains("3 pairs, Spearman's correlation 1.0000") && text.ends_with('\n'), "{text}");
    assert!(refusal(folder.path(), &["pairs.tsv", "--mode", "hybrid"]).contains("--mode is for collections"));
    let per_query = refusal(folder.path(), &["pairs.tsv", "--json", "--per-query"]);
    assert!(per_query.contains("--per-query is for collections"), "{per_query}");
    // With the mark that some programs begin a file with.
    std::fs::write(
        folder.path().join("marked.tsv"),
        format!("\u{feff}{}", pairs.split_once('\n').unwrap().1),
    )
    .unwrap();
    assert_eq!(json(&eval(folder.path(), &["marked.tsv", "--json"]))["pairs"], 3);
}

#[test]
fn what_is_wrong_with_a_collection_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    assert!(refusal(folder.path(), &["nowhere"]).contains("nowhere has no corpus.jsonl"));
    write_collection(folder.path());
    for (name, text, message) in [
        ("qrels.tsv", "q1\td1\n", "qrels.tsv:1: is not a query, a document and a grade"),
        ("qrels.tsv", "q1\td1\t1\nq1\td1\tx\n", "qrels.tsv:2: the grade \"x\" is not a whole number"),
        ("qrels.tsv", "q1\td1\t1x\n", "qrels.tsv:1: the grade \"1x\" is not a whole number"),
        ("qrels.tsv", "q1\td1\t-1\n", "qrels.tsv:1: the grade \"-1\" is not a whole number"),
        (
            "qrels.tsv",
            "q1\td1\t1\nq1\td1\t2\n",
            "qrels.tsv:2: query \"q1\" and document \"d1\" are judged twice",
        ),
        ("qrels.tsv", "", "qrels.tsv has no judgements"),
        ("corpus.jsonl", "", "the corpus has no documents"),
        ("corpus.jsonl", "{\"id\": 1, \"body\": \"a\"}\n", "corpus.jsonl:1: has neither title nor text"),
        ("corpus.jsonl", "[\"d1\", \"a\", \"b\"]\n", "corpus.jsonl:1: is not a JSON object"),
        ("corpus.jsonl", "{\"id\": 1,\n", "corpus.jsonl:1: EOF while parsing"),
        ("corpus.jsonl.gz", "", "has both corpus.jsonl and corpus.jsonl.gz"),
        ("queries.jsonl", "{\"id\": \"q1\"}\n", "queries.jsonl:1: missing field `text`"),
        (
            "corpus.jsonl",
            "{\"id\": 1, \"text\": \"a\"}\n{\"id\": \"1\", \"text\": \"b\"}\n",
            "corpus.jsonl:2: the id \"1\" comes twice",
        ),
        ("corpus.jsonl", "not JSON\n", "corpus.jsonl:1: is not a JSON object"),
    ] {
        write(name, text);
        let refused = refusal(folder.path(), &["."]);
        assert!(refused.contains(message), "{refused}");
        std::fs::remove_file(folder.path().join(name)).unwrap();
        write_collection(folder.path());
    }
    write("pairs.tsv", "1\tonly one\n");
    assert!(refusal(folder.path(), &["pairs.tsv"]).contains("pairs.tsv:1: is not a score and two sentences"));
    let unknown = eval(folder.path(), &[".", "--mode", "fuzzy"]);
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("expected semantic, keyword or hybrid"));
}

#[test]
fn judgements_that_nothing_can_satisfy_are_told() {
    let folder = tempfile::tempdir().unwrap();
    write_collection(folder.path());
    let judgements = std::fs::read_to_string(folder.path().join("qrels.tsv")).unwrap();
    std::fs::write(folder.path().join("qrels.tsv"), format!("{}\nq9\tgone\t1\n", judgements.trim_end()))
        .unwrap();
    let output = eval(folder.path(), &[".", "--mode", "keyword"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("2 judged queries are not in queries.jsonl, and count as not found: q4, q9"),
        "{said}"
    );
    assert!(
        said.contains("1 relevant documents are not in corpus.jsonl, and count as not found: gone"),
        "{said}"
    );
    let report = json(&eval(folder.path(), &[".", "--mode", "keyword", "--json"]));
    assert_eq!(report["lacking_queries"], serde_json::json!(["q4", "q9"]));
    assert_eq!(report["lacking_documents"], serde_json::json!(["gone"]));
    std::fs::write(folder.path().join("queries.jsonl"), "").unwrap();
    assert!(refusal(folder.path(), &["."]).contains("queries.jsonl has none of the queries that are judged"));
}
