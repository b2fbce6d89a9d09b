//! A whole Sentio in a temporary folder.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::DateTime;
use lancedb::Table;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sentio::app::App;
use sentio::article::{ArticleFacets, ArticleId};
use sentio::config::{Config, SettingValues};
use sentio::events::{ArticleEvent, ArticleEventKind};
use sentio::sync::{self, Look, StepHook, VerifyReport, WorkerHandle};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// The default model.
pub const REAL_MODEL: &str = "all-MiniLM-L6-v2";

/// How long anything is waited for before a test fails: long enough for a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at something that nothing announces.
const POLL: Duration = Duration::from_millis(10);

/// What the worker has still to do, and whether it says that it cannot. One statement, so one moment: what leaves one of
/// these places has come to the next within one transaction, and is in neither when they are read one after the other.
const TO_DO: &str = "
SELECT (SELECT COUNT(*) FROM index_control
        WHERE reconcile = (1 = 1) OR comparing = (1 = 1) OR rebuild = (1 = 1) OR rollback = (1 = 1) OR prune = (1 = 1)
           OR last_error IS NOT NULL)
     + (SELECT COUNT(*) FROM index_generation WHERE state = 'building')
     + (SELECT COUNT(*) FROM index_change WHERE attempts < $1)";

/// Waits until the worker, in whichever process, has nothing to do: nothing is asked of it and nothing waits, is compared
/// or is being built. Articles that have failed are not waited for.
pub async fn until_idle(app: &App) {
    let started = Instant::now();
    loop {
        let attempts = i64::from(sentio::outbox::ATTEMPTS_UNTIL_FAILED);
        let statement = Statement::from_sql_and_values(app.db.backend(), TO_DO, [attempts.into()]);
        let row = app.db.reader().query_one_raw(statement).await.unwrap().unwrap();
        let left: i64 = row.try_get_by_index(0).unwrap();
        // What SQL has recorded is shown to searches a moment later.
        let seen = *app.events.view().borrow();
        let shown = seen.generation == 0 || sentio::outbox::is_current(app.db.reader(), seen).await.unwrap();
        if left == 0 && shown {
            return;
        }
        if started.elapsed() > PATIENCE {
            let error = sentio::outbox::last_error(app.db.reader()).await.unwrap();
            panic!("the worker has {left} things to do after {PATIENCE:?}; it says {error:?}");
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The index's tables in a data folder: articles and passages.
pub async fn tables(data: &Path) -> Vec<Table> {
    let store = data.join("lancedb_store").display().to_string();
    let connection = lancedb::connect(&store).execute().await.unwrap();
    let mut tables = Vec::new();
    for name in connection.table_names().execute().await.unwrap() {
        tables.push(connection.open_table(name).execute().await.unwrap());
    }
    assert_eq!(tables.len(), 2);
    tables
}

/// A running Sentio with its HTTP server on a free port.
pub struct TestApp {
    pub app: App,
    pub url: String,
    pub folder: TempDir,
    worker: Option<WorkerHandle>,
    publisher: WorkerHandle,
    stop: CancellationToken,
    client: reqwest::Client,
}

/// What differs from a plain test server.
#[derive(Clone)]
pub struct Builder {
    settings: Vec<(&'static str, String)>,
    worker: bool,
    on_step: StepHook,
}

/// A path in the repository: cargo runs tests in its folder. (`CARGO_MANIFEST_DIR` at compile time would name the
/// working copy that was compiled, and several may share a target folder.)
pub fn repository(path: &str) -> PathBuf {
    std::path::absolute(path).unwrap()
}

impl Builder {
    /// A server with a tiny model of random weights.
    pub fn new() -> Self {
        Self { settings: Vec::new(), worker: true, on_step: sentio::sync::log_steps() }
    }

    pub fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((name, value.into()));
        self
    }

    /// Uses the default model instead of a tiny one.
    pub fn real_model(self) -> Self {
        self.set("SENTIO_MODEL", REAL_MODEL)
    }

    /// Nobody writes the index.
    pub fn without_worker(mut self) -> Self {
        self.worker = false;
        self
    }

    /// Is told of the worker's steps, on its task.
    pub fn on_step(mut self, on_step: StepHook) -> Self {
        self.on_step = on_step;
        self
    }

    pub async fn start(self) -> TestApp {
        let folder = tempfile::tempdir().unwrap();
        self.start_in(folder, database_url().await).await
    }

    /// Starts another server over the data of one that runs.
    pub async fn beside(self, other: &TestApp) -> TestApp {
        let config = other.app.config.clone();
        self.start_with(config, tempfile::tempdir().unwrap()).await
    }

    /// Starts over the data that `folder` and the database hold.
    pub async fn start_in(self, folder: TempDir, database_url: Option<String>) -> TestApp {
        let config = self.config(folder.path(), database_url);
        self.start_with(config, folder).await
    }

    async fn start_with(self, config: Config, folder: TempDir) -> TestApp {
        let app = App::open(config).await.unwrap();
        let worker = self.worker.then(|| {
            let mut worker = app.worker();
            worker.on_step = self.on_step;
            worker.start()
        });
        if worker.is_some() {
            let opened = app.index_opened(PATIENCE).await;
            let reason = sentio::outbox::last_error(app.db.reader()).await;
            assert!(opened, "the index did not open; said of it: {reason:?}");
        }
        let publisher = app.publisher().start();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(sentio::http::serve(listener, app.router(stop.clone()).unwrap(), stop.clone()));
        TestApp { app, url, folder, worker, publisher, stop, client: reqwest::Client::new() }
    }

    pub fn config(&self, folder: &Path, database_url: Option<String>) -> Config {
        let path = |path: &str| repository(path).display().to_string();
        let mut settings = vec![
            ("SENTIO_DATA_DIR", folder.display().to_string()),
            ("SENTIO_MODEL", path("tests/fixtures/models/tiny-bert")),
            ("SENTIO_MODEL_DIR", path("models")),
            ("SENTIO_ORT_LIB", path("lib/libonnxruntime.so")),
        ];
        settings.extend(database_url.map(|url| ("DATABASE_URL", url)));
        settings.extend(self.settings.iter().cloned());
        Config::from_values(&SettingValues::from_flags(settings)).unwrap()
    }
}

impl TestApp {
    /// Sends a document that must succeed; returns its data.
    pub async fn query(&self, document: &str) -> Value {
        self.query_with(document, json!({})).await
    }

    /// Sends a document with variables that must succeed; returns its data.
    pub async fn query_with(&self, document: &str, variables: Value) -> Value {
        let mut response = self.execute(document, variables).await;
        assert!(response["errors"].is_null(), "{response:#}");
        response["data"].take()
    }

    /// Sends a document; returns the whole response.
    pub async fn execute(&self, document: &str, variables: Value) -> Value {
        let response = self.post(&json!({ "query": document, "variables": variables })).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    pub async fn post(&self, body: &Value) -> reqwest::Response {
        self.client.post(format!("{}/graphql", self.url)).json(body).send().await.unwrap()
    }

    /// Creates an article and returns its id.
    pub async fn create(&self, title: &str, content: &str) -> String {
        let data = self
            .query_with(
                "mutation($title: String!, $content: String!) {
                   createArticle(input: { title: $title, content: $content }) {
                     article { id indexState } userErrors { message }
                   }
                 }",
                json!({ "title": title, "content": content }),
            )
            .await;
        let article = &data["createArticle"]["article"];
        assert_eq!(article["indexState"], "INDEXED", "{data}");
        article["id"].as_str().unwrap().to_owned()
    }

    /// Creates articles, 100 at most.
    pub async fn create_all(&self, articles: &Value) {
        let document = "mutation($articles: [NewArticleInput!]!) {
          createArticles(input: { articles: $articles }) { userErrors { message } }
        }";
        let data = self.query_with(document, json!({ "articles": articles })).await;
        assert_eq!(data["createArticles"]["userErrors"], json!([]));
    }

    /// Runs SQL as another program would.
    pub async fn raw_sql(&self, sql: &str) {
        let transaction = self.app.db.transaction().await.unwrap();
        let statement = Statement::from_string(transaction.get_database_backend(), sql);
        transaction.execute_raw(statement).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// The number that a statement selects.
    pub async fn count(&self, sql: &str) -> i64 {
        let statement = Statement::from_string(self.app.db.backend(), sql);
        self.app.db.reader().query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    pub fn is_postgres(&self) -> bool {
        self.app.db.backend() == DbBackend::Postgres
    }

    /// Tells the server to stop and leaves the rest to `stop`.
    pub fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Waits until the worker has nothing to do.
    pub async fn until_idle(&self) {
        until_idle(&self.app).await;
    }

    /// Waits until the publisher has told its listeners everything that was committed before: a listener that comes now
    /// hears only what happens from now on.
    pub async fn until_told(&self) {
        let mut listener = self.app.events.articles();
        let started = Instant::now();
        // Databases number articles from 1.
        for id in (i64::MIN..0).rev() {
            assert!(started.elapsed() < PATIENCE, "the publisher does not tell what is committed");
            // An article that comes and goes within one transaction is no change for the index, but two events.
            let transaction = self.app.db.transaction().await.unwrap();
            let insert =
                format!("INSERT INTO article (id, title, content) VALUES ({id}, 'passing', 'through')");
            transaction.execute_unprepared(&insert).await.unwrap();
            transaction.execute_unprepared(&format!("DELETE FROM article WHERE id = {id}")).await.unwrap();
            transaction.commit().await.unwrap();
            self.app.changes.announce();
            let told = async {
                loop {
                    let event = listener.recv().await.unwrap();
                    if event.article.0 == id && event.kind == ArticleEventKind::Deleted {
                        break;
                    }
                }
            };
            // A publisher that has only just begun tells what is committed after that.
            if tokio::time::timeout(Duration::from_secs(2), told).await.is_ok() {
                return;
            }
        }
    }

    /// Waits until a client's subscription to changes listens. It must be the only one.
    pub async fn until_heard(&self) {
        let started = Instant::now();
        while !self.app.events.has_listeners() {
            assert!(started.elapsed() < PATIENCE, "no subscription listens");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Compares SQL with the index.
    pub async fn verify(&self) -> VerifyReport {
        let live = self.app.generations.open_live().await.unwrap();
        sync::verify(&self.app.db, &live, Look::Newest, |_| {}, |_| async { Ok(()) }).await.unwrap()
    }

    /// Waits until the worker has nothing to do, then asserts that SQL and the index agree.
    pub async fn assert_in_step(&self) {
        self.until_idle().await;
        let report = self.verify().await;
        assert!(report.in_step(), "{report:?}");
        assert_eq!(report.pending, 0);
    }

    /// Waits until SQL and the index agree, also when the worker does not know yet that there is something to do.
    pub async fn until_in_step(&self) {
        let started = Instant::now();
        loop {
            self.until_idle().await;
            let report = self.verify().await;
            if report.in_step() && report.pending == 0 {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{report:?}");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Tells listeners that `article` was updated: some times, and when they have had time for these, many times in a moment.
    pub async fn tell_updates(&self, article: &str, count: usize) {
        let event = ArticleEvent {
            kind: ArticleEventKind::Updated,
            article: ArticleId(article.parse().unwrap()),
            facets: ArticleFacets {
                category: None,
                tags: Vec::new(),
                created_at: DateTime::default(),
                content_length: 0,
            },
        };
        for number in 0..count {
            self.app.events.publish(event.clone());
            if number == 100 {
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        }
    }

    /// Stops as the server does and hands back what is on disk.
    pub async fn stop(mut self) -> (TempDir, Option<String>) {
        self.stop.cancel();
        if let Some(worker) = self.worker.take() {
            worker.stop().await;
        }
        self.publisher.stop().await;
        let database_url = (self.app.db.backend() == DbBackend::Postgres)
            .then(|| self.app.config.database.url.expose().to_owned());
        self.app.close().await.unwrap();
        (self.folder, database_url)
    }
}

/// An empty database of the kind under test; `None` stands for SQLite in the data folder.
pub async fn database_url() -> Option<String> {
    match std::env::var("TEST_DATABASE").as_deref() {
        Ok("postgres") => Some(new_postgres_database().await),
        _ => None,
    }
}

/// Creates an empty database in the cluster of `TEST_POSTGRES_URL`; the cluster is thrown away after the tests.
pub async fn new_postgres_database() -> String {
    let admin = std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL names a PostgreSQL cluster for tests: call `make test-postgres`");
    let name = format!("test_{}", uuid::Uuid::new_v4().simple());
    let connection = sea_orm::Database::connect(&admin).await.unwrap();
    connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    connection.close().await.unwrap();
    let mut url = url::Url::parse(&admin).unwrap();
    url.set_path(&name);
    url.into()
}
