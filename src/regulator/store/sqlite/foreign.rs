//! Acts that the authority did not sign, in SQLite.

use std::collections::BTreeSet;

use rusqlite::{Row, params};

use super::SqliteStore;
use crate::{
    regulator::{
        foreign::ForeignAct,
        store::{
            Answered, Batch,
            foreign::{Signatories, columns, read},
        },
    },
    terms::GatewayId,
};

impl SqliteStore {
    pub(super) fn write_foreign(&self, batch: &Batch) -> Answered<()> {
        let sql = "insert or ignore into foreign_act (gateway, log, seq, asset, order_id) values (?1, ?2, ?3, ?4, ?5)";
        for act in &batch.foreign {
            let (asset, order) = columns(act);
            let seq = act.seq.cast_signed();
            self.execute(sql, params![act.gateway.as_str(), act.log.to_string(), seq, asset, order])?;
        }
        Ok(())
    }
}

impl Signatories for SqliteStore {
    fn foreign_acts(&mut self, of: Option<&BTreeSet<GatewayId>>) -> Answered<Vec<ForeignAct>> {
        let columns = "select gateway, log, seq, asset, order_id from foreign_act";
        let Some(gateways) = of else {
            return self.rows(&format!("{columns} order by gateway, log, seq"), [], foreign);
        };
        let sql = format!("{columns} where gateway = ?1 order by log, seq");
        let mut all = Vec::new();
        for gateway in gateways {
            all.extend(self.rows(&sql, [gateway.as_str()], foreign)?);
        }
        Ok(all)
    }

    fn own_act(&mut self, act: &ForeignAct) -> Answered<()> {
        let sql = "delete from foreign_act where gateway = ?1 and log = ?2 and seq = ?3";
        self.execute(sql, params![act.gateway.as_str(), act.log.to_string(), act.seq.cast_signed()])
            .map(|_| ())
    }
}

fn foreign(row: &Row<'_>) -> rusqlite::Result<Option<ForeignAct>> {
    let text = |column| row.get::<_, String>(column);
    let (gateway, log, asset, order) = (text(0)?, text(1)?, text(3)?, text(4)?);
    Ok(read((&gateway, &log, row.get(2)?), &asset, &order))
}
