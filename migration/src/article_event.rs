//! The statements that write the journal of events, for what filters look at in a version of Sentio.

use sea_orm_migration::sea_orm::DbBackend;

/// A key of an event's `facets` and its value in SQL: `$` stands for the row.
pub type Facet = (&'static str, &'static str);

/// Decides about the rows that might have given way to the one that is there now.
const SQLITE_DECIDE_DISPLACED: &str = "
  UPDATE article_event SET kind = 'deleted'
  WHERE kind = 'displaced' AND NOT EXISTS (SELECT 1 FROM article WHERE article.id = article_event.article_id);
  DELETE FROM article_event WHERE kind = 'displaced';";

/// An `INSERT OR IGNORE` leaves rows that did not give way.
const SQLITE_FORGET_DISPLACED: &str = "
  DELETE FROM article_event WHERE kind = 'displaced';";

pub const SQLITE_DROP_TRIGGERS: [&str; 6] = [
    "DROP TRIGGER article_event_created",
    "DROP TRIGGER article_event_updated",
    "DROP TRIGGER article_event_moved",
    "DROP TRIGGER article_event_deleted",
    "DROP TRIGGER article_event_displaced_by_insert",
    "DROP TRIGGER article_event_displaced_by_update",
];

/// The triggers of SQLite.
pub fn sqlite_triggers(facets: &[Facet]) -> Vec<String> {
    let event = |kind, row, rest: &str| sqlite_event(facets, kind, row, rest);
    let displaced = |by: &str, on: &str, condition: &str| {
        let exists = format!("EXISTS (SELECT 1 FROM article WHERE {condition})");
        let event = event("displaced", "article", &format!(" FROM article WHERE {condition}"));
        format!(
            "CREATE TRIGGER article_event_displaced_by_{by} BEFORE {on} ON article WHEN {exists} BEGIN {event} END"
        )
    };
    vec![
        format!(
            "CREATE TRIGGER article_event_created AFTER INSERT ON article BEGIN {SQLITE_DECIDE_DISPLACED} {} END",
            event("created", "NEW", "")
        ),
        // A statement that does not raise the revision is followed by one that does: it is told once.
        format!(
            "CREATE TRIGGER article_event_updated AFTER UPDATE ON article
             WHEN NEW.id = OLD.id AND NEW.revision > OLD.revision BEGIN {SQLITE_DECIDE_DISPLACED} {} END",
            event("updated", "NEW", "")
        ),
        // Another id is another article: the old one is gone, a new one is there.
        format!(
            "CREATE TRIGGER article_event_moved AFTER UPDATE ON article WHEN NEW.id <> OLD.id
             BEGIN {SQLITE_DECIDE_DISPLACED} {} {} END",
            event("deleted", "OLD", ""),
            event("created", "NEW", "")
        ),
        format!(
            "CREATE TRIGGER article_event_deleted AFTER DELETE ON article BEGIN {SQLITE_FORGET_DISPLACED} {} END",
            event("deleted", "OLD", "")
        ),
        displaced("insert", "INSERT", sqlite_displaced_by_insert!()),
        displaced("update", "UPDATE OF id, external_id", sqlite_displaced_by_update!()),
    ]
}

/// The statement of SQLite that writes one event of `row`, which `rest` selects.
fn sqlite_event(facets: &[Facet], kind: &str, row: &str, rest: &str) -> String {
    let facets = object(facets, row, DbBackend::Sqlite);
    format!(
        "
  INSERT INTO article_event (kind, article_id, facets, recorded_at)
  SELECT '{kind}', {row}.id, {facets}, CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER){rest};"
    )
}

/// The function of PostgreSQL that its triggers call.
pub fn postgres_record(facets: &[Facet]) -> String {
    let facets = object(facets, "article", DbBackend::Postgres);
    format!(
        "CREATE OR REPLACE FUNCTION sentio_article_event(event_kind text, article article) RETURNS void LANGUAGE sql AS $$
  INSERT INTO article_event (kind, article_id, facets, recorded_at)
  VALUES (event_kind, article.id, {facets}, floor(extract(epoch FROM clock_timestamp()) * 1000))
$$"
    )
}

/// The facets of `row` as a JSON object.
fn object(facets: &[Facet], row: &str, backend: DbBackend) -> String {
    let function = if backend == DbBackend::Postgres { "jsonb_build_object" } else { "json_object" };
    let pairs = facets.iter().map(|(key, value)| {
        // Tags are JSON in PostgreSQL by their type.
        let value = if backend == DbBackend::Postgres {
            value.replace("json($tags)", "$tags")
        } else {
            (*value).to_owned()
        };
        format!("'{key}', {}", value.replace('$', &format!("{row}.")))
    });
    format!("{function}({})", pairs.collect::<Vec<_>>().join(", "))
}

/// Whoever may write articles needs no right on the other tables, and no `search_path` that leads to them: pg_restore
/// works with an empty one.
pub const POSTGRES_FUNCTIONS_FOR_ALL: &str = r"
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
