//! Triggers that record every change of an article in the outbox, whoever makes it.
//!
//! Writes through the entity's hooks record the same row; the triggers are there for raw SQL, bulk statements, cascades
//! and other programs. They also keep `revision` and `updated_at` moving when a writer forgets to.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The upsert of the outbox for the ids that `$ids` selects, in SQLite's dialect. The milliseconds are computed
/// without `unixepoch('subsec')`, which older command-line shells lack.
macro_rules! sqlite_record {
    ($($ids:expr),+) => {
        concat!(
            "UPDATE index_control SET last_seq = last_seq + 1;
  INSERT INTO index_change (article_id, seq, recorded_at)
  SELECT changed.id, (SELECT last_seq FROM index_control),
         CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)
  FROM (",
            $($ids,)+
            ") AS changed WHERE true
  ON CONFLICT (article_id) DO UPDATE
  SET seq = excluded.seq, attempts = 0, leased_until = 0, last_error = NULL;"
        )
    };
}

const SQLITE_AFTER_INSERT: &str = concat!(
    "CREATE TRIGGER article_inserted AFTER INSERT ON article BEGIN ",
    sqlite_record!("SELECT NEW.id AS id"),
    " END"
);

/// A revision that the statement did not raise is raised here; so is `updated_at`. The inner UPDATE does not fire this
/// trigger again: its revision is higher than the old one. The row is asked, not NEW: another trigger may have raised it.
const SQLITE_AFTER_UPDATE: &str = concat!(
    "CREATE TRIGGER article_updated AFTER UPDATE ON article BEGIN
  UPDATE article SET revision = OLD.revision + 1,
    updated_at = CASE WHEN NEW.updated_at = OLD.updated_at
      THEN strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now') ELSE NEW.updated_at END
  WHERE id = NEW.id AND revision <= OLD.revision; ",
    sqlite_record!("SELECT NEW.id AS id UNION SELECT OLD.id"),
    " END"
);

const SQLITE_AFTER_DELETE: &str = concat!(
    "CREATE TRIGGER article_deleted AFTER DELETE ON article BEGIN ",
    sqlite_record!("SELECT OLD.id AS id"),
    " END"
);

/// `INSERT OR REPLACE` deletes the row that holds the same `external_id` without firing the delete trigger (unless
/// `recursive_triggers` is on): its id is recorded before that happens.
const SQLITE_BEFORE_INSERT: &str = concat!(
    "CREATE TRIGGER article_displaced_by_insert BEFORE INSERT ON article
WHEN EXISTS (SELECT 1 FROM article WHERE ",
    sqlite_displaced_by_insert!(),
    ") BEGIN ",
    sqlite_record!("SELECT id FROM article WHERE ", sqlite_displaced_by_insert!()),
    " END"
);

/// The same for `UPDATE OR REPLACE`, which may displace by `external_id` and by `id`.
const SQLITE_BEFORE_UPDATE: &str = concat!(
    "CREATE TRIGGER article_displaced_by_update BEFORE UPDATE OF id, external_id ON article
WHEN EXISTS (SELECT 1 FROM article WHERE ",
    sqlite_displaced_by_update!(),
    ") BEGIN ",
    sqlite_record!("SELECT id FROM article WHERE ", sqlite_displaced_by_update!()),
    " END"
);

const POSTGRES_RAISE_REVISION: &str = "
CREATE FUNCTION sentio_article_raise_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.revision <= OLD.revision THEN
    NEW.revision := OLD.revision + 1;
    IF NEW.updated_at = OLD.updated_at THEN
      NEW.updated_at := clock_timestamp();
    END IF;
  END IF;
  RETURN NEW;
END $$";

/// Records `ids` in ascending order, so that two statements over the same articles never wait for each other in a
/// circle, and wakes the worker at COMMIT.
const POSTGRES_RECORD: &str = "
CREATE FUNCTION sentio_record_change(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO index_change (article_id, seq, recorded_at)
  SELECT changed.id, nextval('index_change_seq'), floor(extract(epoch FROM clock_timestamp()) * 1000)
  FROM (SELECT DISTINCT unnest(ids) AS id ORDER BY id) AS changed
  ON CONFLICT (article_id) DO UPDATE
  SET seq = excluded.seq, attempts = 0, leased_until = 0, last_error = NULL;
  PERFORM pg_notify('sentio_index_change', '');
END $$";

const POSTGRES_INSERTED: &str = "
CREATE FUNCTION sentio_article_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sentio_record_change(ARRAY(SELECT id FROM new_article));
  RETURN NULL;
END $$";

const POSTGRES_UPDATED: &str = "
CREATE FUNCTION sentio_article_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sentio_record_change(ARRAY(SELECT id FROM new_article UNION SELECT id FROM old_article));
  RETURN NULL;
END $$";

const POSTGRES_DELETED: &str = "
CREATE FUNCTION sentio_article_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sentio_record_change(ARRAY(SELECT id FROM old_article));
  RETURN NULL;
END $$";

/// TRUNCATE names no rows: the worker compares everything.
const POSTGRES_TRUNCATED: &str = "
CREATE FUNCTION sentio_article_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE index_control SET reconcile = true;
  PERFORM pg_notify('sentio_index_change', '');
  RETURN NULL;
END $$";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::run(
            manager,
            &[
                SQLITE_AFTER_INSERT,
                SQLITE_AFTER_UPDATE,
                SQLITE_AFTER_DELETE,
                SQLITE_BEFORE_INSERT,
                SQLITE_BEFORE_UPDATE,
            ],
            &[
                POSTGRES_RAISE_REVISION,
                POSTGRES_RECORD,
                POSTGRES_INSERTED,
                POSTGRES_UPDATED,
                POSTGRES_DELETED,
                POSTGRES_TRUNCATED,
                "CREATE TRIGGER article_raise_revision BEFORE UPDATE ON article
                 FOR EACH ROW EXECUTE FUNCTION sentio_article_raise_revision()",
                "CREATE TRIGGER article_inserted AFTER INSERT ON article
                 REFERENCING NEW TABLE AS new_article
                 FOR EACH STATEMENT EXECUTE FUNCTION sentio_article_inserted()",
                "CREATE TRIGGER article_updated AFTER UPDATE ON article
                 REFERENCING NEW TABLE AS new_article OLD TABLE AS old_article
                 FOR EACH STATEMENT EXECUTE FUNCTION sentio_article_updated()",
                "CREATE TRIGGER article_deleted AFTER DELETE ON article
                 REFERENCING OLD TABLE AS old_article
                 FOR EACH STATEMENT EXECUTE FUNCTION sentio_article_deleted()",
                "CREATE TRIGGER article_truncated AFTER TRUNCATE ON article
                 FOR EACH STATEMENT EXECUTE FUNCTION sentio_article_truncated()",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::run(
            manager,
            &[
                "DROP TRIGGER article_inserted",
                "DROP TRIGGER article_updated",
                "DROP TRIGGER article_deleted",
                "DROP TRIGGER article_displaced_by_insert",
                "DROP TRIGGER article_displaced_by_update",
            ],
            &[
                "DROP FUNCTION sentio_article_raise_revision CASCADE",
                "DROP FUNCTION sentio_article_inserted CASCADE",
                "DROP FUNCTION sentio_article_updated CASCADE",
                "DROP FUNCTION sentio_article_deleted CASCADE",
                "DROP FUNCTION sentio_article_truncated CASCADE",
                "DROP FUNCTION sentio_record_change",
            ],
        )
        .await
    }
}
