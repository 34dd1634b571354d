//! The databases a collector may have: each test runs over both.

use std::sync::Arc;

use coldhearth::regulator::store::{PostgresStore, SqliteStore, Store};

use crate::support::{Folder, postgres::Postgres};

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Homes {
    Sqlite,
    Postgres,
}

/// An empty database.
pub(crate) enum Home {
    Sqlite(Folder),
    Postgres(Arc<Postgres>, String),
}

impl Homes {
    /// A new one.
    pub(crate) fn open(self, name: &str) -> Home {
        match self {
            Homes::Sqlite => Home::Sqlite(Folder::new(name)),
            Homes::Postgres => {
                let server = Postgres::shared();
                let database = server.database(name);
                Home::Postgres(server, database)
            }
        }
    }
}

impl Home {
    /// Another connection to it.
    pub(crate) fn store(&self) -> Box<dyn Store> {
        match self {
            Home::Sqlite(folder) => Box::new(SqliteStore::open(&folder.0).unwrap()),
            Home::Postgres(server, database) => Box::new(PostgresStore::open(server.at(database)).unwrap()),
        }
    }
}

impl Home {
    /// What somebody does to it behind our back.
    pub(crate) fn sql(&self, sql: &str) {
        match self {
            Home::Sqlite(folder) => {
                let mut command = std::process::Command::new("sqlite3");
                let done = command.arg(folder.0.join("store.db")).arg(sql).output().unwrap();
                assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
            }
            Home::Postgres(server, database) => {
                server.sql(database, &format!("set search_path = coldhearth; {sql}"));
            }
        }
    }
}

/// Each test over each database.
#[macro_export]
macro_rules! over_both {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $test() { super::$test($crate::homes::Homes::Sqlite); })*
        }
        mod postgres {
            $(#[test] fn $test() { super::$test($crate::homes::Homes::Postgres); })*
        }
    };
}
