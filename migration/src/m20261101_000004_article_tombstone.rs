//! The last revisions of articles that are gone, so that no article ever has a revision for the second time.
//!
//! Sentio itself never gives an id twice; raw SQL may: `INSERT OR REPLACE`, rows restored with their ids, a move to another
//! id. A client that holds a revision from before must then get a conflict, not overwrite what it has not seen.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

const SQLITE_TABLE: &str = "
CREATE TABLE article_tombstone (
  article_id INTEGER PRIMARY KEY NOT NULL,
  revision INTEGER NOT NULL
) STRICT";

const POSTGRES_TABLE: &str = "
CREATE TABLE article_tombstone (
  article_id bigint PRIMARY KEY,
  revision bigint NOT NULL
)";

/// Keeps the revisions of the rows that `$gone` selects.
macro_rules! sqlite_bury {
    ($($gone:expr),+) => {
        concat!(
            "
  INSERT INTO article_tombstone (article_id, revision)
  SELECT gone.id, gone.revision FROM (",
            $($gone,)+
            ") AS gone WHERE true
  ON CONFLICT (article_id) DO UPDATE SET revision = max(revision, excluded.revision);"
        )
    };
}

/// Raises the revision of the article `NEW` above that of its tombstone, and removes it.
macro_rules! sqlite_revive {
    () => {
        "
  UPDATE article SET revision = (SELECT revision FROM article_tombstone WHERE article_id = NEW.id) + 1
  WHERE id = NEW.id AND revision <= (SELECT revision FROM article_tombstone WHERE article_id = NEW.id);
  DELETE FROM article_tombstone WHERE article_id = NEW.id;"
    };
}

const SQLITE_DELETED: &str = concat!(
    "CREATE TRIGGER article_buried AFTER DELETE ON article BEGIN",
    sqlite_bury!("SELECT OLD.id AS id, OLD.revision AS revision"),
    " END"
);

/// A row displaced by `INSERT OR REPLACE` fires no delete trigger. An upsert that comes here too changes the row
/// instead, and `SQLITE_UPDATED` takes the tombstone back.
const SQLITE_DISPLACED_BY_INSERT: &str = concat!(
    "CREATE TRIGGER article_buried_by_insert BEFORE INSERT ON article
WHEN EXISTS (SELECT 1 FROM article WHERE id = NEW.id OR ",
    sqlite_displaced_by_insert!(),
    ") BEGIN",
    sqlite_bury!("SELECT id, revision FROM article WHERE id = NEW.id OR ", sqlite_displaced_by_insert!()),
    " END"
);

const SQLITE_DISPLACED_BY_UPDATE: &str = concat!(
    "CREATE TRIGGER article_buried_by_update BEFORE UPDATE OF id, external_id ON article
WHEN EXISTS (SELECT 1 FROM article WHERE ",
    sqlite_displaced_by_update!(),
    ") BEGIN",
    sqlite_bury!("SELECT id, revision FROM article WHERE ", sqlite_displaced_by_update!()),
    " END"
);

const SQLITE_INSERTED: &str = concat!(
    "CREATE TRIGGER article_revived AFTER INSERT ON article
WHEN EXISTS (SELECT 1 FROM article_tombstone WHERE article_id = NEW.id) BEGIN",
    sqlite_revive!(),
    " END"
);

/// Another id: the old one is gone, and the new one may have been used.
const SQLITE_MOVED: &str = concat!(
    "CREATE TRIGGER article_moved AFTER UPDATE ON article WHEN NEW.id <> OLD.id BEGIN",
    sqlite_bury!("SELECT OLD.id AS id, OLD.revision AS revision"),
    sqlite_revive!(),
    " END"
);

const SQLITE_UPDATED: &str = "
CREATE TRIGGER article_not_buried AFTER UPDATE ON article WHEN NEW.id = OLD.id BEGIN
  DELETE FROM article_tombstone WHERE article_id = NEW.id AND revision < NEW.revision;
END";

const POSTGRES_BURY: &str = "
CREATE FUNCTION sentio_article_buried() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO article_tombstone (article_id, revision)
  SELECT id, revision FROM old_article ORDER BY id
  ON CONFLICT (article_id) DO UPDATE
  SET revision = greatest(article_tombstone.revision, excluded.revision);
  RETURN NULL;
END $$";

const POSTGRES_BURY_ALL: &str = "
CREATE FUNCTION sentio_article_all_buried() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO article_tombstone (article_id, revision)
  SELECT id, revision FROM article ORDER BY id
  ON CONFLICT (article_id) DO UPDATE
  SET revision = greatest(article_tombstone.revision, excluded.revision);
  RETURN NULL;
END $$";

/// After the insertion: a row that another transaction was deleting is known by then.
const POSTGRES_REVIVE: &str = "
CREATE FUNCTION sentio_article_revived() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM new_article JOIN article_tombstone ON article_id = id) THEN
    UPDATE article SET revision = article_tombstone.revision + 1 FROM article_tombstone
    WHERE article.id = article_id AND article.id IN (SELECT id FROM new_article)
      AND article.revision <= article_tombstone.revision;
    DELETE FROM article_tombstone WHERE article_id IN (SELECT id FROM new_article);
  END IF;
  RETURN NULL;
END $$";

const POSTGRES_MOVE: &str = "
CREATE FUNCTION sentio_article_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO article_tombstone (article_id, revision) VALUES (OLD.id, OLD.revision)
  ON CONFLICT (article_id) DO UPDATE
  SET revision = greatest(article_tombstone.revision, excluded.revision);
  UPDATE article SET revision = article_tombstone.revision + 1 FROM article_tombstone
  WHERE article.id = NEW.id AND article_id = NEW.id AND article.revision <= article_tombstone.revision;
  DELETE FROM article_tombstone WHERE article_id = NEW.id;
  RETURN NULL;
END $$";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::run(
            manager,
            &[
                SQLITE_TABLE,
                SQLITE_DELETED,
                SQLITE_DISPLACED_BY_INSERT,
                SQLITE_DISPLACED_BY_UPDATE,
                SQLITE_INSERTED,
                SQLITE_MOVED,
                SQLITE_UPDATED,
            ],
            &[
                POSTGRES_TABLE,
                POSTGRES_BURY,
                POSTGRES_BURY_ALL,
                POSTGRES_REVIVE,
                POSTGRES_MOVE,
                "CREATE TRIGGER article_buried AFTER DELETE ON article
                 REFERENCING OLD TABLE AS old_article
                 FOR EACH STATEMENT EXECUTE FUNCTION sentio_article_buried()",
                "CREATE TRIGGER article_all_buried BEFORE TRUNCATE ON article
                 FOR EACH STATEMENT EXECUTE FUNCTION sentio_article_all_buried()",
                "CREATE TRIGGER article_revived AFTER INSERT ON article
                 REFERENCING NEW TABLE AS new_article
                 FOR EACH STATEMENT EXECUTE FUNCTION sentio_article_revived()",
                "CREATE TRIGGER article_moved AFTER UPDATE OF id ON article
                 FOR EACH ROW WHEN (NEW.id <> OLD.id) EXECUTE FUNCTION sentio_article_moved()",
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        crate::run(
            manager,
            &[
                "DROP TRIGGER article_buried",
                "DROP TRIGGER article_buried_by_insert",
                "DROP TRIGGER article_buried_by_update",
                "DROP TRIGGER article_revived",
                "DROP TRIGGER article_moved",
                "DROP TRIGGER article_not_buried",
                "DROP TABLE article_tombstone",
            ],
            &[
                "DROP FUNCTION sentio_article_buried CASCADE",
                "DROP FUNCTION sentio_article_all_buried CASCADE",
                "DROP FUNCTION sentio_article_revived CASCADE",
                "DROP FUNCTION sentio_article_moved CASCADE",
                "DROP TABLE article_tombstone",
            ],
        )
        .await
    }
}
