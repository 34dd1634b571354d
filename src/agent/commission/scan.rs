//! `scan`: which meters are on a line.

use std::ops::RangeInclusive;

use serde::Serialize;

use super::{
    asker::{self, Asker},
    block::{self, Entry, Place},
    explore::{Candidate, Explorer, Questions, What},
    identify::{self, IdentityJson},
    library::Library,
    listen::{self, Ear, LISTEN_MS},
    screen::Screen,
    words,
};
use crate::{
    agent::bus::{Dial, Hindrance},
    host::{Clock, Exit, Failure, credentials::TlsFiles},
    terms::words::Language,
};

/// Unit numbers a meter can have (Modbus over serial line 1.02, 2.2).
pub const UNITS: RangeInclusive<u8> = 1..=247;
/// Ids that hang up in a row, nothing having answered, after which the rest is not asked.
const HUNG_UP_IDS: usize = 3;

/// One way to a line: an endpoint, how to connect to it, and how to listen where it is a serial line.
pub struct Way<'a> {
    /// As a person writes it.
    pub endpoint: String,
    /// Its framing's word.
    pub framing: &'static str,
    /// Connects.
    pub dial: &'a dyn Dial,
    /// Listens, where others may be speaking.
    pub ear: Option<&'a dyn Ear>,
    /// Files the configuration block must name.
    pub tls: Option<&'a TlsFiles>,
}

/// What to scan.
pub struct Orders<'a> {
    /// The ways to try: another one only when nothing at all answered by the one before.
    pub ways: &'a [Way<'a>],
    /// Units, in the order to ask them.
    pub ids: Vec<u8>,
    /// How long an answer may take, in milliseconds.
    pub deadline_ms: u32,
    /// Pause between questions, in milliseconds.
    pub gap_ms: u32,
    /// Whether what answers is also asked by functions 43 and 17 who it is.
    pub identify: bool,
}

/// What was found at one id.
#[derive(Clone, Debug)]
pub struct Found {
    /// The unit.
    pub unit: u8,
    /// What stands there.
    pub what: What,
    /// Not every question was asked.
    pub cut_short: bool,
    /// Who it says it is, where it was asked.
    pub identity: Option<IdentityJson>,
}

/// Reads `1-32` or `1,3,7-9`; `None` for anything else.
pub fn ids(text: &str) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u8, u8) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        if !UNITS.contains(&first) || !UNITS.contains(&last) || first > last {
            return None;
        }
        all.extend((first..=last).filter(|unit| !all.contains(unit)).collect::<Vec<_>>());
    }
    Some(all)
}

/// Scans, telling each id as it comes, then what was found, what could have been missed and a block to paste.
///
/// # Errors
/// Somebody else uses the line, or nothing answered.
pub async fn scan(
    clock: &dyn Clock,
    library: &Library,
    orders: &Orders<'_>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let questions = Questions::of(&library.profiles);
    let language = screen.language;
    let mut found = Vec::new();
    let mut used = None;
    for (turn, way) in orders.ways.iter().enumerate() {
        if turn > 0 {
            screen.line(&words::trying_rtu_over_tcp(language));
        }
        let (first, last) = (orders.ids.first().copied(), orders.ids.last().copied());
        let (first, last) = (first.unwrap_or(1), last.unwrap_or(1));
        screen.line(&words::scan_begins(language, &way.endpoint, first, last, library.profiles.len()));
        keep_quiet_first(clock, way, screen).await?;
        let of_way = ask_all(clock, way, &questions, orders, screen).await;
        let worth_another = of_way.iter().all(|id| matches!(id.what, What::Silent | What::Garbage(_)));
        // Of two ways without an answer the one that was asked for is told.
        if used.is_none() || !worth_another {
            (found, used) = (of_way, Some(way));
        }
        if !worth_another {
            break;
        }
    }
    let Some(way) = used else { return Err(Failure::new(Exit::Bug, "no way to scan by")) };
    let report = Report { way, orders, found: &found, profiles: library.profiles.len() };
    report.tell(screen);
    screen.object(&report.as_json(screen))?;
    report.exit(screen)
}

/// On a serial line listens before asking.
async fn keep_quiet_first(clock: &dyn Clock, way: &Way<'_>, screen: &mut Screen<'_>) -> Result<(), Failure> {
    let Some(ear) = way.ear else { return Ok(()) };
    screen.line(&words::listening(screen.language, LISTEN_MS / 1_000));
    let traffic = listen::listen(clock, ear, LISTEN_MS)
        .await
        .map_err(|e| cannot_open(&way.endpoint, &e, screen.language))?;
    if traffic.is_silence() {
        return Ok(());
    }
    let message = format!("{}: {}", way.endpoint, words::foreign_traffic(screen.language, &traffic));
    Err(Failure::new(Exit::Retry, message))
}

