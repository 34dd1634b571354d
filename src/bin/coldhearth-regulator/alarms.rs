//! `alarm list|ack|shelve|unshelve|retire|restore|reset|log|kpi`: the desk's alarms, and what was done about them.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use coldhearth::{
    host::{Clock as _, Exit, Failure, SystemClock},
    regulator::{
        alarms::{
            self, AlarmId, Deed, Entry, Hand, Kind, Priority, Refused,
            ending::{self, Unfit},
            kpi::Kpi,
            left,
            log::PAGE,
            notice::{alarm_json, alarm_line},
        },
        store::{AlarmsAsked, Store},
    },
    terms::{
        LegalDay,
        place::{self, Division},
        time::{self, LegalTime},
        words::{self, Language},
    },
};
use serde_json::json;

use crate::{acts::read, say, serve::Home, store::day};

/// Who does it, and why: both stand in the signed log.
#[derive(Args)]
pub(crate) struct Done {
    /// Alarms, as `alarm list` shows them
    #[arg(required = true, value_name = "ALARM", value_parser = id)]
    alarms: Vec<AlarmId>,
    /// The number of the alarm's last step that was seen, as `alarm list` shows it behind the alarm: once for each alarm, in their
    /// order. Nothing is done about what has happened since
    #[arg(long, value_name = "NUMBER", value_parser = step)]
    seen: Vec<u64>,
    /// Who does it
    #[arg(long, value_name = "NAME")]
    who: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    why: String,
    #[command(flatten)]
    home: Home,
}

#[derive(Subcommand)]
pub(crate) enum AlarmVerb {
    /// List alarms that are not over, the one raised last first; exit 1 when one is not acknowledged
    List {
        /// Only those of this division and below it, six digits of GB/T 2260
        #[arg(long, value_name = "CODE", value_parser = division, default_value = "000000")]
        division: Division,
        /// Only those of this kind: violation, evidence_missing, tamper, device_fault, rule_data
        #[arg(long, value_name = "KIND", value_parser = kind)]
        kind: Option<Kind>,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        home: Home,
    },
    /// Say that alarms were seen. A violation's latch stays closed: `order reset` opens it
    Ack(Done),
    /// Put alarms aside until a time, seven days ahead at most
    Shelve {
        #[command(flatten)]
        done: Done,
        /// Until when, RFC 3339: 2026-11-30T08:00:00+08:00
        #[arg(long, value_name = "TIME", value_parser = moment)]
        until: i64,
    },
    /// Take alarms back from the shelf before their time
    Unshelve(Done),
    /// Take alarms out of service until a time, thirty days ahead at most: of equipment that is being worked at. Of a violation,
    /// and of what may be tampering, it is refused
    Retire {
        #[command(flatten)]
        done: Done,
        /// Until when, RFC 3339: 2026-11-30T08:00:00+08:00
        #[arg(long, value_name = "TIME", value_parser = moment)]
        until: i64,
    },
    /// Take alarms back into service
    Restore(Done),
    /// End what a gateway that speaks no more was convicted of, by the authority's signed reset: the act as `act sign` prints it,
    /// with gateway, equipment and the log that convicts (`log_id`). Of a gateway that speaks use `order reset`
    Reset {
        /// The signed act, or `-` for standard input
        #[arg(value_name = "ACT")]
        act: PathBuf,
        /// Who hands it in
        #[arg(long, value_name = "NAME")]
        who: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        why: String,
        #[command(flatten)]
        home: Home,
    },
    /// Print the desk's signed log, one step a line
    Log {
        /// Only steps after this number
        #[arg(long, value_name = "NUMBER", default_value_t = 0)]
        after: u64,
        #[command(flatten)]
        home: Home,
    },
    /// How much was asked of whoever looks at alarms: raised by priority and kind, floods, escalations
    Kpi {
        /// The first day, YYYY-MM-DD
        #[arg(long, value_name = "DAY", value_parser = day)]
        from: LegalDay,
        /// The first day that counts no longer
        #[arg(long, value_name = "DAY", value_parser = day)]
        to: LegalDay,
        #[command(flatten)]
        home: Home,
    },
}

pub(crate) fn alarm(verb: &AlarmVerb) -> Result<Exit, Failure> {
    match verb {
        AlarmVerb::List { division, kind, json, home } => list(*division, *kind, *json, home),
        AlarmVerb::Ack(done) => act(done, Deed::Acknowledge),
        AlarmVerb::Shelve { done, until } => act(done, Deed::Shelve(*until)),
        AlarmVerb::Unshelve(done) => act(done, Deed::Unshelve),
        AlarmVerb::Retire { done, until } => act(done, Deed::Retire(*until)),
        AlarmVerb::Restore(done) => act(done, Deed::Restore),
        AlarmVerb::Reset { act, who, why, home } => reset(act, (who, why), home),
        AlarmVerb::Log { after, home } => print_log(*after, home),
        AlarmVerb::Kpi { from, to, home } => kpi(*from, *to, home),
    }
}

