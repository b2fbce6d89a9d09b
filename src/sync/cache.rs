//! The vector cache in SQL: a text that was embedded once by a model needs no inference again.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement, Value};

use crate::embedding::Embedding;

/// A passage text's place in the cache: its BLAKE3 hash.
pub type TextHash = [u8; 32];

/// Rows of one statement; SQLite allows 32,766 parameters.
const ROWS_PER_STATEMENT: usize = 500;

/// The hash that a text is cached under.
pub fn text_hash(text: &str) -> TextHash {
    *blake3::hash(text.as_bytes()).as_bytes()
}

#[derive(FromQueryResult)]
struct CachedRow {
    text_hash: Vec<u8>,
    vector: Vec<u8>,
}

/// The cached vectors among `hashes`.
pub async fn load<C>(
    connection: &C,
    fingerprint: &str,
    hashes: &[TextHash],
) -> Result<HashMap<TextHash, Embedding>, DbErr>
where
    C: ConnectionTrait,
{
    let mut found = HashMap::new();
    for hashes in hashes.chunks(ROWS_PER_STATEMENT) {
        let holders: Vec<_> = (2..hashes.len() + 2).map(|number| format!("${number}")).collect();
        let sql = format!(
            "SELECT text_hash, vector FROM embedding WHERE fingerprint = $1 AND text_hash IN ({})",
            holders.join(", ")
        );
        let values =
            std::iter::once(Value::from(fingerprint)).chain(hashes.iter().map(|hash| hash.to_vec().into()));
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
        for row in CachedRow::find_by_statement(statement).all(connection).await? {
            // A row that is no vector (an interrupted restore, a hand-made change) is computed again.
            if let (Ok(hash), Ok(vector)) =
                (TextHash::try_from(row.text_hash), Embedding::from_le_bytes(&row.vector))
            {
                found.insert(hash, vector);
            }
        }
    }
    Ok(found)
}

/// Stores vectors; those already there stay.
pub async fn store<C>(
    connection: &C,
    fingerprint: &str,
    vectors: &[(TextHash, Embedding)],
) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    for vectors in vectors.chunks(ROWS_PER_STATEMENT) {
        let rows: Vec<_> =
            (0..vectors.len()).map(|row| format!("($1, ${}, ${})", row * 2 + 2, row * 2 + 3)).collect();
        let sql = format!(
            "INSERT INTO embedding (fingerprint, text_hash, vector) VALUES {}
             ON CONFLICT (fingerprint, text_hash) DO NOTHING",
            rows.join(", ")
        );
        let values = std::iter::once(Value::from(fingerprint)).chain(
            vectors
                .iter()
                .flat_map(|(hash, vector)| [Value::from(hash.to_vec()), Value::from(vector.to_le_bytes())]),
        );
        let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
        connection.execute_raw(statement).await?;
    }
    Ok(())
}
