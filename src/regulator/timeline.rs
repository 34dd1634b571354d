//! One line per change and per problem, for people. PURE file: turns what was seen into text.

mod cut;
mod law;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::{
    catalogue::{Phase, PlateSource},
    evidence::{
        Answer, Arrival, Body, LogId, Notice, Occasion, Presence, Record,
        follow::{Place, Seen},
    },
    judge::{
        BalanceFinding, Event, Finding, Interval, Measured, MeterTold, Outcome, Proof, SignFinding, State,
        StateFinding, Turn, Verdict,
    },
    terms::{
        AssetId, GatewayId, MilliWatts, WattHours,
        time::LegalTime,
        words::{self, Language},
    },
};

/// Gateways whose coming and going is remembered.
pub const MAX_GATEWAYS: usize = 100_000;

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// For the record.
    Plain,
    /// Lawful and good to know.
    Good,
    /// Doubt: somebody should look.
    Doubt,
    /// A violation, a fork, a forged message.
    Alarm,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it is meant.
    pub tone: Tone,
    /// What it says, without a line end.
    pub text: String,
}

/// The lines shown so far, as far as they decide what is news.
#[derive(Debug)]
pub struct Timeline {
    language: Language,
    /// The state last told of each piece of equipment.
    states: BTreeMap<(LogId, AssetId), State>,
    /// What was last told of each piece of equipment's standing before the law.
    laws: BTreeMap<(LogId, AssetId), law::Law>,
    /// The violation last told of each piece of equipment, with the state it was told with.
    violations: BTreeMap<(LogId, AssetId), State>,
    logs: BTreeSet<(GatewayId, LogId)>,
    waiting: BTreeSet<GatewayId>,
    links: BTreeMap<GatewayId, Presence>,
}

impl Timeline {
    /// An empty timeline in one language.
    pub fn new(language: Language) -> Timeline {
        Timeline {
            language,
            states: BTreeMap::new(),
            laws: BTreeMap::new(),
            violations: BTreeMap::new(),
            logs: BTreeSet::new(),
            waiting: BTreeSet::new(),
            links: BTreeMap::new(),
        }
    }

    /// The line for something seen; `None` when it is no news.
    pub fn on(&mut self, seen: &Seen) -> Option<Line> {
        match seen {
            // A receipt says nothing about the plant; a strange one changes nothing.
            Seen::Again | Seen::Receipt(_) | Seen::StrangeReceipt => None,
            Seen::Record(record, place) => self.on_record(record, *place),
            Seen::Fork { gateway, fork, .. } => {
                let place = if let Arrival::Fork { seq, .. } = fork { *seq } else { 0 };
                Some(Line {
                    tone: Tone::Alarm,
                    text: format!(
                        "{gateway}  FORK: two signed histories at record {place}; keep both messages as proof"
                    ),
                })
            }
            Seen::NotHeld { key, .. } => Some(Line {
                tone: Tone::Doubt,
                text: format!("too many messages wait for their key: one of key {key} was let go"),
            }),
            Seen::Refused(refusal) => Some(Line {
                tone: Tone::Alarm,
                text: format!("NOT VERIFIED: a message was refused: {refusal}"),
            }),
            Seen::Held { gateway, key } => {
                let first = self.waiting.insert(*gateway);
                let text = format!(
                    "{gateway}  waiting for what vouches for key {key}: its log's genesis, the rotation to it, or a \
                     receipt of an authority given with --trust"
                );
                first.then_some(Line { tone: Tone::Doubt, text })
            }
        }
    }

    /// The line for a gateway's birth or will: a hint, never evidence.
    pub fn on_link(&mut self, gateway: GatewayId, payload: &[u8]) -> Option<Line> {
        let presence = Presence::from_bytes(payload)?;
        if self.links.len() >= MAX_GATEWAYS && !self.links.contains_key(&gateway) {
            return None;
        }
        if self.links.insert(gateway, presence) == Some(presence) {
            return None;
        }
        let why = match presence.why {
            Occasion::Started => "started",
            Occasion::Stopped => "stopped",
            Occasion::Lost => "fell silent",
        };
        let (tone, word) = if presence.online { (Tone::Plain, "online") } else { (Tone::Doubt, "offline") };
        Some(Line { tone, text: format!("{gateway}  {word}: {why} (unsigned hint)") })
    }

