//! What verdicts come to, kept in PostgreSQL.

use tokio_postgres::Error;

use super::{read::columns, session::Session};
use crate::regulator::store::{Batch, first_verdicts};

pub(super) async fn write(session: &mut Session, batch: &Batch) -> Result<(), Error> {
    let late = first_verdicts(batch);
    if !late.is_empty() {
        let (gateways, logs) = columns(late.keys());
        let seqs: Vec<i64> = late.values().map(|seq| seq.cast_signed()).collect();
        // What is kept below the place that was reached was not added up.
        let sql = "with late as (delete from summed
                       using unnest($1::text[], $2::text[], $3::bigint[]) as new (gateway, log, seq)
                       where summed.gateway = new.gateway and summed.log = new.log and summed.seq >= new.seq
                       returning summed.gateway, summed.log)
                   delete from day_sum using late where day_sum.gateway = late.gateway and day_sum.log = late.log";
        session.execute(sql, &[&gateways, &logs, &seqs]).await?;
    }
    for summed in &batch.sums {
        let (gateway, log) = (summed.log.0.as_str(), summed.log.1.to_string());
        let sql = "insert into summed (gateway, log, seq) values ($1, $2, $3)
                   on conflict (gateway, log) do update set seq = excluded.seq";
        session.execute(sql, &[&gateway, &log, &summed.upto.cast_signed()]).await?;
        let assets: Vec<&str> = summed.days.keys().map(|(asset, _)| asset.as_str()).collect();
        let days: Vec<i64> = summed.days.keys().map(|(_, day)| i64::from(day.number())).collect();
        let sums: Vec<String> = summed.days.values().map(|sum| sum.to_text()).collect();
        let sql = "insert into day_sum (gateway, log, asset, day, sum)
                   select $1::text, $2::text, asset, day, sum
                   from unnest($3::text[], $4::bigint[], $5::text[]) as new (asset, day, sum)
                   on conflict (gateway, log, asset, day) do update set sum = excluded.sum";
        session.execute(sql, &[&gateway, &log, &assets, &days, &sums]).await?;
    }
    Ok(())
}

/// What was added up of a log of which something was pruned.
pub(super) async fn forget(session: &mut Session, gateway: &str, log: &str) -> Result<(), Error> {
    session.execute("delete from summed where gateway = $1 and log = $2", &[&gateway, &log]).await?;
    session
        .execute("delete from day_sum where gateway = $1 and log = $2", &[&gateway, &log])
        .await
        .map(|_| ())
}
