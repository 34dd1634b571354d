//! PURE file. A report: a table whose every row names the signed records it rests on.

use crate::{
    catalogue::Bilingual,
    evidence::LogId,
    regulator::sums::LATE_DAYS,
    terms::{Digest, GatewayId, LegalDay, digest::Hasher, place::Division, time::DAY_MS, words::Words},
};

/// Records that a row names; of more, the first and the last are named and the whole list is told by its hash.
pub const MOST_NAMED: usize = 8;

/// A signed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Whose log.
    pub gateway: GatewayId,
    /// Which log.
    pub log: LogId,
    /// Its place.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
}

/// The records a row rests on, in the order in which they were taken.
#[derive(Clone, Debug, Default)]
pub struct Rests {
    named: Vec<Source>,
    last: Option<Source>,
    count: u64,
    hasher: Hasher,
}

impl Rests {
    /// Nothing but these.
    pub fn on(sources: impl IntoIterator<Item = Source>) -> Rests {
        let mut rests = Rests::default();
        sources.into_iter().for_each(|source| rests.add(source));
        rests
    }

    /// One more.
    pub fn add(&mut self, source: Source) {
        let Source { gateway, log, seq, hash } = source;
        self.hasher.update(format!("{gateway} {log} {seq} {hash}\n").as_bytes());
        self.count += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push(source);
        } else {
            self.last = Some(source);
        }
    }

    /// A stretch of one log: the first and the last of so many records. The last names all before it, so no other need be
    /// named; one record is itself.
    pub fn add_stretch(&mut self, first: Source, last: Source, records: u64) {
        if records <= 1 {
            return self.add(last);
        }
        let Source { gateway, log, seq, hash } = first;
        let (to, end) = (last.seq, last.hash);
        self.hasher.update(format!("{gateway} {log} {seq} {hash} {to} {end} {records}\n").as_bytes());
        self.count = self.count.saturating_add(records);
        for source in [first, last] {
            if self.named.len() < MOST_NAMED {
                self.named.push(source);
            } else {
                self.last = Some(source);
            }
        }
    }

    /// Those that are named.
    pub fn named(&self) -> impl Iterator<Item = &Source> {
        self.named.iter().chain(&self.last)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// SHA-256 over the list: for each record a line `gateway log seq hash`, for each stretch of several a line `gateway log
    /// seq hash seq hash count`; each ends in a line feed.
    pub fn root(&self) -> Digest {
        self.hasher.clone().digest()
    }
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A text that is the same in both languages.
    Text(String),
    /// A text of ours.
    Said(Words),
    /// A text of others in both languages.
    Both(Bilingual),
    /// A whole number.
    Count(i64),
    /// A number with this many decimals: its digits without the point.
    Fixed(i64, u8),
    /// A day.
    Day(LegalDay),
    /// Nobody knows. Never zero.
    Unknown,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name for machines, its unit at the end.
    pub key: &'static str,
    /// Its name for people.
    pub head: Words,
    /// Its unit for people; empty where it has none.
    pub unit: &'static str,
}

impl Column {
    /// A column without a unit.
    pub const fn of(key: &'static str, head: Words) -> Column {
        Column { key, head, unit: "" }
    }

    /// A column in a unit.
    pub const fn in_unit(key: &'static str, head: Words, unit: &'static str) -> Column {
        Column { key, head, unit }
    }
}

/// A row.
#[derive(Clone, Debug)]
pub struct Row {
    /// As many as there are columns.
    pub cells: Vec<Cell>,
    /// What they rest on.
    pub rests: Rests,
}

/// Of where and when a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The division, and all below it.
    pub within: Division,
    /// The first day.
    pub from: LegalDay,
    /// The first day that is not in it.
    pub to: LegalDay,
    /// When it is made, Unix milliseconds.
    pub made_unix_ms: i64,
}

impl Scope {
    /// Whether a moment lies in it.
    pub fn has(&self, unix_ms: i64) -> bool {
        (self.from.starts_unix_ms()..self.to.starts_unix_ms()).contains(&unix_ms)
    }

    /// Whether what arrives now is of this time still, which a report that is made later has and this one has not.
    pub fn is_preliminary(&self) -> bool {
        is_preliminary(self.to, self.made_unix_ms)
    }

    /// Whether a day lies in it.
    pub fn covers(&self, day: LegalDay) -> bool {
        (self.from..self.to).contains(&day)
    }
}

/// Whether a report of a time that ended when this day began was made while what arrived was of that time still.
pub(super) fn is_preliminary(to: LegalDay, made_unix_ms: i64) -> bool {
    made_unix_ms < to.starts_unix_ms().saturating_add(LATE_DAYS * DAY_MS)
}

/// A report.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Its name for machines.
    pub report: &'static str,
    /// Its name for people.
    pub title: Words,
    /// Of where and when.
    pub scope: Scope,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
    /// What must be said beside it.
    pub notes: Vec<Words>,
    /// What is wrong with the files that it rests on, each with its place.
    pub wrong: Vec<String>,
    /// The files that it rests on beside the records: what each is called, and its SHA-256.
    pub files: Vec<(String, Digest)>,
    /// SHA-256 of the report of the same time and division in whose place it stands.
    pub replaces: Option<Digest>,
}

impl Sheet {
    /// The same, resting on these files, too. In whatever order they were named it is the same report.
    #[must_use]
    pub fn resting_on(mut self, files: impl IntoIterator<Item = (String, Digest)>) -> Sheet {
        self.files.extend(files);
        self.files.sort();
        self
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::regulator) fn source(seq: u64) -> Source {
        let gateway = GatewayId::new("gw-1").unwrap();
        Source { gateway, log: LogId(5), seq, hash: Digest::of(&seq.to_be_bytes()) }
    }

    #[test]
    fn a_row_that_rests_on_many_records_is_held_to_all_of_them() {
        let few = Rests::on((0..3).map(source));
        assert_eq!((few.named().count(), few.count()), (3, 3));
        let lines: String =
            (0..3).map(source).map(|s| format!("{} {} {} {}\n", s.gateway, s.log, s.seq, s.hash)).collect();
        assert_eq!(few.root(), Digest::of(lines.as_bytes()));
        let many = Rests::on((0..1_000).map(source));
        assert_eq!((many.named().count(), many.count()), (MOST_NAMED + 1, 1_000));
        assert_eq!(many.named().last(), Some(&source(999)));
        assert_ne!(many.root(), Rests::on((1..1_000).map(source)).root());
        let mut days = Rests::default();
        (0..10).for_each(|day| days.add_stretch(source(day * 100), source(day * 100 + 95), 96));
        assert_eq!((days.count(), days.named().count()), (960, MOST_NAMED + 1));
        assert_eq!(days.named().last(), Some(&source(995)));
        let mut one = Rests::default();
        one.add_stretch(source(7), source(7), 1);
        assert_eq!(one.root(), Rests::on([source(7)]).root());
    }
}