    fn on_record(&mut self, record: &Record, place: Place) -> Option<Line> {
        let (tone, what) = self.line_of(record)?;
        let place = match place {
            Place::Proven => words::SIGNATURE_GOOD.in_language(self.language).to_owned(),
            Place::Amnesia(from, to) => {
                format!("signature valid; the gateway has lost {from} to {to}, which were seen here")
            }
            Place::Aside | Place::Forgotten | Place::TooFarAhead => {
                format!("{} (copy)", words::SIGNATURE_GOOD.in_language(self.language))
            }
            Place::Pending(from, to) => {
                format!("{} (missing {from} to {to})", words::PLACE_PENDING.in_language(self.language))
            }
        };
        let at = LegalTime(record.header.at.wall_unix_ms);
        let (gateway, seq) = (record.header.gateway, record.header.seq);
        Some(Line { tone, text: format!("{at}  {gateway}  {what}  [#{seq} {place}]") })
    }

    fn line_of(&mut self, record: &Record) -> Option<(Tone, String)> {
        Some(match &record.body {
            Body::Genesis(genesis) => {
                if !self.logs.insert((record.header.gateway, record.header.log)) {
                    return None;
                }
                (Tone::Plain, format!("log {} begins, {}", record.header.log, genesis.software))
            }
            Body::Boot(boot) => {
                let what = if boot.machine_rebooted {
                    "agent started after a boot of the machine"
                } else {
                    "agent started"
                };
                (Tone::Plain, format!("{what}, boot {}", record.header.at.boot))
            }
            Body::Skip { from, to } => (Tone::Plain, format!("records {from} to {to} were never used")),
            Body::Gap(_)
            | Body::Rollback(_)
            | Body::Act(_)
            | Body::Answer(_)
            | Body::Notice(_)
            | Body::Commissioned(_) => log_line(&record.body, self.language)?,
            Body::Rotation(_) | Body::Checkpoint(_) => return None,
            Body::Finding(Finding::Interval(interval)) => (Tone::Doubt, interval_line(interval)?),
            Body::Finding(Finding::Event(Event::Hold(_))) => return None,
            Body::Finding(Finding::Event(event)) => event_line(event, self.language),
            Body::Finding(Finding::Transition(step)) => cut::transition_line(step, self.language),
            Body::Finding(Finding::State(found)) => {
                self.states.insert((record.header.log, found.asset), found.state);
                (state_tone(found.state), self.state_line(found))
            }
            Body::Finding(Finding::Verdict(verdict)) => self.verdict_line(record, verdict)?,
        })
    }

    fn state_line(&self, found: &StateFinding) -> String {
        let mut line = format!("{} {}: ", found.asset, found.meter);
        line.push_str(&found.state.sentence(found.words(), self.language));
        if found.is_cooling {
            let _infallible = write!(line, " ({})", words::COOLING_DOWN.in_language(self.language));
        }
        let _infallible = match found.power {
            Some(Measured::Is(power)) => {
                let (limit, floor) = (Watts(found.limit), Watts(found.floor));
                write!(line, ", {} (limit {limit}, blind below {floor})", Watts(power))
            }
            Some(Measured::UpTo(floor)) => {
                let said = words::NOT_MEASURABLE_UP_TO.in_language(self.language);
                write!(line, ", {said} {} (limit {})", Watts(floor), Watts(found.limit))
            }
            None => Ok(()),
        };
        match found.proof {
            Some(Proof::Power { from, .. }) => {
                let _infallible = write!(line, ", by power since {}", LegalTime(from.wall_unix_ms));
            }
            Some(Proof::Energy(excess)) => {
                let (moved, bound) = (Energy(excess.moved), Energy(excess.bound));
                let from = LegalTime(excess.from.wall_unix_ms);
                let _infallible = write!(line, ", by the register: {moved} since {from}, {bound} allowed");
            }
            Some(Proof::Demand { from, demand, .. }) => {
                let (from, demand) = (LegalTime(from.wall_unix_ms), Watts(demand));
                let _infallible = write!(
                    line,
                    ", by the meter's maximum demand: {demand} for a quarter of an hour since {from}"
                );
            }
            Some(Proof::BackFeed { from }) => {
                let _infallible = write!(line, ", by voltage since {}", LegalTime(from.wall_unix_ms));
            }
            None => {}
        }
        line
    }

