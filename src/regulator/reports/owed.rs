//! PURE file. VI(2): who owes a report of a time and has not handed it in, or late, or twice; and of which equipment under a
//! duty nothing new enough was attested when the time ended.
//!
//! ```toml
//! attested_days = 2          # equipment is late whose newest verdict is older at the time's end; left out: not looked at
//!
//! [[owed]]
//! division = "130000"
//! reports = ["periodic", "list"]      # as `report --sign` names them
//! due_days = 15                       # after the time's end
//! key = "…"                           # whose signature counts for this division, base64; any that is trusted without it
//! ```
//!
//! What was signed before its time had ended is no report of that time. Of one time a division has handed in two where their
//! rows differ; the same made anew is the same. One that says which it replaces, by its SHA-256, corrects that one if the same
//! hand has signed both and both are there: the newest is in force, and the first tells whether the division was on time. One
//! that was made while what arrived was of its time still is preliminary: it may be on time, and one made later replaces it.

use super::{Cell, Column, Equipment, Rests, Row, Scope, Sheet, Surveyed, sealed::Vouched};
use crate::{
    evidence::PublicKey,
    terms::{
        Flaw, Flaws, LegalDay,
        form::{self, Form, Node},
        place::Division,
        time::DAY_MS,
        words::{self, Words},
    },
};

/// Longest time after the end of a time at which a report may be due, in days.
const MAX_DUE_DAYS: i64 = 366;
/// The reports that may be owed.
const REPORTS: &[(&str, &str)] = &[
    ("list", "list"),
    ("periodic", "periodic"),
    ("completion", "completion"),
    ("findings", "findings"),
    ("coverage", "coverage"),
    ("surcharge", "surcharge"),
];

/// One report that one division owes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owed {
    division: Division,
    report: &'static str,
    due_days: i64,
    /// Whose signature counts; any that is trusted where none is named.
    key: Option<PublicKey>,
}

/// What is owed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    owed: Vec<Owed>,
    attested_days: Option<i64>,
}

impl Schedule {
    /// Reads it.
    ///
    /// # Errors
    /// Every mistake, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Schedule, Vec<Flaw>> {
        let node = Node::parse(file, text)?;
        let flaws = Flaws::default();
        let mut schedule = Schedule::default();
        if let Some(form) = Form::of(&node, &flaws) {
            schedule.attested_days = form.optional("attested_days", form::whole(1..=MAX_DUE_DAYS));
            for table in form.tables("owed") {
                schedule.owed.extend(owed(table).unwrap_or_default());
            }
            form.close();
        }
        if flaws.is_empty() { Ok(schedule) } else { Err(flaws.into_sorted()) }
    }
}

fn owed(form: Form<'_>) -> Option<Vec<Owed>> {
    let division = form.required("division", |value| {
        form::parsed(value, Division::parse, "six digits of GB/T 2260 are expected, 000000 for the nation")
    });
    let reports = form.required("reports", form::list(form::one_of(REPORTS)));
    let due_days = form.required("due_days", form::whole(0..=MAX_DUE_DAYS));
    let key = form.optional("key", |value| {
        form::parsed(value, PublicKey::from_base64, "a public key in base64 is expected")
    });
    form.close();
    let (division, due_days) = (division?, due_days?);
    Some(reports?.into_iter().map(|report| Owed { division, report, due_days, key }).collect())
}

/// How a report that is owed stands.
struct Stands<'v> {
    what: Words,
    /// What was handed in first.
    first: Option<&'v Vouched>,
    /// What is in force.
    newest: Option<&'v Vouched>,
    is_wanting: bool,
    late_days: i64,
}

