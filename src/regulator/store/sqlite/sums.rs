//! What verdicts come to, kept in SQLite.

use std::collections::BTreeMap;

use rusqlite::params;

use super::SqliteStore;
use crate::regulator::store::{Answered, Batch, Log, first_verdicts};

impl SqliteStore {
    pub(super) fn write_sums(&self, batch: &Batch) -> Answered<()> {
        let late: BTreeMap<Log, u64> = first_verdicts(batch);
        for ((gateway, log), seq) in late {
            // What is kept below the place that was reached was not added up.
            let sql = "delete from summed where gateway = ?1 and log = ?2 and seq >= ?3";
            let log = log.to_string();
            if self.execute(sql, params![gateway.as_str(), log, seq.cast_signed()])? > 0 {
                self.forget_sums(gateway.as_str(), &log)?;
            }
        }
        for summed in &batch.sums {
            let (gateway, log) = (summed.log.0.as_str(), summed.log.1.to_string());
            let sql = "insert into summed (gateway, log, seq) values (?1, ?2, ?3)
                       on conflict (gateway, log) do update set seq = ?3";
            self.execute(sql, params![gateway, log, summed.upto.cast_signed()])?;
            let sql = "insert into day_sum (gateway, log, asset, day, sum) values (?1, ?2, ?3, ?4, ?5)
                       on conflict (gateway, log, asset, day) do update set sum = ?5";
            for ((asset, day), sum) in &summed.days {
                self.execute(sql, params![gateway, log, asset.as_str(), day.number(), sum.to_text()])?;
            }
        }
        Ok(())
    }

    /// What is drawn and added up rests on records that are there.
    pub(super) fn forget_pruned(&self, gateway: &str, log: &str, seq: i64) -> Answered<()> {
        let sql = "delete from span where gateway = ?1 and log = ?2 and seq <= ?3";
        self.execute(sql, params![gateway, log, seq])?;
        self.forget_sums(gateway, log)
    }

    fn forget_sums(&self, gateway: &str, log: &str) -> Answered<()> {
        self.execute("delete from summed where gateway = ?1 and log = ?2", [gateway, log])?;
        self.execute("delete from day_sum where gateway = ?1 and log = ?2", [gateway, log]).map(|_| ())
    }
}
