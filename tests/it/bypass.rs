//! Writes past Sentio, with the databases' own programs and with SeaORM's bulk statements, while a server runs: the index
//! follows all of them.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chrono::SubsecRound;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use sentio::entity::article;
use serde_json::json;

use crate::app::{Builder, TestApp};

/// No step may take longer; half of them must agree within a second.
const HANGS: Duration = Duration::from_secs(20);

const ARTICLES: &str = "
INSERT INTO article (external_id, title, content) VALUES
  ('carbonara', 'Carbonara', 'Spaghetti with eggs, cheese and bacon.'),
  ('volcano', 'Volcanoes', 'Lava and ash rise from the mountain.'),
  ('tax', 'Tax return', 'How to declare your income to the revenue office.'),
  ('chess', 'The Sicilian defence', 'An opening in which black answers with the pawn on c5.'),
  ('sheep', 'Wool', 'How sheep are shorn in spring.'),
  ('moon', 'The moon', 'It orbits the earth once a month.');";

/// Rows that belong to somebody else's table, and go when its row goes.
const CASCADE: &str = "
CREATE TABLE author (id integer PRIMARY KEY);
INSERT INTO author VALUES (1);
ALTER TABLE article ADD COLUMN author_id integer REFERENCES author ON DELETE CASCADE;
UPDATE article SET author_id = 1 WHERE external_id IN ('volcano', 'moon');
DELETE FROM author;";

