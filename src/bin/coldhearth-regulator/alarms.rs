//! `alarm list|ack|shelve|unshelve|retire|restore|log|kpi`: the desk's alarms, and what was done about them.

use clap::{Args, Subcommand};
use coldhearth::{
    host::{Clock as _, Exit, Failure, SystemClock},
    regulator::{
        alarms::{
            self, AlarmId, Deed, Entry, Hand, Kind, Priority, Refused,
            kpi::Kpi,
            log::PAGE,
            notice::{alarm_json, alarm_line},
        },
        store::AlarmsAsked,
    },
    terms::{
        LegalDay,
        place::Division,
        time::{self, LegalTime},
        words::{self, Language},
    },
};
use serde_json::json;

use crate::{say, serve::Home, store::day};

/// Who does it, and why: both stand in the signed log.
#[derive(Args)]
pub(crate) struct Done {
    /// Alarms, as `alarm list` shows them
    #[arg(required = true, value_name = "ALARM", value_parser = id)]
    alarms: Vec<AlarmId>,
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
        for alarm in &page {
            rings |= alarm.rings_above();
            say(&if as_json { alarm_json(alarm).to_string() } else { alarm_line(alarm, language) });
        }
    }
    Ok(if rings { Exit::Negative } else { Exit::Done })
}

fn act(done: &Done, deed: Deed) -> Result<Exit, Failure> {
    let Done { alarms, who, why, home } = done;
    let hand = Hand::at_shell(who, why)
        .ok_or_else(|| Failure::new(Exit::Usage, "--who and --why: 1 to 190 characters each, on one line"))?;
    let now_unix_ms = SystemClock::default().now().wall_unix_ms;
    let (mut store, signer) = (home.store_that_is_there()?, home.signer()?);
    let told = alarms::act(&mut *store, &*signer, alarms, (deed, &hand), now_unix_ms)?;
    let language = Language::of_locale(&std::env::var("LANG").unwrap_or_default());
    let mut refused = Vec::new();
    for (id, told) in &told {
        match told {
            Ok(alarm) => say(&alarm_line(alarm, language)),
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

fn kind(text: &str) -> Result<Kind, String> {
    Kind::from_word(text)
        .ok_or_else(|| format!("one of {} is expected", Kind::ALL.map(Kind::word).join(", ")))
}

pub(crate) fn division(text: &str) -> Result<Division, String> {
    Division::parse(text)
        .ok_or_else(|| "six digits of GB/T 2260 are expected, 000000 for the nation".to_owned())
}

fn moment(text: &str) -> Result<i64, String> {
    time::moment(text).ok_or_else(|| "a time like 2026-11-30T08:00:00+08:00 is expected".to_owned())
}
