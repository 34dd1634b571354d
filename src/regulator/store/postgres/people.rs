//! People, saved filters, and who saw what, in PostgreSQL. What people type is kept as bytes.

use tokio_postgres::Row;

use super::{PostgresStore, read::number};
use crate::{
    regulator::store::{
        Answered, People,
        people::{MOST_SAVED, Person, Role, Saved, Saw},
        sights::Scope,
    },
    terms::Name,
};

impl People for PostgresStore {
    fn people(&mut self) -> Answered<Vec<Person>> {
        let sql = "select name, role, scope, password, changed_unix_ms from person order by name";
        let rows = self.ask(async |session| session.query(sql, &[]).await)?;
        rows.iter().map(|row| person(row).ok_or_else(|| self.strange())).collect()
    }

    fn person(&mut self, name: Name) -> Answered<Option<Person>> {
        let sql = "select name, role, scope, password, changed_unix_ms from person where name = $1";
        let rows = self.ask(async |session| session.query(sql, &[&name.as_str()]).await)?;
        rows.first().map(|row| person(row).ok_or_else(|| self.strange())).transpose()
    }

    fn add_person(&mut self, person: &Person) -> Answered<bool> {
        let sql =
            "insert into person (name, role, scope, password, changed_unix_ms) values ($1, $2, $3, $4, $5)
                   on conflict do nothing";
        let Person { name, role, scope, password, changed_unix_ms } = person;
        let (name, role, scope) = (name.as_str(), role.word(), scope.as_str());
        let rows = self.ask(async |session| {
            session.execute(sql, &[&name, &role, &scope, password, changed_unix_ms]).await
        })?;
        Ok(rows > 0)
    }

    fn change_password(&mut self, name: Name, password: &str, now_unix_ms: i64) -> Answered<bool> {
        let sql = "update person set password = $2, changed_unix_ms = $3 where name = $1";
        let rows =
            self.ask(async |session| session.execute(sql, &[&name.as_str(), &password, &now_unix_ms]).await)?;
        Ok(rows > 0)
    }

    fn remove_person(&mut self, name: Name) -> Answered<bool> {
        // The filters first: somebody who is let in later under that name inherits nothing.
        let sql = "delete from saved where person = $1";
        self.ask(async |session| session.execute(sql, &[&name.as_str()]).await)?;
        let sql = "delete from person where name = $1";
        let rows = self.ask(async |session| session.execute(sql, &[&name.as_str()]).await)?;
        Ok(rows > 0)
    }

    fn saved(&mut self, person: Name) -> Answered<Vec<Saved>> {
        let sql = "select name, query from saved where person = $1 order by name limit $2";
        let most = i64::from(MOST_SAVED);
        let rows = self.ask(async |session| session.query(sql, &[&person.as_str(), &most]).await)?;
        let read = |row: &Row| Some(Saved { name: typed(row, 0)?, query: typed(row, 1)? });
        rows.iter().map(|row| read(row).ok_or_else(|| self.strange())).collect()
    }

    fn save(&mut self, person: Name, saved: &Saved) -> Answered<bool> {
        let sql = "insert into saved (person, name, query) select $1::text, $2::bytea, $3::bytea
                   where (select count(*) from saved where person = $1 and name <> $2) < $4
                   on conflict (person, name) do update set query = excluded.query";
        let (name, query, most) = (saved.name.as_bytes(), saved.query.as_bytes(), i64::from(MOST_SAVED));
        let rows =
            self.ask(async |session| session.execute(sql, &[&person.as_str(), &name, &query, &most]).await)?;
        Ok(rows > 0)
    }

    fn forget(&mut self, person: Name, name: &str) -> Answered<()> {
        let sql = "delete from saved where person = $1 and name = $2";
        let name = name.as_bytes();
        self.ask(async |session| session.execute(sql, &[&person.as_str(), &name]).await).map(|_| ())
    }

    fn note_saw(&mut self, saw: &Saw) -> Answered<()> {
        let sql = "insert into saw (at_unix_ms, person, scope, what, status) values ($1, $2, $3, $4, $5)";
        let (person, scope) = (saw.person.as_str(), saw.scope.as_str());
        let (what, status) = (saw.what.as_bytes(), i64::from(saw.status));
        let at = saw.at_unix_ms;
        self.ask(async |session| session.execute(sql, &[&at, &person, &scope, &what, &status]).await)
            .map(|_| ())
    }

    fn who_saw(&mut self, scope: &Scope, before: u64, most: u32) -> Answered<Vec<(u64, Saw)>> {
        let sql = "select number, at_unix_ms, person, scope, what, status from saw
                   where scope >= $1 and scope < $2 and number < $3 order by number desc limit $4";
        let ((from, to), most) = (scope.bounds(), i64::from(most));
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let rows = self.ask(async |session| session.query(sql, &[&from, &to, &before, &most]).await)?;
        rows.iter().map(|row| saw(row).ok_or_else(|| self.strange())).collect()
    }

    fn forget_saw(&mut self, before_unix_ms: i64) -> Answered<u64> {
        let sql = "delete from saw where at_unix_ms < $1";
        self.ask(async |session| session.execute(sql, &[&before_unix_ms]).await)
    }
}

fn typed(row: &Row, column: usize) -> Option<String> {
    String::from_utf8(row.try_get(column).ok()?).ok()
}

fn person(row: &Row) -> Option<Person> {
    Some(Person {
        name: Name::new(row.try_get(0).ok()?)?,
        role: Role::from_word(row.try_get(1).ok()?)?,
        scope: Scope::parse(row.try_get(2).ok()?)?,
        password: row.try_get(3).ok()?,
        changed_unix_ms: row.try_get(4).ok()?,
    })
}

fn saw(row: &Row) -> Option<(u64, Saw)> {
    let saw = Saw {
        at_unix_ms: row.try_get(1).ok()?,
        person: Name::new(row.try_get(2).ok()?)?,
        scope: Scope::parse(row.try_get(3).ok()?)?,
        what: typed(row, 4)?,
        status: u16::try_from(number(row, 5)?).ok()?,
    };
    Some((number(row, 0)?, saw))
}
