//! `tap`: one configured meter, live: every poll with its time, its raw words and what they mean.

use std::{collections::BTreeMap, future::Future};

use serde::Serialize;

use super::{
    asker::Asker, exact::Exact, identify::IdentityJson, probe::report::register, screen::Screen, words,
};
use crate::{
    agent::{
        bus::{Dial, Got},
        config::Meter,
    },
    host::{Clock, Exit, Failure, out},
    metering::{Fault, Next, Quantity, Reading, Sample, Schedule},
    terms::{Stamp, time::LegalTime},
};

/// One poll for machines.
#[derive(Serialize)]
struct PollJson {
    unix_ms: i64,
    took_ms: Option<u32>,
    fault: Option<&'static str>,
    registers: Vec<BlockJson>,
    quantities: BTreeMap<&'static str, ValueJson>,
}

#[derive(Serialize)]
struct BlockJson {
    function: u8,
    at: u16,
    words: Vec<String>,
}

#[derive(Serialize)]
struct ValueJson {
    value: Exact,
    unit: &'static str,
}

/// Polls one meter as the agent does until told to stop; then the counters.
///
/// # Errors
/// Nothing answered all the time.
pub async fn tap(
    clock: &dyn Clock,
    dial: &dyn Dial,
    meter: &Meter,
    endpoint: &str,
    stop: impl Future<Output = ()>,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    screen.line(&words::tap_begins(screen.language, meter.id.as_str(), endpoint, meter.unit));
    let mut schedule = Schedule::new(vec![meter.point()], Vec::new(), clock.now().uptime_ms, 0);
    {
        let polling = poll(clock, dial, &mut schedule, screen);
        tokio::pin!(polling, stop);
        tokio::select! {
            biased;
            () = &mut stop => {}
            ended = &mut polling => ended?,
        }
    }
    let tally = schedule.tallies().next().map(|(_, tally)| *tally).unwrap_or_default();
    let counts: BTreeMap<&str, u64> = tally.counts().collect();
    let counted: Vec<String> = tally
        .counts()
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{word} {count}"))
        .collect();
    screen.line(&words::tap_counts(screen.language, &counted.join(", ")));
    screen.json_line(&counts)?;
    if tally.replies > 0 {
        return Ok(Exit::Done);
    }
    Err(Failure::new(Exit::Unreachable, words::tap_nothing(screen.language, meter.id.as_str(), endpoint)))
}

async fn poll(
    clock: &dyn Clock,
    dial: &dyn Dial,
    schedule: &mut Schedule,
    screen: &mut Screen<'_>,
) -> Result<(), Failure> {
    let mut asker = Asker::new(clock, dial, 0, 0);
    // Where nothing can be printed any more nobody sees it; how it ends is told at the end of the program.
    while !out::is_broken() {
        match schedule.next(clock.now().uptime_ms) {
            Next::WaitUntil(uptime_ms) => clock.sleep_until(uptime_ms).await,
            Next::Ask(ask) => {
                (asker.deadline_ms, asker.gap_ms) = (ask.deadline_ms, ask.gap_ms);
                let got = asker.ask(ask.unit, ask.question).await;
                let answer = got.as_ref().map(Got::reply).map_err(|fault| *fault);
                if answer.is_err_and(Fault::ends_link) {
                    schedule.on_link_lost();
                }
                for sample in schedule.on_answer(&clock.now(), answer) {
                    tell(&sample, screen)?;
                }
            }
        }
    }
    Ok(())
}

fn tell(sample: &Sample, screen: &mut Screen<'_>) -> Result<(), Failure> {
    match sample {
        Sample::Reading(reading) => {
            lines(reading).iter().for_each(|line| screen.line(line));
            screen.json_line(&json(reading))
        }
        Sample::Miss { at, fault, .. } => {
            let why = words::fault_words(screen.language, *fault);
            screen.line(&format!("{}  {why}", LegalTime(at.wall_unix_ms)));
            screen.json_line(&missed(at, *fault))
        }
        Sample::Identity { at, identity, .. } => {
            let identity = IdentityJson::of(identity);
            screen.line(&LegalTime(at.wall_unix_ms).to_string());
            identity.lines(screen.language).iter().for_each(|line| screen.line(line));
            screen.json_line(&identity)
        }
        Sample::IdentityMiss { at, fault, .. } => {
            let why = words::fault_words(screen.language, *fault);
            screen.line(&format!("{}  {why}", LegalTime(at.wall_unix_ms)));
            Ok(())
        }
        Sample::Plate { .. } | Sample::PlateMiss { .. } => Ok(()),
    }
}

fn lines(reading: &Reading) -> Vec<String> {
    let at = LegalTime(reading.at.wall_unix_ms);
    let mut lines = vec![format!("{at}  {} ms", reading.took_ms)];
    for (block, words) in reading.scan.blocks() {
        let words: Vec<String> = words.iter().map(|word| format!("{word:04X}")).collect();
        lines.push(format!("  {}: {}", register(block), words.join(" ")));
    }
    for (quantity, value) in values(reading) {
        lines.push(format!("  {:<16}{:>16} {}", quantity.word(), Exact(value), quantity.unit()));
    }
    lines
}

fn values(reading: &Reading) -> impl Iterator<Item = (Quantity, i64)> {
    Quantity::ALL.iter().filter_map(|quantity| Some((*quantity, reading.value(*quantity)?)))
}

fn json(reading: &Reading) -> PollJson {
    let blocks = reading.scan.blocks().map(|(block, words)| BlockJson {
        function: block.function.code(),
        at: block.at,
        words: words.iter().map(|word| format!("0x{word:04X}")).collect(),
    });
    let value = |(quantity, value): (Quantity, i64)| {
        (quantity.word(), ValueJson { value: Exact(value), unit: quantity.unit() })
    };
    PollJson {
        unix_ms: reading.at.wall_unix_ms,
        took_ms: Some(reading.took_ms),
        fault: None,
        registers: blocks.collect(),
        quantities: values(reading).map(value).collect(),
    }
}

fn missed(at: &Stamp, fault: Fault) -> PollJson {
    PollJson {
        unix_ms: at.wall_unix_ms,
        took_ms: None,
        fault: Some(fault.word()),
        registers: Vec::new(),
        quantities: BTreeMap::new(),
    }
}
