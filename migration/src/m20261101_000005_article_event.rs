//! The journal of events: what happened to articles, in the order of the commits, for whoever subscribes.
//!
//! The triggers here write what SQL did, also by raw SQL and other programs; the worker adds what the index did. Rows
//! are removed after some minutes: the journal is read while it happens, it is no history.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

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

/// The statement of SQLite that writes one event of `$row`.
macro_rules! sqlite_event {
    ($kind:literal, $($row:expr),+) => {
        concat!(
            "
  INSERT INTO article_event (kind, article_id, facets, recorded_at)
  SELECT '",
            $kind,
            "', event.id,
    json_object('category', event.category, 'tags', json(event.tags), 'created_at', event.created_at),
    CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)
  FROM (",
            $($row,)+
            ") AS event;"
        )
    };
}

const SQLITE_DISPLACED: &str =
    "CREATE INDEX article_event_displaced ON article_event (article_id) WHERE kind = 'displaced'";

/// Decides about the rows that might have given way to the one that is there now.
macro_rules! sqlite_decide_displaced {
    () => {
        "
  UPDATE article_event SET kind = 'deleted'
  WHERE kind = 'displaced' AND NOT EXISTS (SELECT 1 FROM article WHERE article.id = article_event.article_id);
  DELETE FROM article_event WHERE kind = 'displaced';"
    };
}

const SQLITE_CREATED: &str = concat!(
    "CREATE TRIGGER article_event_created AFTER INSERT ON article BEGIN",
    sqlite_decide_displaced!(),
    sqlite_event!(
        "created",
        "SELECT NEW.id AS id, NEW.category AS category, NEW.tags AS tags, NEW.created_at AS created_at"
    ),
    " END"
);

/// A statement that does not raise the revision is followed by one that does: it is told once.
const SQLITE_UPDATED: &str = concat!(
    "CREATE TRIGGER article_event_updated AFTER UPDATE ON article WHEN NEW.id = OLD.id AND NEW.revision > OLD.revision BEGIN",
    sqlite_decide_displaced!(),
    sqlite_event!(
        "updated",
        "SELECT NEW.id AS id, NEW.category AS category, NEW.tags AS tags, NEW.created_at AS created_at"
    ),
    " END"
);

/// Another id is another article: the old one is gone, a new one is there.
const SQLITE_MOVED: &str = concat!(
    "CREATE TRIGGER article_event_moved AFTER UPDATE ON article WHEN NEW.id <> OLD.id BEGIN",
    sqlite_decide_displaced!(),
    sqlite_event!(
        "deleted",
        "SELECT OLD.id AS id, OLD.category AS category, OLD.tags AS tags, OLD.created_at AS created_at"
    ),
    sqlite_event!(
        "created",
        "SELECT NEW.id AS id, NEW.category AS category, NEW.tags AS tags, NEW.created_at AS created_at"
    ),
    " END"
);

/// An `INSERT OR IGNORE` leaves rows that did not give way.
const SQLITE_DELETED: &str = concat!(
    "CREATE TRIGGER article_event_deleted AFTER DELETE ON article BEGIN
  DELETE FROM article_event WHERE kind = 'displaced';",
    sqlite_event!(
        "deleted",
        "SELECT OLD.id AS id, OLD.category AS category, OLD.tags AS tags, OLD.created_at AS created_at"
    ),
    " END"
);

const SQLITE_DISPLACED_BY_INSERT: &str = concat!(
    "CREATE TRIGGER article_event_displaced_by_insert BEFORE INSERT ON article WHEN EXISTS (SELECT 1 FROM article WHERE ",
    sqlite_displaced_by_insert!(),
    ") BEGIN",
    sqlite_event!(
        "displaced",
        "SELECT id, category, tags, created_at FROM article WHERE ",
        sqlite_displaced_by_insert!()
    ),
    " END"
);

const SQLITE_DISPLACED_BY_UPDATE: &str = concat!(
    "CREATE TRIGGER article_event_displaced_by_update BEFORE UPDATE OF id, external_id ON article WHEN EXISTS (SELECT 1 FROM article WHERE ",
    sqlite_displaced_by_update!(),
    ") BEGIN",
    sqlite_event!(
        "displaced",
        "SELECT id, category, tags, created_at FROM article WHERE ",
        sqlite_displaced_by_update!()
    ),
    " END"
);

const POSTGRES_RECORD: &str = "
CREATE FUNCTION sentio_article_event(event_kind text, article article) RETURNS void LANGUAGE sql AS $$
  INSERT INTO article_event (kind, article_id, facets, recorded_at)
  VALUES (event_kind, article.id,
    jsonb_build_object('category', article.category, 'tags', article.tags, 'created_at', article.created_at),
    floor(extract(epoch FROM clock_timestamp()) * 1000))
$$";

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

/// Whoever may write articles needs no right on the other tables, and no `search_path` that leads to them: pg_restore
/// works with an empty one.
const POSTGRES_FUNCTIONS_FOR_ALL: &str = r"
DO $$
DECLARE
  function regprocedure;
BEGIN
  FOR function IN
    SELECT oid FROM pg_proc WHERE pronamespace = quote_ident(current_schema())::regnamespace AND proname LIKE 'sentio\_%'
  LOOP
    EXECUTE format('ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp', function, current_schema());
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', function);
  END LOOP;
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
        crate::run(
            manager,
            &[
                SQLITE_TABLE,
                BY_TIME,
                SQLITE_DISPLACED,
                SQLITE_CREATED,
                SQLITE_UPDATED,
                SQLITE_MOVED,
                SQLITE_DELETED,
                SQLITE_DISPLACED_BY_INSERT,
                SQLITE_DISPLACED_BY_UPDATE,
            ],
            &[
                POSTGRES_TABLE,
                BY_TIME,
                POSTGRES_RECORD,
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
        crate::run(
            manager,
            &[
                "DROP TRIGGER article_event_created",
                "DROP TRIGGER article_event_updated",
                "DROP TRIGGER article_event_moved",
                "DROP TRIGGER article_event_deleted",
                "DROP TRIGGER article_event_displaced_by_insert",
                "DROP TRIGGER article_event_displaced_by_update",
                "DROP TABLE article_event",
            ],
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