fn list(within: Division, kind: Option<Kind>, as_json: bool, home: &Home) -> Result<Exit, Failure> {
    let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
    let mut store = home.store_that_is_there()?;
    let (mut after, mut rings) = (None, false);
    loop {
        let page = store.alarms(&AlarmsAsked { kind, after, ..AlarmsAsked::all(within, PAGE) })?;
        let Some(last) = page.last() else { break };
        after = Some((last.raised_unix_ms, last.id));
        let left = left::left(&mut *store, page.iter())?;
        for alarm in &page {
            rings |= alarm.rings_above();
            let (is_left, step) = (left.contains(&alarm.id), last_step(&mut *store, alarm.id)?);
            say(&if as_json {
                alarm_json(alarm, is_left, step).to_string()
            } else {
                alarm_line(alarm, is_left, step, language)
            });
        }
    }
    Ok(if rings { Exit::Negative } else { Exit::Done })
}

/// The number of the newest step of an alarm; 0 of one that has none.
fn last_step(store: &mut dyn Store, id: AlarmId) -> Result<u64, Failure> {
    Ok(store.steps_of(id, u64::MAX, 1)?.first().map_or(0, |step| step.number))
}

/// When the step was taken that was seen of each alarm, Unix milliseconds. A number that is no step of it is as old as any.
fn seen(store: &mut dyn Store, done: &Done, deed: Deed) -> Result<Vec<(AlarmId, Option<i64>)>, Failure> {
    let Done { alarms, seen, .. } = done;
    let is_needed = match deed {
        Deed::Acknowledge | Deed::Shelve(_) | Deed::Retire(_) => true,
        Deed::Unshelve | Deed::Restore => false,
    };
    if seen.is_empty() && !is_needed {
        return Ok(alarms.iter().map(|id| (*id, None)).collect());
    }
    if seen.len() != alarms.len() {
        let what = "--seen NUMBER, once for each alarm and in their order: the number behind # in `alarm list`, so that nobody \
                    answers for what has happened since";
        return Err(Failure::new(Exit::Usage, what));
    }
    let mut all = Vec::with_capacity(alarms.len());
    for (id, number) in alarms.iter().zip(seen) {
        let found = store.steps_of(*id, number.saturating_add(1), 1)?;
        let step = found.first().filter(|step| step.number == *number);
        all.push((*id, Some(step.map_or(i64::MIN, |step| step.at_unix_ms))));
    }
    Ok(all)
}

fn act(done: &Done, deed: Deed) -> Result<Exit, Failure> {
    let Done { who, why, home, .. } = done;
    let hand = Hand::at_shell(who, why).ok_or_else(unfit_hand)?;
    let now_unix_ms = SystemClock::default().now().wall_unix_ms;
    let (mut store, signer) = (home.store_that_is_there()?, home.signer()?);
    let seen = seen(&mut *store, done, deed)?;
    let told = alarms::act(&mut *store, &*signer, &seen, (deed, &hand), now_unix_ms)?;
    let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
    let mut refused = Vec::new();
    for (id, told) in &told {
        match told {
            Ok(alarm) => {
                let is_left = alarm.state.life.is_standing() && left::is_left(&mut *store, &alarm.about)?;
                say(&alarm_line(alarm, is_left, last_step(&mut *store, *id)?, language));
            }
            Err(Refused::Unknown) => refused.push(format!("{id}: there is no such alarm, or it is over")),
            Err(Refused::Unfit(state)) => {
                refused.push(format!("{id}: {}", state.words().in_language(language)));
            }
            Err(Refused::Until) => {
                let most = if matches!(deed, Deed::Retire(_)) { "thirty" } else { "seven" };
                refused.push(format!("{id}: --until lies behind, or more than {most} days ahead"));
            }
            Err(Refused::Changed) => {
                refused.push(format!("{id}: {}", words::ALARM_CHANGED.in_language(language)));
            }
            Err(Refused::Again) => {
                refused.push(format!("{id}: {}", words::SHELVED_BEFORE.in_language(language)));
            }
            Err(Refused::Kept(kind)) => {
                let kind = kind.words().in_language(language);
                refused.push(format!("{id}: {kind}: {}", words::NEVER_RETIRED.in_language(language)));
            }
        }
    }
    if refused.is_empty() {
        return Ok(Exit::Done);
    }
    Err(Failure::new(Exit::Negative, refused.join("\n")))
}