/// The report, and how many of its rows are late, missing or doubled.
pub fn sheet(
    surveyed: &Surveyed,
    schedule: &Schedule,
    handed_in: &[Vouched],
    scope: Scope,
) -> (Sheet, usize) {
    let columns = vec![
        Column::of("owed", words::R_OWED),
        Column::of("division", words::R_DIVISION),
        Column::of("uscc", words::R_ENTERPRISE),
        Column::of("gateway_id", words::R_GATEWAY),
        Column::of("asset", words::R_ASSET),
        Column::of("due", words::R_DUE),
        Column::of("received", words::R_RECEIVED),
        Column::of("corrected", words::R_CORRECTED),
        Column::of("state", words::R_STANDS),
        Column::in_unit("late_days", words::R_LATE, "d"),
        Column::of("report_sha256", words::R_SHA256),
    ];
    let mut wanting = 0;
    let mut rows = Vec::new();
    for owed in schedule.owed.iter().filter(|owed| scope.within.covers(owed.division)) {
        let due = LegalDay::of_unix_ms(scope.to.starts_unix_ms().saturating_add(owed.due_days * DAY_MS));
        let stands = stands(owed, handed_in, due, &scope);
        wanting += usize::from(stands.is_wanting);
        rows.push(of_report(owed, due, &stands));
    }
    let late = schedule.attested_days.map(|days| of_equipment(surveyed, days, &scope)).unwrap_or_default();
    wanting += late.len();
    rows.extend(late);
    let notes = vec![words::NOTE_OWED, words::NOTE_TRACE, words::NOTE_UNKNOWN, words::NOTE_CLOCK];
    (
        Sheet {
            report: "owed",
            title: words::REPORT_OWED,
            scope,
            columns,
            rows,
            notes,
            wrong: Vec::new(),
            files: Vec::new(),
            replaces: None,
        },
        wanting,
    )
}

fn stands<'v>(owed: &Owed, handed_in: &'v [Vouched], due: LegalDay, scope: &Scope) -> Stands<'v> {
    let of = Scope { within: owed.division, ..*scope };
    let is_it = |vouched: &&Vouched| {
        vouched.is_of(owed.report, &of)
            && vouched.made_unix_ms >= scope.to.starts_unix_ms()
            && owed.key.is_none_or(|key| key == vouched.by)
    };
    let all: Vec<&Vouched> = handed_in.iter().filter(is_it).collect();
    let corrects = |new: &Vouched, old: &Vouched| new.replaces == Some(old.sha256) && new.by == old.by;
    let in_force = || all.iter().filter(|old| !all.iter().any(|new| corrects(new, old)));
    let first = all.iter().min_by_key(|vouched| vouched.made_unix_ms).copied();
    let newest = in_force().max_by_key(|vouched| vouched.made_unix_ms).copied();
    let made = first.map_or(scope.made_unix_ms, |vouched| vouched.made_unix_ms);
    let late_days = due.days_to(LegalDay::of_unix_ms(made)).max(0);
    let is_twice =
        newest.is_some_and(|newest| in_force().any(|other| other.rows_sha256 != newest.rows_sha256));
    let is_torn = all.iter().any(|new| new.replaces.is_some() && !all.iter().any(|old| corrects(new, old)));
    let is_open = !scope.is_preliminary() && newest.is_some_and(Vouched::is_preliminary);
    let what = match (first, late_days) {
        (Some(_), _) if is_twice => words::OWED_TWICE,
        (Some(_), _) if is_torn => words::OWED_TORN,
        (Some(_), _) if is_open => words::OWED_PRELIMINARY,
        (Some(_), 0) => words::OWED_ON_TIME,
        (Some(_), _) => words::OWED_LATE,
        (None, 0) => words::OWED_NOT_DUE,
        (None, _) => words::OWED_MISSING,
    };
    let is_wanting = late_days > 0 || is_twice || is_torn || is_open;
    Stands { what, first, newest, is_wanting, late_days }
}

fn of_report(owed: &Owed, due: LegalDay, stands: &Stands<'_>) -> Row {
    let made = |vouched: &Vouched| Cell::Day(LegalDay::of_unix_ms(vouched.made_unix_ms));
    let corrected = stands.newest.filter(|newest| newest.replaces.is_some());
    let cells = vec![
        Cell::Text(owed.report.to_owned()),
        Cell::Text(owed.division.to_string()),
        Cell::Unknown,
        Cell::Unknown,
        Cell::Unknown,
        Cell::Day(due),
        stands.first.map_or(Cell::Unknown, made),
        corrected.map_or(Cell::Unknown, made),
        Cell::Said(stands.what),
        Cell::Count(stands.late_days),
        stands.newest.map_or(Cell::Unknown, |vouched| Cell::Text(vouched.sha256.to_string())),
    ];
    Row { cells, rests: Rests::default() }
}

