//! Acts that the authority did not sign, in PostgreSQL.

use std::collections::BTreeSet;

use tokio_postgres::{Error, Row};

use super::{PostgresStore, session::Session};
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

pub(super) async fn write(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    let sql = "insert into foreign_act (gateway, log, seq, asset, order_id) values ($1, $2, $3, $4, $5)
               on conflict do nothing";
    for act in &batch.foreign {
        let (asset, order) = columns(act);
        let (log, seq) = (act.log.to_string(), act.seq.cast_signed());
        session.execute(sql, &[&act.gateway.as_str(), &log, &seq, &asset, &order]).await?;
    }
    Ok(())
}

impl Signatories for PostgresStore {
    fn foreign_acts(&mut self, of: Option<&BTreeSet<GatewayId>>) -> Answered<Vec<ForeignAct>> {
        let sql = "select gateway, log, seq, asset, order_id from foreign_act
                   where $1::text[] is null or gateway = any($1) order by gateway, log, seq";
        let gateways: Option<Vec<&str>> = of.map(|all| all.iter().map(GatewayId::as_str).collect());
        let rows = self.ask(async |session| session.query(sql, &[&gateways]).await)?;
        let foreign = |row: &Row| {
            let place = (row.try_get(0).ok()?, row.try_get(1).ok()?, row.try_get(2).ok()?);
            read(place, row.try_get(3).ok()?, row.try_get(4).ok()?)
        };
        rows.iter().map(|row| foreign(row).ok_or_else(|| self.strange())).collect()
    }

    fn own_act(&mut self, act: &ForeignAct) -> Answered<()> {
        let sql = "delete from foreign_act where gateway = $1 and log = $2 and seq = $3";
        let (log, seq) = (act.log.to_string(), act.seq.cast_signed());
        self.ask(async |session| session.execute(sql, &[&act.gateway.as_str(), &log, &seq]).await).map(|_| ())
    }
}
