//! The schema that was compiled last.
//!
//! Compiling is the dearest step of a plan that changes nothing, and whoever reads the service again, as an apply does
//! before its first write or while it waits for a lease, nearly always reads the same schema again.

use std::sync::{Arc, Mutex, PoisonError};

use crate::schema::{ConfigSchema, SchemaError};

/// Compiles each schema once for as long as the service publishes it.
#[derive(Debug, Default)]
pub struct Schemas(Mutex<Option<Compiled>>);

/// A schema, and the bytes that it was compiled from.
type Compiled = (Arc<Vec<u8>>, Arc<ConfigSchema>);

impl Schemas {
    /// The compiled schema of these bytes.
    ///
    /// # Errors
    ///
    /// Where the bytes are no schema that can be compiled; nothing is remembered then.
    pub fn compile(&self, bytes: &Arc<Vec<u8>>) -> Result<Arc<ConfigSchema>, SchemaError> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, schema)) = last.as_ref()
            && known == bytes
        {
            return Ok(schema.clone());
        }
        let schema = Arc::new(ConfigSchema::compile(bytes)?);
        *last = Some((bytes.clone(), schema.clone()));
        Ok(schema)
    }
}