    fn verdict_line(&mut self, record: &Record, verdict: &Verdict) -> Option<(Tone, String)> {
        let key = (record.header.log, verdict.asset);
        let told = self.states.insert(key, verdict.state);
        let law = law::law_of(verdict);
        let is_news = self.laws.insert(key, law) != Some(law);
        let Some(since) = verdict.violation_since_unix_ms else {
            if self.violations.remove(&key).is_some() {
                let what = format!("{}: latch opened by the authority", verdict.asset);
                return Some((Tone::Plain, what));
            }
            // The feeder's own line has said the state already, unless we came too late to hear it.
            let state = (told != Some(verdict.state)).then(|| verdict.sentence(self.language));
            let law = law::standing_words(verdict, self.language).filter(|_| is_news);
            let said: Vec<String> = [state, law].into_iter().flatten().collect();
            // Before the deadline drawing is information.
            let tone = match (verdict.state, verdict.phase) {
                (State::Drawing, Some(Phase::PreDeadline)) => Tone::Plain,
                (State::Energised | State::Dead, _) if !verdict.is_rest() => Tone::Plain,
                (state, _) => state_tone(state),
            };
            return (!said.is_empty()).then(|| (tone, format!("{}: {}", verdict.asset, said.join("; "))));
        };
        let before = self.violations.insert(key, verdict.state);
        if before == Some(verdict.state) {
            return None;
        }
        let words = if before.is_some() { words::LATCHED } else { words::VIOLATION };
        let law =
            law::standing_words(verdict, self.language).map_or_else(String::new, |law| format!("; {law}"));
        let what = format!(
            "{}: {} (now {}; since {}; {} since then{law})",
            verdict.asset,
            words.in_language(self.language),
            verdict.sentence(self.language),
            LegalTime(since),
            Energy(verdict.energy_overdue)
        );
        Some((Tone::Alarm, what))
    }
}

fn state_tone(state: State) -> Tone {
    match state {
        State::Drawing | State::Exporting | State::Masked(_) | State::Unknown(_) => Tone::Doubt,
        State::Auxiliary => Tone::Plain,
        State::Energised | State::Dead => Tone::Good,
    }
}

fn interval_line(interval: &Interval) -> Option<String> {
    let unaccounted_s = interval.shares.unaccounted_ms() / 1_000;
    // The first seconds of a feeder have nothing before them to compare with.
    (unaccounted_s > 30).then(|| {
        let (from, to) = (LegalTime(interval.start.wall_unix_ms), LegalTime(interval.end.wall_unix_ms));
        let bound = Energy(interval.bound);
        format!("{}: evidence missing for {unaccounted_s} s between {from} and {to}, up to {bound} could have passed", interval.asset)
    })
}

fn event_line(event: &Event, language: Language) -> (Tone, String) {
    match event {
        Event::ClockStepped { by_ms } => {
            (Tone::Doubt, format!("the gateway's clock was moved by {by_ms} ms"))
        }
        Event::Sign(found) => sign_line(found, language),
        Event::Hold(note) => (Tone::Plain, format!("{}: order {} holds", note.asset, note.order)),
        Event::Reconcile(day) => cut::day_line(day, language),
        Event::Dark(told) => cut::dark_line(told, language),
        Event::FedBehindCut { order, asset, meter } => cut::fed_line(*order, *asset, *meter, language),
        Event::Balance(found) => balance_line(found),
        Event::Register(event) => {
            let (before, after) = (Energy(event.before.register.energy), Energy(event.after.register.energy));
            (
                Tone::Doubt,
                format!("{}: energy register {} from {before} to {after}", event.meter, event.what.word()),
            )
        }
        Event::Meter(told) => meter_line(told),
        Event::Plate(read) => {
            let lines = read.plate.attributes().len();
            match read.before {
                None if read.source == PlateSource::Declared => {
                    (Tone::Plain, format!("{}: nameplate declared, {lines} lines", read.asset))
                }
                Some(_) if read.source == PlateSource::Declared => {
                    (Tone::Doubt, format!("{}: another NAMEPLATE DECLARED, {lines} lines", read.asset))
                }
                None => (Tone::Plain, format!("{}: nameplate read, {lines} lines", read.asset)),
                Some(_) => (Tone::Doubt, format!("{}: NAMEPLATE CHANGED, now {lines} lines", read.asset)),
            }
        }
        Event::PlateUnreadable { asset, why } => {
            (Tone::Doubt, format!("{asset}: nameplate cannot be read ({why})"))
        }
        Event::PlateDiffers { asset, difference } => {
            (Tone::Doubt, law::difference_line(*asset, difference, language))
        }
        Event::ClassChanged(change) => (Tone::Alarm, law::class_change_line(change, language)),
        Event::DeadlineWarning(warning) => (Tone::Doubt, law::warning_line(warning, language)),
        Event::PermitUsed { asset, used } => {
            (Tone::Plain, format!("{asset}: {} drawn under permit {}", Energy(used.used), used.permit))
        }
        Event::NotOnRoster { asset, entry, version } => {
            (Tone::Doubt, law::missing_line(*asset, *entry, *version, language))
        }
    }
}

fn meter_line(told: &MeterTold) -> (Tone, String) {
    let serial =
        told.after.serial.map_or_else(|| "serial not told".to_owned(), |serial| format!("serial {serial}"));
    let paper = told.permit.map_or_else(String::new, |permit| format!(", by permit {permit}"));
    match told.before {
        None => (Tone::Plain, format!("{}: the meter tells who it is, {serial}", told.meter)),
        Some(_) => {
            (Tone::Doubt, format!("{}: METER CHANGED, now {serial}{paper}; a new series begins", told.meter))
        }
    }
}