/// The endpoint cannot be opened at all: why, and what to do.
pub(super) fn cannot_open(endpoint: &str, error: &std::io::Error, language: Language) -> Failure {
    let cure = match Hindrance::of(error) {
        Some(hindrance) => hindrance.words().in_language(language).to_owned(),
        None => format!("{error}; {}", words::check_the_way(language)),
    };
    Failure::new(asker::exit_of(error), format!("{endpoint}: {cure}"))
}

/// One unit that was asked for does not answer: what was seen, why it matters, what to do.
pub(super) fn nothing_at(endpoint: &str, unit: u8, what: &What, language: Language) -> Failure {
    let message = words::nothing_answered(language, endpoint, what);
    Failure::new(Exit::Unreachable, format!("{message}\n{}", words::nobody_at(language, unit)))
}

async fn ask_all(
    clock: &dyn Clock,
    way: &Way<'_>,
    questions: &Questions,
    orders: &Orders<'_>,
    screen: &mut Screen<'_>,
) -> Vec<Found> {
    let mut asker = Asker::new(clock, way.dial, orders.deadline_ms, orders.gap_ms);
    let mut found: Vec<Found> = Vec::new();
    for unit in &orders.ids {
        let mut explorer = Explorer::new(questions);
        while let Some(block) = explorer.next() {
            let answer = asker.registers(*unit, block).await;
            explorer.on_answer(block, answer);
        }
        let what = explorer.what();
        screen.line(&format!("id {unit:<3} {}", words::what(screen.language, &what)));
        let cut_short = explorer.was_cut_short();
        let mut identity = None;
        if orders.identify && what.is_there() {
            let answers = explorer.answers().clone();
            let who = identify::more(&mut asker, *unit, (what.clone(), answers), None).await;
            let told = IdentityJson::of_who(&who);
            told.lines(screen.language).iter().for_each(|line| screen.line(line));
            identity = Some(told);
        }
        found.push(Found { unit: *unit, what, cut_short, identity });
        if is_hopeless(&found) {
            break;
        }
    }
    found
}

/// Nobody accepts connections, or only to hang up: no other id will fare better.
fn is_hopeless(found: &[Found]) -> bool {
    let hung_up = found.iter().all(|id| matches!(id.what, What::HungUp));
    found.iter().any(|id| matches!(id.what, What::Refused)) || hung_up && found.len() >= HUNG_UP_IDS
}

struct Report<'a> {
    way: &'a Way<'a>,
    orders: &'a Orders<'a>,
    found: &'a [Found],
    profiles: usize,
}

/// One id for machines.
#[derive(Serialize)]
struct IdJson {
    id: u8,
    what: &'static str,
    exception: Option<u8>,
    detail: String,
    candidates: Vec<CandidateJson>,
    cut_short: bool,
    identity: Option<IdentityJson>,
}

#[derive(Serialize)]
struct CandidateJson {
    profile: String,
    score: u8,
    tested: &'static str,
}

/// The whole scan for machines.
#[derive(Serialize)]
struct ReportJson<'a> {
    endpoint: &'a str,
    framing: &'static str,
    ids: Vec<IdJson>,
    meters: usize,
    could_have_missed: Vec<String>,
    /// To paste into `agent.toml`; empty where no meter was found.
    block: String,
}

