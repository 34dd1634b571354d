//! Keys and gateways as they are listed, in SQLite.

use rusqlite::params;

use super::{SqliteStore, rows};
use crate::{
    regulator::store::{
        Admitted, Answered,
        registry::{Ages, KeysAsked, Registry},
        sights::Scope,
    },
    terms::{GatewayId, place::Division},
};

impl Registry for SqliteStore {
    fn keys(&mut self, asked: &KeysAsked) -> Answered<Vec<Admitted>> {
        let sql = "select id, public_key, admitted_unix_ms, revoked_unix_ms, division from gateway
                   where (id, kid) > (?1, ?2) and (not ?3 or revoked_unix_ms is not null)
                   and (?4 = '' or exists (select 1 from log where log.gateway = id and log.division >= ?4
                   and log.division < ?5) or (division >= ?4 and division < ?5
                   and not exists (select 1 from log where log.gateway = id)))
                   order by id, kid limit ?6";
        let ((gateway, key), (from, to)) = (asked.begins(), asked.scope.bounds());
        self.rows(sql, params![gateway, key, asked.is_revoked, from, to, asked.most], rows::admitted)
    }

    fn say_where(&mut self, gateway: GatewayId, division: Division) -> Answered<bool> {
        let sql = "update gateway set division = ?2 where id = ?1";
        self.execute(sql, params![gateway.as_str(), division.to_string()]).map(|rows| rows > 0)
    }

    fn unheard(&mut self, scope: &Scope, most: u32) -> Answered<(u64, Vec<GatewayId>)> {
        let sql = "select id, count(*) over () from gateway where not exists
                   (select 1 from log where log.gateway = gateway.id)
                   and (?1 = '' or (division >= ?1 and division < ?2))
                   group by id having sum(revoked_unix_ms is null) > 0 order by id limit ?3";
        let (from, to) = scope.bounds();
        let rows = self.rows(sql, params![from, to, most], |row| {
            Ok(GatewayId::new(&row.get::<_, String>(0)?).zip(Some(row.get::<_, i64>(1)?.cast_unsigned())))
        })?;
        let all = rows.first().map_or(0, |(_, all)| *all);
        Ok((all, rows.into_iter().map(|(gateway, _)| gateway).collect()))
    }

    fn ages(&mut self, scope: &Scope, silent_before_unix_ms: i64) -> Answered<Ages> {
        let sql = "select count(*), count(*) filter (where heard < ?3), max(heard), min(heard) from
                   (select max(received_unix_ms) as heard from log where division >= ?1 and division < ?2 group by gateway)";
        let (from, to) = scope.bounds();
        let ages = self.one(sql, params![from, to, silent_before_unix_ms], |row| {
            let count = |column| Ok::<_, rusqlite::Error>(row.get::<_, i64>(column)?.cast_unsigned());
            Ok(Ages {
                gateways: count(0)?,
                silent: count(1)?,
                newest_unix_ms: row.get(2)?,
                oldest_unix_ms: row.get(3)?,
            })
        })?;
        Ok(ages.unwrap_or_default())
    }
}
