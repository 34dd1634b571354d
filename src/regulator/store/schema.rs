//! The tables, twice: once in the dialect of each database. Released migrations are never edited; a new schema is a new
//! entry in both lists.

mod postgres;
mod sqlite;

pub(super) use self::{postgres::POSTGRES, sqlite::SQLITE};