impl Report<'_> {
    fn meters(&self) -> Vec<Entry<'_>> {
        self.found
            .iter()
            .filter_map(|id| match &id.what {
                What::Meter(candidates) => Some(Entry { unit: id.unit, candidates }),
                What::Silent
                | What::NobodyBehindGateway(_)
                | What::OnlyRefuses(_)
                | What::OnlyZeros
                | What::Garbage(_)
                | What::HungUp
                | What::Refused
                | What::Stranger => None,
            })
            .collect()
    }

    fn place(&self) -> Place<'_> {
        Place { endpoint: &self.way.endpoint, tls: self.way.tls }
    }

    fn others(&self) -> usize {
        self.found.iter().filter(|id| matches!(id.what, What::Stranger | What::OnlyRefuses(_))).count()
    }

    /// What this scan cannot have seen, one sentence each.
    fn missed(&self, screen: &Screen<'_>) -> Vec<String> {
        let asked: Vec<u8> = self.found.iter().map(|id| id.unit).collect();
        let outside: Vec<u8> = UNITS.filter(|unit| !asked.contains(unit)).collect();
        let language = screen.language;
        let mut missed =
            words::could_have_missed(language, &ranges(&outside), self.profiles, self.orders.deadline_ms);
        let cut: Vec<u8> = self.found.iter().filter(|id| id.cut_short).map(|id| id.unit).collect();
        if !cut.is_empty() {
            missed.push(words::cut_short(language, &ranges(&cut)));
        }
        missed
    }

    fn tell(&self, screen: &mut Screen<'_>) {
        let (language, meters) = (screen.language, self.meters());
        let asked = self.found.len();
        screen.line("");
        screen.line(&words::found(language, meters.len(), self.others(), asked, self.way.framing));
        for missed in self.missed(screen) {
            screen.line(&words::not_covered(language, &missed));
        }
        if !meters.is_empty() {
            screen.line("");
            screen.line(&words::paste_this(language));
            screen.line("");
            screen.line(block::block(self.place(), &meters, language).trim_end());
        }
    }

    fn as_json(&self, screen: &Screen<'_>) -> ReportJson<'_> {
        let language = screen.language;
        let of = |id: &Found| IdJson {
            id: id.unit,
            what: id.what.word(),
            exception: match id.what {
                What::NobodyBehindGateway(code) | What::OnlyRefuses(code) => Some(code),
                What::Silent
                | What::OnlyZeros
                | What::Garbage(_)
                | What::HungUp
                | What::Refused
                | What::Stranger
                | What::Meter(_) => None,
            },
            detail: words::what(language, &id.what),
            candidates: if let What::Meter(all) = &id.what {
                all.iter().map(|one| candidate(one, language)).collect()
            } else {
                Vec::new()
            },
            cut_short: id.cut_short,
            identity: id.identity.clone(),
        };
        let meters = self.meters();
        let block =
            if meters.is_empty() { String::new() } else { block::block(self.place(), &meters, language) };
        ReportJson {
            endpoint: &self.way.endpoint,
            framing: self.way.framing,
            ids: self.found.iter().map(of).collect(),
            meters: meters.len(),
            could_have_missed: self.missed(screen),
            block,
        }
    }

    /// 0 where a meter or a stranger answered, 1 where only an echo did, else the reason why nothing did.
    fn exit(&self, screen: &Screen<'_>) -> Result<Exit, Failure> {
        if !self.meters().is_empty() || self.others() > 0 {
            return Ok(Exit::Done);
        }
        if self.found.iter().any(|id| matches!(id.what, What::OnlyZeros)) {
            return Ok(Exit::Negative);
        }
        let worst = |what: &What| match what {
            What::Refused => 0,
            What::HungUp => 1,
            What::Garbage(_) => 2,
            What::NobodyBehindGateway(_) => 3,
            What::Silent | What::OnlyRefuses(_) | What::OnlyZeros | What::Stranger | What::Meter(_) => 4,
        };
        let telling = self.found.iter().map(|id| &id.what).min_by_key(|what| worst(what));
        let message = words::nothing_answered(
            screen.language,
            &self.orders.ways.first().unwrap_or(self.way).endpoint,
            telling.unwrap_or(&What::Silent),
        );
        Err(Failure::new(Exit::Unreachable, message))
    }
}

fn candidate(candidate: &Candidate, language: Language) -> CandidateJson {
    CandidateJson {
        profile: candidate.profile.id.to_string(),
        score: candidate.score,
        tested: candidate.profile.tested.words().in_language(language),
    }
}

/// Numbers as people write them: `1-3, 7`.
fn ranges(units: &[u8]) -> String {
    let mut runs: Vec<(u8, u8)> = Vec::new();
    for unit in units {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*unit) => *last = *unit,
            Some(_) | None => runs.push((*unit, *unit)),
        }
    }
    let text = |(first, last): &(u8, u8)| {
        if first == last { first.to_string() } else { format!("{first}-{last}") }
    };
    runs.iter().map(text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_written_as_people_write_them() {
        assert_eq!(ids("1-3"), Some(vec![1, 2, 3]));
        assert_eq!(ids("7, 1-3,2"), Some(vec![7, 1, 2, 3]));
        for wrong in ["", "0-3", "3-1", "248", "1-", "a"] {
            assert_eq!(ids(wrong), None, "{wrong}");
        }
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1-3, 7, 9-10");
    }
}