fn reset(act: &Path, (who, why): (&str, &str), home: &Home) -> Result<Exit, Failure> {
    let hand = Hand::at_shell(who, why).ok_or_else(unfit_hand)?;
    let bytes = read(act)?;
    let now_unix_ms = SystemClock::default().now().wall_unix_ms;
    let (mut store, signer) = (home.store_that_is_there()?, home.signer()?);
    let unfit = match ending::end(&mut *store, &*signer, (bytes.trim_ascii(), &hand), now_unix_ms)? {
        Ok(alarms) => {
            let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
            for alarm in &alarms {
                say(&alarm_line(alarm, false, last_step(&mut *store, alarm.id)?, language));
            }
            return Ok(Exit::Done);
        }
        Err(unfit) => unfit,
    };
    let (exit, why) = match unfit {
        Unfit::NoAct => (Exit::Data, "it is no signed act; `act sign` makes one".to_owned()),
        Unfit::Foreign => (Exit::Data, "the authority did not sign it".to_owned()),
        Unfit::NoReset => (Exit::Data, "it is no reset of equipment".to_owned()),
        Unfit::Log(Some(log)) => {
            (Exit::Data, format!("it must name the log that convicts: \"log_id\": \"{log}\""))
        }
        Unfit::Log(None) => (Exit::Negative, "no log of that gateway convicts that equipment".to_owned()),
        Unfit::Early => (
            Exit::Negative,
            "it was signed before the last word of the log had arrived: it is of something else; sign another".to_owned(),
        ),
        Unfit::Late => (Exit::Negative, "it has expired; sign another".to_owned()),
        Unfit::Nothing => (Exit::Negative, "no alarm of it stands".to_owned()),
    };
    Err(Failure::new(exit, format!("{}: {why}", act.display())))
}

fn unfit_hand() -> Failure {
    Failure::new(Exit::Usage, "--who and --why: 1 to 190 characters each, on one line")
}

fn print_log(after: u64, home: &Home) -> Result<Exit, Failure> {
    let mut store = home.store_that_is_there()?;
    let mut from = Some(after);
    while let Some(after) = from.take() {
        for step in store.steps_after(after, PAGE)? {
            from = Some(step.number);
            say(&String::from_utf8_lossy(&step.bytes));
        }
    }
    Ok(Exit::Done)
}

fn kpi(first: LegalDay, end: LegalDay, home: &Home) -> Result<Exit, Failure> {
    let mut store = home.store_that_is_there()?;
    let (mut kpi, mut from) = (Kpi::default(), Some(0));
    while let Some(after) = from.take() {
        for kept in store.steps_after(after, PAGE)? {
            from = Some(kept.number);
            if (first.starts_unix_ms()..end.starts_unix_ms()).contains(&kept.at_unix_ms) {
                let entry = Entry::own(&kept.bytes).map_err(|why| {
                    Failure::new(Exit::Data, format!("step {} of the desk's log: {why}", kept.number))
                })?;
                kpi.on(&entry.step);
            }
        }
    }
    let by_priority: serde_json::Map<_, _> = Priority::ALL
        .into_iter()
        .map(|priority| {
            let raised = kpi.by_priority.get(&priority).copied().unwrap_or(0);
            let told = json!({ "raised": raised, "per_mille": kpi.part_per_mille(priority) });
            (priority.word().to_owned(), told)
        })
        .collect();
    let by_kind: serde_json::Map<_, _> =
        kpi.by_kind.iter().map(|(kind, raised)| (kind.word().to_owned(), json!(raised))).collect();
    let told = json!({
        "from": first.to_string(), "to": end.to_string(),
        "from_told": LegalTime(first.starts_unix_ms()).to_string(),
        "raised": kpi.raised(), "by_priority": by_priority, "by_kind": by_kind,
        "most_in_ten_minutes": kpi.most_in_a_window(), "floods": kpi.floods(),
        "escalated": kpi.escalated, "acknowledged": kpi.acknowledged, "shelved": kpi.shelved,
    });
    say(&told.to_string());
    Ok(Exit::Done)
}

fn id(text: &str) -> Result<AlarmId, String> {
    AlarmId::from_hex(text)
        .ok_or_else(|| "16 hexadecimal digits are expected, as `alarm list` shows them".to_owned())
}

fn step(text: &str) -> Result<u64, String> {
    text.trim_start_matches('#')
        .parse()
        .map_err(|_| "a number is expected, as `alarm list` shows it behind #".to_owned())
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::from_word(text)
        .ok_or_else(|| format!("one of {} is expected", Kind::ALL.map(Kind::word).join(", ")))
}

pub(crate) fn division(text: &str) -> Result<Division, String> {
    let meant = place::provinces_meant(text);
    match Division::parse(text) {
        Some(division) if meant.is_empty() => Ok(division),
        Some(_) => Err(place::no_such_province(&meant)),
        None => Err("six digits of GB/T 2260 are expected, 000000 for the nation".to_owned()),
    }
}

fn moment(text: &str) -> Result<i64, String> {
    time::moment(text).ok_or_else(|| "a time like 2026-11-30T08:00:00+08:00 is expected".to_owned())
}
