//! The journal of events: what happened to articles, in the order of the commits, for whoever subscribes.
//!
//! The triggers here write what SQL did, also by raw SQL and other programs; the worker adds what the index did. Rows
//! are removed after some minutes: the journal is read while it happens, it is no history.

use sea_orm_migration::prelude::*;

use crate::article_event::{
    Facet, POSTGRES_FUNCTIONS_FOR_ALL, SQLITE_DROP_TRIGGERS, postgres_record, sqlite_triggers,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

const FACETS: &[Facet] = &[("category", "$category"), ("tags", "json($tags)"), ("created_at", "$created_at")];

/// `facets` is what a filter looks at, as JSON: for a deleted article it is nowhere else.
///
/// `displaced`: the row may give way to another one by `INSERT OR REPLACE`, which fires no delete trigger. Once the other
/// one is there, it is known whether that has happened: the row becomes `deleted` or goes.
const SQLITE_TABLE: &str = "
CREATE TABLE article_event (
  seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('created', 'updated', 'deleted', 'displaced', 'indexed', 'failed')),
  article_id INTEGER NOT NULL,
  facets TEXT NOT NULL,
  recorded_at INTEGER NOT NULL
) STRICT";

/// Numbers of a sequence do not become visible in their order: `transaction` tells which rows can still have earlier
/// ones to come.
const POSTGRES_TABLE: &str = "
CREATE TABLE article_event (
  transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
  seq bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (kind IN ('created', 'updated', 'deleted', 'displaced', 'indexed', 'failed')),
  article_id bigint NOT NULL,
  facets text NOT NULL,
  recorded_at bigint NOT NULL,
  PRIMARY KEY (transaction, seq)
)";

const BY_TIME: &str = "CREATE INDEX article_event_recorded_at ON article_event (recorded_at)";

const SQLITE_DISPLACED: &str =
    "CREATE INDEX article_event_displaced ON article_event (article_id) WHERE kind = 'displaced'";

const POSTGRES_INSERTED: &str = "
CREATE FUNCTION sentio_article_event_created() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sentio_article_event('created', NEW);
  RETURN NULL;
END $$";

const POSTGRES_UPDATED: &str = "
CREATE FUNCTION sentio_article_event_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.id = OLD.id THEN
    PERFORM sentio_article_event('updated', NEW);
  ELSE
    PERFORM sentio_article_event('deleted', OLD);
    PERFORM sentio_article_event('created', NEW);
  END IF;
  RETURN NULL;
END $$";

const POSTGRES_DELETED: &str = "
CREATE FUNCTION sentio_article_event_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sentio_article_event('deleted', OLD);
  RETURN NULL;
END $$";

const POSTGRES_TRUNCATED: &str = "
CREATE FUNCTION sentio_article_event_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sentio_article_event('deleted', article) FROM article;
  RETURN NULL;
END $$";

/// Also for sessions that replay what happened elsewhere (`session_replication_role`), such as logical replication.
const POSTGRES_TRIGGERS_ALWAYS: &str = "
DO $$
DECLARE
  name name;
BEGIN
  FOR name IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'article'::regclass AND NOT tgisinternal LOOP
    EXECUTE format('ALTER TABLE article ENABLE ALWAYS TRIGGER %I', name);
  END LOOP;
END $$";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let triggers = sqlite_triggers(FACETS);
        let mut sqlite = vec![SQLITE_TABLE, BY_TIME, SQLITE_DISPLACED];
        sqlite.extend(triggers.iter().map(String::as_str));
        crate::run(
            manager,
            &sqlite,
            &[
                POSTGRES_TABLE,
                BY_TIME,
                &postgres_record(FACETS),
                POSTGRES_INSERTED,
                POSTGRES_UPDATED,
                POSTGRES_DELETED,
                POSTGRES_TRUNCATED,
                "CREATE TRIGGER article_event_created AFTER INSERT ON article
                 FOR EACH ROW EXECUTE FUNCTION sentio_article_event_created()",
                "CREATE TRIGGER article_event_updated AFTER UPDATE ON article
                 FOR EACH ROW EXECUTE FUNCTION sentio_article_event_updated()",
                "CREATE TRIGGER article_event_deleted AFTER DELETE ON article
                 FOR EACH ROW EXECUTE FUNCTION sentio_article_event_deleted()",
                "CREATE TRIGGER article_event_truncated BEFORE TRUNCATE ON article
                 FOR EACH STATEMENT EXECUTE FUNCTION sentio_article_event_truncated()",
                POSTGRES_FUNCTIONS_FOR_ALL,
                POSTGRES_TRIGGERS_ALWAYS,
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut sqlite = SQLITE_DROP_TRIGGERS.to_vec();
        sqlite.push("DROP TABLE article_event");
        crate::run(
            manager,
            &sqlite,
            &[
                "DROP FUNCTION sentio_article_event_created CASCADE",
                "DROP FUNCTION sentio_article_event_updated CASCADE",
                "DROP FUNCTION sentio_article_event_deleted CASCADE",
                "DROP FUNCTION sentio_article_event_truncated CASCADE",
                "DROP FUNCTION sentio_article_event(text, article)",
                "DROP TABLE article_event",
            ],
        )
        .await
    }
}
