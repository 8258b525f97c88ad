//! How much room the jobs take.

use crate::store::dialect::Dialect;
use crate::store::sql_store::SqlStore;
use crate::store::{Footprint, Result, StoreError};

const DOING: &str = "measuring the tables";

impl<D: Dialect> SqlStore<D> {
    pub(in crate::store) async fn measure(&self) -> Result<Footprint> {
        let rows = self.db.read(self.db.statements().footprint, Vec::new()).await;
        let mut rows = rows.map_err(|fault| fault.told(DOING))?.into_iter();
        let none = || StoreError::Unreadable { what: "the size of the tables", found: "nothing".into() };
        let mut row = rows.next().ok_or_else(none)?;
        Ok(Footprint {
            bytes: row.int("bytes")?,
            free_bytes: row.opt_int("free_bytes")?,
            wal_bytes: self.db.wal_bytes(),
            dead_rows: row.opt_int("dead_rows")?,
        })
    }
}
