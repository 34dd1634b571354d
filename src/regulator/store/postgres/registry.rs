//! Keys and gateways as they are listed, in PostgreSQL.

use tokio_postgres::{Row, types::ToSql};

use super::{
    PostgresStore,
    read::{self, number},
};
use crate::{
    regulator::store::{
        Admitted, Answered,
        registry::{Ages, KeysAsked, Registry},
        sights::Scope,
    },
    terms::{GatewayId, place::Division},
};

impl Registry for PostgresStore {
    fn keys(&mut self, asked: &KeysAsked) -> Answered<Vec<Admitted>> {
        let sql = "select id, public_key, admitted_unix_ms, revoked_unix_ms, division from gateway
                   where (id, kid) > ($1::text, $2::text) and (not $3::boolean or revoked_unix_ms is not null)
                   and ($4::text = '' or exists (select 1 from log where log.gateway = id and log.division >= $4
                   and log.division < $5::text) or (division >= $4 and division < $5
                   and not exists (select 1 from log where log.gateway = id)))
                   order by id, kid limit $6";
        let ((gateway, key), (from, to)) = (asked.begins(), asked.scope.bounds());
        let most = i64::from(asked.most);
        let parameters: [&(dyn ToSql + Sync); 6] = [&gateway, &key, &asked.is_revoked, &from, &to, &most];
        let rows = self.ask(async |session| session.query(sql, &parameters).await)?;
        rows.iter().map(|row| read::admitted(row).ok_or_else(|| self.strange())).collect()
    }

    fn say_where(&mut self, gateway: GatewayId, division: Division) -> Answered<bool> {
        let sql = "update gateway set division = $2 where id = $1";
        let (gateway, division) = (gateway.as_str(), division.to_string());
        self.ask(async |session| session.execute(sql, &[&gateway, &division]).await).map(|rows| rows > 0)
    }

    fn unheard(&mut self, scope: &Scope, most: u32) -> Answered<(u64, Vec<GatewayId>)> {
        let sql = "select id, count(*) over () from gateway where not exists
                   (select 1 from log where log.gateway = gateway.id)
                   and ($1::text = '' or (division >= $1 and division < $2::text))
                   group by id having count(*) filter (where revoked_unix_ms is null) > 0 order by id limit $3";
        let ((from, to), most) = (scope.bounds(), i64::from(most));
        let rows = self.ask(async |session| session.query(sql, &[&from, &to, &most]).await)?;
        let read = |row: &Row| Some((GatewayId::new(row.try_get(0).ok()?)?, number(row, 1)?));
        let told: Option<Vec<_>> = rows.iter().map(read).collect();
        let told = told.ok_or_else(|| self.strange())?;
        let all = told.first().map_or(0, |(_, all)| *all);
        Ok((all, told.into_iter().map(|(gateway, _)| gateway).collect()))
    }

    fn ages(&mut self, scope: &Scope, silent_before_unix_ms: i64) -> Answered<Ages> {
        let sql = "select count(*), count(*) filter (where heard < $3), max(heard), min(heard) from
                   (select max(received_unix_ms) as heard from log where division >= $1 and division < $2 group by gateway)
                   as told";
        let (from, to) = scope.bounds();
        let rows =
            self.ask(async |session| session.query(sql, &[&from, &to, &silent_before_unix_ms]).await)?;
        let read = |row: &Row| {
            Some(Ages {
                gateways: number(row, 0)?,
                silent: number(row, 1)?,
                newest_unix_ms: row.try_get(2).ok()?,
                oldest_unix_ms: row.try_get(3).ok()?,
            })
        };
        rows.first().and_then(read).ok_or_else(|| self.strange())
    }
}