/// Equipment under a duty of which nothing new enough was attested. What was accepted as demolished owes nothing more, and what
/// has gone elsewhere owes it there.
fn of_equipment(surveyed: &Surveyed, days: i64, scope: &Scope) -> Vec<Row> {
    let end_unix_ms = scope.to.starts_unix_ms().min(scope.made_unix_ms);
    let due_unix_ms = end_unix_ms.saturating_sub(days.saturating_mul(DAY_MS));
    let due = LegalDay::of_unix_ms(due_unix_ms);
    let owes = |one: &&Equipment| one.last_day().is_some() && one.gone().is_none() && !one.has_left(scope);
    let late = surveyed.values().filter(owes).filter_map(|one| {
        let told = one.newest.as_ref();
        if told.is_some_and(|told| told.at_unix_ms >= due_unix_ms) {
            return None;
        }
        let received = told.map(|told| LegalDay::of_unix_ms(told.at_unix_ms));
        let mut cells = vec![Cell::Text("attestation".to_owned())];
        cells.extend(super::equipment(one));
        cells.extend([
            Cell::Day(due),
            received.map_or(Cell::Unknown, Cell::Day),
            Cell::Unknown,
            Cell::Said(if told.is_some() { words::OWED_LATE } else { words::OWED_MISSING }),
            received.map_or(Cell::Unknown, |day| Cell::Count(day.days_to(due))),
            Cell::Unknown,
        ]);
        Some(Row { cells, rests: Rests::on(told.map(|told| told.source)) })
    });
    late.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        evidence::{Ed25519, Signer as _},
        terms::{Digest, words::Language},
    };

    fn day(text: &str) -> LegalDay {
        LegalDay::parse(text).unwrap()
    }

    fn scope(made: &str) -> Scope {
        Scope {
            within: Division::parse("130000").unwrap(),
            from: day("2026-01-01"),
            to: day("2026-04-01"),
            made_unix_ms: day(made).starts_unix_ms(),
        }
    }

    fn vouched(made: &str, from: &str, bytes: &[u8]) -> Vouched {
        Vouched {
            report: "periodic".to_owned(),
            division: Division::parse("130400").unwrap(),
            from: day(from),
            to: day("2026-04-01"),
            made_unix_ms: day(made).starts_unix_ms(),
            sha256: Digest::of(format!("{made} {bytes:?}").as_bytes()),
            rows_sha256: Digest::of(bytes),
            replaces: None,
            by: key(1),
        }
    }

    fn key(seed: u8) -> PublicKey {
        Ed25519::from_seed(&[seed; 32]).public_key()
    }

    const SCHEDULE: &str = "[[owed]]\ndivision = \"130400\"\nreports = [\"periodic\"]\ndue_days = 15\n\
                            [[owed]]\ndivision = \"140000\"\nreports = [\"list\"]\ndue_days = 1\n";

    /// What is said of the one report, how late it is, and how many are wanting.
    fn told(handed_in: &[Vouched], made: &str) -> (String, String, usize) {
        let schedule = Schedule::parse("s.toml", SCHEDULE).unwrap();
        let (sheet, wanting) = sheet(&Surveyed::new(), &schedule, handed_in, scope(made));
        assert_eq!(sheet.rows.len(), 1, "the other division is another authority's");
        let shown = |at: usize| sheet.rows[0].cells[at].shown(Language::English);
        (shown(8), shown(9), wanting)
    }

    #[test]
    fn the_newest_that_says_what_it_replaces_is_in_force() {
        let schedule = Schedule::parse("s.toml", SCHEDULE).unwrap();
        let first = vouched("2026-04-10", "2026-01-01", b"a");
        let corrects = |old: &Vouched, new: Vouched| Vouched { replaces: Some(old.sha256), ..new };
        let second = corrects(&first, vouched("2026-04-25", "2026-01-01", b"b"));
        let third = corrects(&second, vouched("2026-04-30", "2026-01-01", b"c"));
        let told = |handed_in: &[Vouched]| {
            let (sheet, wanting) = sheet(&Surveyed::new(), &schedule, handed_in, scope("2026-05-01"));
            let shown = |at: usize| sheet.rows[0].cells[at].shown(Language::English);
            (shown(6), shown(7), shown(8), shown(10), wanting)
        };
        let row = |received: &str, corrected: &str, state: Words, of: &Vouched, wanting| {
            let (received, corrected) = (received.to_owned(), corrected.to_owned());
            (received, corrected, state.en.to_owned(), of.sha256.to_string(), wanting)
        };
        // In whatever order they come: who was on time and corrects it later was on time.
        let on_time = row("2026-04-10", "2026-04-30", words::OWED_ON_TIME, &third, 0);
        assert_eq!(told(&[first.clone(), second.clone(), third.clone()]), on_time);
        assert_eq!(told(&[third.clone(), first.clone(), second.clone(), second.clone()]), on_time);
        let once = row("2026-04-10", "2026-04-25", words::OWED_ON_TIME, &second, 0);
        assert_eq!(told(&[second.clone(), first.clone()]), once);
        // Two that correct one and the same are two.
        let other = corrects(&first, vouched("2026-04-26", "2026-01-01", b"d"));
        assert_eq!(told(&[first.clone(), second.clone(), other]).2, words::OWED_TWICE.en);
        // Both are kept: without the first nobody knows what was corrected.
        assert_eq!(told(std::slice::from_ref(&second)).2, words::OWED_TORN.en);
        assert_eq!(told(&[first.clone(), third]).2, words::OWED_TWICE.en);
        // What was made within fifteen days stands until they are over.
        assert_eq!(told(std::slice::from_ref(&first)).2, words::OWED_PRELIMINARY.en);
        let (early, wanting) =
            sheet(&Surveyed::new(), &schedule, std::slice::from_ref(&first), scope("2026-04-15"));
        assert_eq!(
            (early.rows[0].cells[8].shown(Language::English).as_str(), wanting),
            (words::OWED_ON_TIME.en, 0)
        );
        // Nobody corrects what another has signed.
        let stranger = Vouched { by: key(2), ..second };
        assert_eq!(told(&[first, stranger]).2, words::OWED_TWICE.en);
    }

    #[test]
    fn a_report_is_on_time_late_missing_or_there_twice() {
        let on_time = vouched("2026-04-16", "2026-01-01", b"a");
        let late = vouched("2026-04-18", "2026-01-01", b"b");
        let of_another_time = vouched("2026-04-02", "2025-10-01", b"c");
        let said = |words: Words, days: &str, wanting| (words.en.to_owned(), days.to_owned(), wanting);
        assert_eq!(told(std::slice::from_ref(&on_time), "2026-05-01"), said(words::OWED_ON_TIME, "0", 0));
        assert_eq!(told(std::slice::from_ref(&late), "2026-05-01"), said(words::OWED_LATE, "2", 1));
        assert_eq!(told(&[], "2026-04-16"), said(words::OWED_NOT_DUE, "0", 0));
        assert_eq!(told(&[of_another_time], "2026-04-20"), said(words::OWED_MISSING, "4", 1));
        assert_eq!(
            told(&[on_time.clone(), on_time.clone()], "2026-05-01").2,
            0,
            "the same again is the same"
        );
        let anew = vouched("2026-04-20", "2026-01-01", b"a");
        assert_eq!(told(&[on_time.clone(), anew], "2026-05-01").2, 0, "the same made anew is the same");
        assert_eq!(told(&[on_time.clone(), late], "2026-05-01"), said(words::OWED_TWICE, "0", 1));
        // What was signed before its time had ended cannot contain it.
        let too_early = vouched("2026-03-31", "2026-01-01", b"e");
        assert_eq!(told(std::slice::from_ref(&too_early), "2026-05-01").0, words::OWED_MISSING.en);
        assert_eq!(told(&[too_early, on_time.clone()], "2026-05-01"), said(words::OWED_ON_TIME, "0", 0));
        // Another authority's word is none where the schedule names whose counts.
        let named = |seed| {
            let whose = format!("due_days = 15\nkey = \"{}\"\n", key(seed).to_base64());
            let schedule =
                Schedule::parse("s.toml", &SCHEDULE.replacen("due_days = 15\n", &whose, 1)).unwrap();
            let (_, wanting) =
                sheet(&Surveyed::new(), &schedule, std::slice::from_ref(&on_time), scope("2026-05-01"));
            wanting
        };
        assert_eq!((named(1), named(2)), (0, 1));
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (text, wrong) in [
            ("[[owed]]\ndivision = \"13\"\nreports = []\ndue_days = 1\n", "`division`"),
            ("[[owed]]\ndivision = \"130000\"\nreports = [\"perodic\"]\ndue_days = 1\n", "`reports`"),
            ("[[owed]]\ndivision = \"130000\"\nreports = [\"list\"]\n", "`due_days` is missing"),
            ("attested_day = 2\n", "did you mean `attested_days`?"),
        ] {
            let flaws = Schedule::parse("s.toml", text).unwrap_err();
            assert!(flaws.len() == 1 && flaws[0].to_string().contains(wrong), "{flaws:?}");
        }
    }
}