/// What is written, what is then asked for, and what must come first.
type Step = (&'static str, &'static str, &'static str);

/// Statements that both databases know.
const STEPS: &[Step] = &[
    (ARTICLES, "pasta", "Carbonara"),
    (
        "UPDATE article SET title = 'Geysers', content = 'Hot water springs from the ground.' WHERE external_id = 'tax'",
        "hot spring",
        "Geysers",
    ),
    ("DELETE FROM article WHERE external_id = 'carbonara'", "lava", "Volcanoes"),
    (
        "INSERT INTO article (external_id, title, content)
         VALUES ('tax', 'Guitars', 'Tuning the six strings.'), ('fugue', 'Fugues', 'Bach wrote many of them.')
         ON CONFLICT (external_id) DO UPDATE SET title = excluded.title, content = excluded.content",
        "string instrument",
        "Guitars",
    ),
    ("UPDATE article SET id = id + 1000 WHERE external_id = 'chess'", "chess", "The Sicilian defence"),
    (
        "BEGIN;
         DELETE FROM article WHERE external_id = 'sheep';
         INSERT INTO article (id, external_id, title, content, revision, created_at, updated_at)
         VALUES (5, 'sheep', 'Goats', 'How goats are milked.', 17, '2024-05-01T10:00:00+00:00', '2024-05-02T10:00:00+00:00'),
                (900, 'bridge', 'Bridges', 'Cables carry the road across the river.', 3, '2024-05-01T10:00:00+00:00', '2024-05-02T10:00:00+00:00');
         COMMIT;",
        "suspension bridge",
        "Bridges",
    ),
    (CASCADE, "animals", "Goats"),
    (
        "BEGIN; DELETE FROM article; ROLLBACK; UPDATE article SET title = title WHERE external_id = 'sheep';",
        "animals",
        "Goats",
    ),
    (
        "BEGIN;
         INSERT INTO article (external_id, title, content) VALUES ('bread', 'Bread', 'Flour, water, yeast and salt.');
         SAVEPOINT later;
         DELETE FROM article WHERE external_id = 'bread';
         ROLLBACK TO SAVEPOINT later;
         COMMIT;",
        "baking",
        "Bread",
    ),
];

const SQLITE_STEPS: &[Step] = &[
    (
        "INSERT OR REPLACE INTO article (external_id, title, content) VALUES ('bread', 'Ships', 'Sailing around the world.')",
        "ocean voyage",
        "Ships",
    ),
    (
        "INSERT OR REPLACE INTO article (id, external_id, title, content) VALUES (900, 'bridge', 'Trains', 'Travel by rail.')",
        "railway",
        "Trains",
    ),
    ("UPDATE OR REPLACE article SET external_id = 'bridge' WHERE external_id = 'sheep'", "animals", "Goats"),
    ("UPDATE OR REPLACE article SET id = 1004 WHERE external_id = 'fugue'", "Bach", "Fugues"),
];

const POSTGRES_STEPS: &[Step] = &[
    (
        "COPY article (external_id, title, content) FROM STDIN WITH (FORMAT csv);\nships,Ships,Sailing around the world.\n\\.\n",
        "ocean voyage",
        "Ships",
    ),
    (
        "MERGE INTO article USING (VALUES ('ships', 'Trains', 'Travel by rail.'), ('owl', 'Owls', 'They hunt at night.'))
           AS given (external_id, title, content) ON article.external_id = given.external_id
         WHEN MATCHED THEN UPDATE SET title = given.title, content = given.content
         WHEN NOT MATCHED THEN INSERT (external_id, title, content) VALUES (given.external_id, given.title, given.content)",
        "railway",
        "Trains",
    ),
    ("TRUNCATE article", "railway", ""),
    (
        "TRUNCATE article RESTART IDENTITY; INSERT INTO article (title, content) VALUES ('Owls', 'They hunt at night.')",
        "birds",
        "Owls",
    ),
];

/// Runs SQL with the database's own program.
fn program(app: &TestApp, sql: &str) {
    let mut command = if app.is_postgres() {
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname"])
            .arg(app.app.config.database.url.expose());
        psql
    } else {
        let mut sqlite3 = Command::new("sqlite3");
        sqlite3
            .args(["-bail", "-cmd", ".timeout 10000", "-cmd", "PRAGMA foreign_keys = on"])
            .arg(app.app.config.database.sqlite_path().unwrap());
        sqlite3
    };
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    writeln!(input, "{sql};").unwrap();
    drop(input);
    assert!(process.wait().unwrap().success(), "{sql}");
}

/// Whether `recommend` finds just the articles of SQL, with `first` as the best for `query`.
async fn agrees(app: &TestApp, query: &str, first: &str) -> bool {
    let found = app
        .query_with(
            "query($query: String!) { recommend(query: $query, k: 100) { article { id title } } }",
            json!({ "query": query }),
        )
        .await;
    let found = found["recommend"].as_array().unwrap();
    let mut ids: Vec<i64> =
        found.iter().map(|item| item["article"]["id"].as_str().unwrap().parse().unwrap()).collect();
    ids.sort_unstable();
    let articles = article::Entity::find().all(app.app.db.reader()).await.unwrap();
    let mut expected: Vec<_> = articles.iter().map(|article| article.id).collect();
    expected.sort_unstable();
    let best = found.first().map_or("", |item| item["article"]["title"].as_str().unwrap());
    ids == expected && best == first
}

/// How long it takes from now until the index has followed.
async fn followed(app: &TestApp, query: &str, first: &str) -> Duration {
    let started = Instant::now();
    while !agrees(app, query, first).await || !app.verify().await.in_step() {
        assert!(started.elapsed() < HANGS, "{query:?} does not find {first:?}: {:?}", app.verify().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_databases_own_program_writes_is_found_at_once() {
    let app = Builder::new().real_model().start().await;
    let own = if app.is_postgres() { POSTGRES_STEPS } else { SQLITE_STEPS };
    let mut times = Vec::new();
    for (sql, query, first) in STEPS.iter().chain(own) {
        program(&app, sql);
        let took = followed(&app, query, first).await;
        println!("{took:>12.1?}  {}", sql.split_whitespace().take(6).collect::<Vec<_>>().join(" "));
        times.push(took);
    }
    times.sort_unstable();
    assert!(times[times.len() / 2] < Duration::from_secs(1), "{times:?}");
    app.assert_in_step().await;
    app.stop().await;
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "it is what is tested")]
async fn bulk_statements_of_sea_orm_are_followed() {
    let app = Builder::new().real_model().start().await;
    let model = |title: &str, content: &str| article::ActiveModel {
        title: Set(title.to_owned()),
        content: Set(content.to_owned()),
        tags: Set(article::Tags::default()),
        revision: Set(1),
        created_at: Set(chrono::Utc::now().trunc_subsecs(6)),
        updated_at: Set(chrono::Utc::now().trunc_subsecs(6)),
        ..Default::default()
    };
    let transaction = app.app.db.transaction().await.unwrap();
    let models = [model("Carbonara", "Spaghetti with eggs."), model("Volcanoes", "Lava and ash.")];
    article::Entity::insert_many(models).exec(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
    followed(&app, "pasta", "Carbonara").await;

    let transaction = app.app.db.transaction().await.unwrap();
    article::Entity::update_many()
        .col_expr(article::Column::Title, "Geysers".into())
        .col_expr(article::Column::Content, "Hot springs.".into())
        .filter(article::Column::Title.eq("Volcanoes"))
        .exec(&transaction)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    followed(&app, "hot springs", "Geysers").await;

    let transaction = app.app.db.transaction().await.unwrap();
    let gone = article::Column::Title.eq("Carbonara");
    article::Entity::delete_many().filter(gone).exec(&transaction).await.unwrap();
    transaction.commit().await.unwrap();
    followed(&app, "pasta", "Geysers").await;
    app.assert_in_step().await;
    app.stop().await;
}
