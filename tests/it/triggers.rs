//! The triggers record what raw SQL does, on both databases.

use sea_orm::{ConnectionTrait, Statement};
use sentio::article::ArticleId;
use sentio::outbox;

use crate::app::{Builder, TestApp};

/// The ids in the outbox, ascending; the outbox is emptied.
async fn recorded(app: &TestApp) -> Vec<i64> {
    let transaction = app.app.db.transaction().await.unwrap();
    let backend = transaction.get_database_backend();
    let sql = "SELECT article_id FROM index_change ORDER BY article_id";
    let rows = transaction.query_all_raw(Statement::from_string(backend, sql)).await.unwrap();
    transaction.execute_raw(Statement::from_string(backend, "DELETE FROM index_change")).await.unwrap();
    transaction.commit().await.unwrap();
    rows.iter().map(|row| row.try_get("", "article_id").unwrap()).collect()
}

async fn number(app: &TestApp, sql: &str) -> i64 {
    app.count(sql).await
}

/// Articles 1 to 3 with external ids `a`, `b`, `c`, nothing recorded.
async fn with_articles() -> TestApp {
    let app = Builder::new().without_worker().start().await;
    app.raw_sql(
        "INSERT INTO article (external_id, title, content) VALUES ('a', 't', 'c'), ('b', 't', 'c'), ('c', 't', 'c')",
    )
    .await;
    assert_eq!(recorded(&app).await, [1, 2, 3]);
    app
}

#[tokio::test]
async fn every_kind_of_statement_is_recorded() {
    let app = with_articles().await;
    app.raw_sql("UPDATE article SET title = 'new' WHERE id < 3").await;
    assert_eq!(recorded(&app).await, [1, 2]);
    app.raw_sql("UPDATE article SET id = 30 WHERE id = 3").await;
    assert_eq!(recorded(&app).await, [3, 30]);
    app.raw_sql("DELETE FROM article WHERE id > 1").await;
    assert_eq!(recorded(&app).await, [2, 30]);
    app.raw_sql(
        "INSERT INTO article (external_id, title, content) VALUES ('a', 'upserted', 'c')
         ON CONFLICT (external_id) DO UPDATE SET title = excluded.title",
    )
    .await;
    assert_eq!(recorded(&app).await, [1]);
    app.raw_sql("UPDATE article SET title = 'none' WHERE id = 999").await;
    assert_eq!(recorded(&app).await, [] as [i64; 0]);
    app.stop().await;
}

#[tokio::test]
async fn a_displaced_row_is_recorded_on_sqlite() {
    let app = with_articles().await;
    if app.is_postgres() {
        println!("skipped: INSERT OR REPLACE is SQLite's");
        return;
    }
    app.raw_sql("INSERT OR REPLACE INTO article (external_id, title, content) VALUES ('b', 'replaced', 'c')")
        .await;
    assert_eq!(recorded(&app).await, [2, 4]);
    app.raw_sql("INSERT OR REPLACE INTO article (id, title, content) VALUES (1, 'replaced', 'c')").await;
    assert_eq!(recorded(&app).await, [1]);
    app.raw_sql("UPDATE OR REPLACE article SET external_id = 'c' WHERE id = 1").await;
    assert_eq!(recorded(&app).await, [1, 3]);
    app.stop().await;
}

#[tokio::test]
async fn revision_and_time_move_although_the_writer_forgets_them() {
    let app = with_articles().await;
    app.raw_sql("UPDATE article SET updated_at = created_at").await;
    let revision = "SELECT revision FROM article WHERE id = 1";
    let before = number(&app, revision).await;
    app.raw_sql("UPDATE article SET title = 'x' WHERE id = 1").await;
    assert_eq!(number(&app, revision).await, before + 1);
    let moved = "SELECT COUNT(*) FROM article WHERE id = 1 AND updated_at > created_at";
    assert_eq!(number(&app, moved).await, 1);
    app.raw_sql("UPDATE article SET revision = 1 WHERE id = 1").await;
    assert_eq!(number(&app, revision).await, before + 2);
    app.raw_sql("UPDATE article SET revision = 40 WHERE id = 1").await;
    assert_eq!(number(&app, revision).await, 40);
    app.stop().await;
}

#[tokio::test]
async fn no_article_has_a_revision_twice() {
    let app = with_articles().await;
    let revision = async |id: i64| {
        number(&app, &format!("SELECT COALESCE(MAX(revision), 0) FROM article WHERE id = {id}")).await
    };
    app.raw_sql("UPDATE article SET title = 'x', revision = 7 WHERE id = 1").await;
    app.raw_sql("DELETE FROM article WHERE id = 1").await;
    app.raw_sql("INSERT INTO article (id, title, content) VALUES (1, 'again', 'c')").await;
    assert_eq!(revision(1).await, 8, "inserted with its old id");
    app.raw_sql("DELETE FROM article WHERE id = 1").await;
    app.raw_sql("INSERT INTO article (id, title, content, revision) VALUES (1, 'restored', 'c', 20)").await;
    assert_eq!(revision(1).await, 20, "restored with a higher revision");
    app.raw_sql("UPDATE article SET id = 2000 WHERE id = 1").await;
    app.raw_sql("UPDATE article SET id = 1 WHERE id = 2").await;
    assert_eq!(revision(1).await, 21, "another article took the id");
    app.raw_sql("UPDATE article SET id = 1000 WHERE id = 2000").await;
    app.raw_sql("UPDATE article SET id = 2000 WHERE id = 3").await;
    assert!(revision(2000).await > 21);
    app.raw_sql("INSERT INTO article (external_id, title, content) VALUES ('new', 't', 'c')").await;
    assert_eq!(number(&app, "SELECT revision FROM article WHERE external_id = 'new'").await, 1);
    app.raw_sql(
        "INSERT INTO article (external_id, title, content) VALUES ('new', 'u', 'c')
         ON CONFLICT (external_id) DO UPDATE SET title = excluded.title",
    )
    .await;
    assert_eq!(number(&app, "SELECT revision FROM article WHERE external_id = 'new'").await, 2);
    let alive = "SELECT COUNT(*) FROM article_tombstone WHERE article_id IN (SELECT id FROM article)";
    assert_eq!(number(&app, alive).await, 0, "the living have no tombstones");
    app.stop().await;
}

