//! Times have one form.

use serde_json::json;

use crate::app::Builder;

#[tokio::test]
async fn times_are_in_utc_with_six_digits_whoever_wrote_them() {
    let app = Builder::new().start().await;
    app.create("by a mutation", "words").await;
    for (title, time) in [
        ("none", "2026-01-31T12:00:00+00:00"),
        ("three", "2026-01-31T12:00:00.120+00:00"),
        ("six", "2026-01-31T12:00:00.123456+00:00"),
    ] {
        let tags = if app.is_postgres() { "'[]'::jsonb" } else { "'[]'" };
        app.raw_sql(&format!(
            "INSERT INTO article (title, content, tags, revision, created_at, updated_at)
             VALUES ('{title}', 'words', {tags}, 1, '{time}', '{time}')"
        ))
        .await;
    }
    let document =
        "{ articles(orderBy: { field: CREATED_AT, direction: ASC }) { nodes { createdAt updatedAt } } }";
    let data = app.query(document).await;
    let nodes = data["articles"]["nodes"].as_array().unwrap();
    let times: Vec<_> = nodes.iter().map(|node| node["createdAt"].as_str().unwrap()).collect();
    assert_eq!(
        times[..3],
        ["2026-01-31T12:00:00.000000Z", "2026-01-31T12:00:00.120000Z", "2026-01-31T12:00:00.123456Z"]
    );
    for node in nodes {
        for time in [&node["createdAt"], &node["updatedAt"]] {
            let time = time.as_str().unwrap();
            assert!(time.len() == 27 && time.ends_with('Z') && &time[19..20] == ".", "{time}");
        }
    }
    // What is answered can be asked with.
    let count = "query($from: DateTime!, $before: DateTime!) {
        articles(filter: { createdFrom: $from, createdBefore: $before }) { totalCount } }";
    let between = json!({ "from": times[1], "before": times[2] });
    assert_eq!(app.query_with(count, between).await["articles"]["totalCount"], 1);
    let by_offset = json!({ "from": "2026-01-31T14:00:00.12+02:00", "before": "2026-01-31t12:00:01z" });
    assert_eq!(app.query_with(count, by_offset).await["articles"]["totalCount"], 2);
    let leap = json!({ "from": "2026-01-31T11:59:60Z", "before": "2026-01-31T12:00:00.000001Z" });
    assert_eq!(app.query_with(count, leap).await["articles"]["totalCount"], 1);
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_time_is_refused() {
    let app = Builder::new().start().await;
    for time in [
        json!("yesterday"),
        json!("2026-01-31"),
        json!("2026-01-31 12:00:00Z"),
        json!("2026-01-31T12:00:00"),
        json!("2026-02-30T12:00:00Z"),
        json!(1_769_860_800),
        json!(["2026-01-31T12:00:00Z"]),
        json!({}),
        json!(true),
    ] {
        let document = "query($time: DateTime) { articles(filter: { createdFrom: $time }) { totalCount } }";
        let response = app.execute(document, json!({ "time": time })).await;
        let code = response["errors"][0]["extensions"]["code"].as_str().unwrap();
        assert!(["BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"].contains(&code), "{time}: {response}");
        assert!(response["data"].is_null(), "{time}: {response}");
    }
    app.stop().await;
}
