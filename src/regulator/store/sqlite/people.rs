//! People, saved filters, and who saw what, in SQLite.

use rusqlite::{Row, params};

use super::SqliteStore;
use crate::{
    regulator::store::{
        Answered, People,
        people::{MOST_SAVED, Person, Role, Saved, Saw},
        sights::Scope,
    },
    terms::Name,
};

const PERSON: &str = "select name, role, scope, password, changed_unix_ms from person";

impl People for SqliteStore {
    fn people(&mut self) -> Answered<Vec<Person>> {
        self.rows(&format!("{PERSON} order by name"), [], person)
    }

    fn person(&mut self, name: Name) -> Answered<Option<Person>> {
        let found = self.rows(&format!("{PERSON} where name = ?1"), [name.as_str()], person)?;
        Ok(found.into_iter().next())
    }

    fn add_person(&mut self, person: &Person) -> Answered<bool> {
        let sql = "insert or ignore into person (name, role, scope, password, changed_unix_ms) values (?1, ?2, ?3, ?4, ?5)";
        let Person { name, role, scope, password, changed_unix_ms } = person;
        let row = params![name.as_str(), role.word(), scope.as_str(), password, changed_unix_ms];
        self.execute(sql, row).map(|rows| rows > 0)
    }

    fn change_password(&mut self, name: Name, password: &str, now_unix_ms: i64) -> Answered<bool> {
        let sql = "update person set password = ?2, changed_unix_ms = ?3 where name = ?1";
        self.execute(sql, params![name.as_str(), password, now_unix_ms]).map(|rows| rows > 0)
    }

    fn remove_person(&mut self, name: Name) -> Answered<bool> {
        // The filters first: somebody who is let in later under that name inherits nothing.
        self.execute("delete from saved where person = ?1", [name.as_str()])?;
        self.execute("delete from person where name = ?1", [name.as_str()]).map(|rows| rows > 0)
    }

    fn saved(&mut self, person: Name) -> Answered<Vec<Saved>> {
        let sql = "select name, query from saved where person = ?1 order by name limit ?2";
        self.rows(sql, params![person.as_str(), MOST_SAVED], |row| {
            Ok(Some(Saved { name: row.get(0)?, query: row.get(1)? }))
        })
    }

    fn save(&mut self, person: Name, saved: &Saved) -> Answered<bool> {
        let sql = "insert into saved (person, name, query) select ?1, ?2, ?3
                   where (select count(*) from saved where person = ?1 and name <> ?2) < ?4
                   on conflict (person, name) do update set query = ?3";
        let row = params![person.as_str(), saved.name, saved.query, MOST_SAVED];
        self.execute(sql, row).map(|rows| rows > 0)
    }

    fn forget(&mut self, person: Name, name: &str) -> Answered<()> {
        let sql = "delete from saved where person = ?1 and name = ?2";
        self.execute(sql, params![person.as_str(), name]).map(|_| ())
    }

    fn note_saw(&mut self, saw: &Saw) -> Answered<()> {
        let sql = "insert into saw (at_unix_ms, person, scope, what, status) values (?1, ?2, ?3, ?4, ?5)";
        let Saw { at_unix_ms, person, scope, what, status } = saw;
        let row = params![at_unix_ms, person.as_str(), scope.as_str(), what, status];
        self.execute(sql, row).map(|_| ())
    }

    fn who_saw(&mut self, scope: &Scope, before: u64, most: u32) -> Answered<Vec<(u64, Saw)>> {
        let sql = "select number, at_unix_ms, person, scope, what, status from saw
                   where scope >= ?1 and scope < ?2 and number < ?3 order by number desc limit ?4";
        let (from, to) = scope.bounds();
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        self.rows(sql, params![from, to, before, most], |row| {
            let named = Name::new(&row.get::<_, String>(2)?).zip(Scope::parse(&row.get::<_, String>(3)?));
            let (number, at_unix_ms) = (row.get::<_, i64>(0)?.cast_unsigned(), row.get(1)?);
            let (what, status) = (row.get(4)?, row.get(5)?);
            Ok(named.map(|(person, scope)| (number, Saw { at_unix_ms, person, scope, what, status })))
        })
    }

    fn forget_saw(&mut self, before_unix_ms: i64) -> Answered<u64> {
        self.execute("delete from saw where at_unix_ms < ?1", [before_unix_ms]).map(|rows| rows as u64)
    }
}

fn person(row: &Row<'_>) -> rusqlite::Result<Option<Person>> {
    let text = |column| row.get::<_, String>(column);
    let named = Name::new(&text(0)?).zip(Role::from_word(&text(1)?)).zip(Scope::parse(&text(2)?));
    let (password, changed_unix_ms) = (text(3)?, row.get(4)?);
    Ok(named.map(|((name, role), scope)| Person { name, role, scope, password, changed_unix_ms }))
}