#[tokio::test]
async fn a_replacing_row_goes_on_with_the_revision_on_sqlite() {
    let app = with_articles().await;
    if app.is_postgres() {
        println!("skipped: INSERT OR REPLACE is SQLite's");
        return;
    }
    let revision = "SELECT revision FROM article WHERE id = 1";
    for expected in 2..6 {
        app.raw_sql("INSERT OR REPLACE INTO article (id, title, content) VALUES (1, 'replaced', 'c')").await;
        assert_eq!(number(&app, revision).await, expected);
    }
    app.raw_sql("UPDATE article SET external_id = 'x' WHERE id = 1").await;
    // Article 1 is displaced by its external id, and comes back.
    app.raw_sql(
        "INSERT OR REPLACE INTO article (id, external_id, title, content) VALUES (50, 'x', 't', 'c')",
    )
    .await;
    app.raw_sql("UPDATE OR REPLACE article SET id = 1 WHERE id = 2").await;
    assert_eq!(number(&app, revision).await, 7);
    app.raw_sql("UPDATE OR REPLACE article SET id = 1 WHERE id = 3").await;
    assert_eq!(number(&app, revision).await, 8);
    app.stop().await;
}

#[tokio::test]
async fn truncate_asks_for_a_comparison_and_keeps_the_revisions_on_postgres() {
    let app = with_articles().await;
    if !app.is_postgres() {
        println!("skipped: TRUNCATE is PostgreSQL's");
        return;
    }
    app.raw_sql("TRUNCATE article RESTART IDENTITY").await;
    assert!(outbox::is_submitted(app.app.db.reader(), outbox::Request::Reconcile).await.unwrap());
    app.raw_sql("INSERT INTO article (title, content) VALUES ('t', 'c')").await;
    assert_eq!(number(&app, "SELECT revision FROM article WHERE id = 1").await, 2);
    app.stop().await;
}

#[tokio::test]
async fn a_hooked_write_has_one_row_with_the_latest_number() {
    let app = with_articles().await;
    let update = "mutation($title: String!) {
      updateArticle(input: { id: \"2\", title: $title, waitForIndex: false }) { article { revision } }
    }";
    app.query_with(update, serde_json::json!({ "title": "one" })).await;
    let first = outbox::seq_of(app.app.db.reader(), ArticleId(2)).await.unwrap().unwrap();
    app.query_with(update, serde_json::json!({ "title": "two" })).await;
    let second = outbox::seq_of(app.app.db.reader(), ArticleId(2)).await.unwrap().unwrap();
    assert!(second > first);
    assert_eq!(recorded(&app).await, [2]);
    assert_eq!(number(&app, "SELECT revision FROM article WHERE id = 2").await, 3);
    app.stop().await;
}

#[tokio::test]
async fn what_could_not_be_read_back_cannot_be_written() {
    let app = with_articles().await;
    let broken = [
        "UPDATE article SET tags = '{}'",
        if app.is_postgres() {
            "UPDATE article SET title = 'a' || chr(0)"
        } else {
            "UPDATE article SET title = 'a' || char(0), content = 'a' || char(0)"
        },
        "UPDATE article SET tags = '[1]'",
        "UPDATE article SET tags = 'red'",
        "UPDATE article SET created_at = '12345-01-01'",
        "UPDATE article SET created_at = '2026-02-30T00:00:00+00:00'",
        "INSERT INTO article (title, content, tags) VALUES ('t', 'c', '[null]')",
    ];
    for sql in broken {
        let transaction = app.app.db.transaction().await.unwrap();
        let statement = Statement::from_string(transaction.get_database_backend(), sql);
        assert!(transaction.execute_raw(statement).await.is_err(), "{sql}");
    }
    app.stop().await;
}

#[tokio::test]
async fn any_role_and_any_search_path_may_write_articles_on_postgres() {
    let app = with_articles().await;
    if !app.is_postgres() {
        println!("skipped: SQLite has neither");
        return;
    }
    let role = format!("writer_{}", uuid::Uuid::new_v4().simple());
    let transaction = app.app.db.transaction().await.unwrap();
    for sql in [
        format!("CREATE ROLE {role}"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON article TO {role}"),
        format!("SET LOCAL ROLE {role}"),
        "SET LOCAL search_path = ''".to_owned(),
        "INSERT INTO public.article (title, content) VALUES ('a', 'b')".to_owned(),
        "UPDATE public.article SET title = 'c' WHERE id = 1".to_owned(),
        "DELETE FROM public.article WHERE id = 2".to_owned(),
        "UPDATE public.article SET id = 2 WHERE id = 3".to_owned(),
        "RESET ROLE".to_owned(),
        // As logical replication and some restores write.
        "SET LOCAL session_replication_role = replica".to_owned(),
        "INSERT INTO public.article (id, title, content) VALUES (90, 'a', 'b')".to_owned(),
    ] {
        transaction.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    transaction.commit().await.unwrap();
    assert_eq!(recorded(&app).await, [1, 2, 3, 4, 90]);
    app.stop().await;
}