fn sign_line(found: &SignFinding, language: Language) -> (Tone, String) {
    let what = format!("{} at {}", found.asset, found.meter);
    match found.turn {
        Turn::Begins => {
            let tone = if found.sign.is_strong() { Tone::Alarm } else { Tone::Doubt };
            (tone, format!("{what}: {}", found.sign.sentence(language)))
        }
        Turn::Over | Turn::Undone | Turn::Permitted | Turn::Reset => {
            let said = found.sign.words().in_language(language);
            (Tone::Plain, format!("{what}: {said}: {}", found.turn.word()))
        }
    }
}

fn balance_line(found: &BalanceFinding) -> (Tone, String) {
    let (residual, error) = (Energy(found.residual), Energy(found.error));
    let blind = found.blind.watts() / 1_000;
    let tone = if found.outcome == Outcome::Residual { Tone::Doubt } else { Tone::Plain };
    let doubt = if let Outcome::Unknown(why) = found.outcome { why.word() } else { "" };
    let what = format!(
        "balance {}: {} {doubt}: {residual} left over, {error} explained; {blind} kW could hide",
        found.group,
        found.outcome.word()
    );
    (tone, what.replace(" :", ":"))
}

/// What happened to the log itself, or between gateway and authority.
fn log_line(body: &Body, language: Language) -> Option<(Tone, String)> {
    Some(match body {
        Body::Gap(gap) => {
            let (first, last) = (gap.dropped.first()?.from, gap.dropped.last()?.to);
            let why = gap.why.word();
            (Tone::Doubt, format!("records between {first} and {last} were dropped ({why}), declared"))
        }
        Body::Rollback(rollback) => {
            let receipted = rollback.receipted;
            let what = format!(
                "ROLLED BACK: log {} was receipted up to {}; what the gateway had left of it ends at {}",
                receipted.log,
                receipted.seq,
                rollback.local.map_or_else(|| "nothing".to_owned(), |(seq, _)| seq.to_string())
            );
            (Tone::Alarm, what)
        }
        Body::Act(act) => {
            let on = act.asset.map_or_else(String::new, |asset| format!(" for {asset}"));
            (Tone::Plain, format!("act {} version {} ({}){on} taken", act.id, act.version, act.kind.word()))
        }
        Body::Answer(answer) => answer_line(answer)?,
        Body::Notice(notice) => notice_line(notice, language),
        Body::Commissioned(point) => {
            (Tone::Plain, format!("{}: metering point commissioned, {}", point.meter, point.summary()))
        }
        Body::Genesis(_)
        | Body::Boot(_)
        | Body::Rotation(_)
        | Body::Skip { .. }
        | Body::Checkpoint(_)
        | Body::Finding(_) => return None,
    })
}

fn answer_line(answer: &Answer) -> Option<(Tone, String)> {
    let refused = answer.refused?;
    let which =
        answer.act.map_or_else(|| "an act".to_owned(), |(id, version)| format!("act {id} version {version}"));
    Some((Tone::Doubt, format!("{which} refused ({})", refused.word())))
}

fn notice_line(notice: &Notice, language: Language) -> (Tone, String) {
    let what = match notice {
        Notice::ReceiptRefused { why, count, .. } => {
            format!("{count} messages on the receipt's topic are none of the authority's ({why})")
        }
        Notice::Oversized { seq, length, limit } => {
            format!("record {seq} waits: {length} bytes, the broker takes {limit}")
        }
        Notice::DiskFull { lasted_ms } => format!("the gateway's disk was full for {} s", lasted_ms / 1_000),
        Notice::JournalDamaged { salvaged, lost } => {
            format!("the gateway's journal was damaged: {salvaged} records could be read, {lost} could not")
        }
        Notice::CertificateExpiring { days } => {
            format!("the gateway's certificate towards the broker ends in {days} days")
        }
        Notice::LastGasp => words::LAST_GASP.in_language(language).to_owned(),
        Notice::Stopping => return (Tone::Plain, words::STOPPING.in_language(language).to_owned()),
    };
    (Tone::Doubt, what)
}

/// Power for people.
struct Watts(MilliWatts);

impl std::fmt::Display for Watts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let watts = self.0.watts();
        if watts.abs() >= 1_000_000 {
            write!(f, "{}.{:02} MW", watts / 1_000_000, watts.abs() % 1_000_000 / 10_000)
        } else {
            write!(f, "{}.{} kW", watts / 1_000, watts.abs() % 1_000 / 100)
        }
    }
}

/// Energy for people.
struct Energy(WattHours);

impl std::fmt::Display for Energy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03} kWh", self.0.0 / 1_000, self.0.0.abs() % 1_000)
    }
}
