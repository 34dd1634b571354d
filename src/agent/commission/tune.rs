//! `tune`: how a meter wants to be asked, measured, as lines to paste. Under a minute, and in a bounded number of reads.

pub mod tuner;

use std::sync::Arc;

use serde::Serialize;

use self::tuner::{Proposal, Tuner};
use super::{
    asker::Asker,
    explore::{Questions, What},
    library::Library,
    scan::{Way, cannot_open, nothing_at},
    screen::Screen,
    words,
};
use crate::{
    host::{Clock, Exit, Failure},
    metering::{Block, Fault, Plan, Profile},
};

/// The measurement ends after this time with what it has, in milliseconds.
pub const BUDGET_MS: u64 = 50_000;
/// Places tried until one answers.
const MAX_TRIED: usize = 24;
/// Unanswered questions after which the meter counts as silent.
const SILENT_AFTER: usize = 3;

/// The measurement for machines.
#[derive(Serialize)]
struct Report {
    endpoint: String,
    unit: u8,
    requests: usize,
    measured: Proposal,
    lines: String,
}

/// Measures one meter and proposes how to ask it.
///
/// # Errors
/// Nothing answered, or too little to propose anything.
pub async fn tune(
    clock: &dyn Clock,
    library: &Library,
    way: &Way<'_>,
    (unit, profile): (u8, Option<Arc<Profile>>),
    deadline_ms: u32,
    screen: &mut Screen<'_>,
) -> Result<Exit, Failure> {
    let language = screen.language;
    let began = clock.now().uptime_ms;
    let mut asker = Asker::new(clock, way.dial, deadline_ms, tuner::CALM_MS);
    let places = match &profile {
        Some(profile) => Plan::of(profile).map(|plan| plan.blocks.to_vec()).unwrap_or_default(),
        None => Questions::of(&library.profiles).first().to_vec(),
    };
    screen.line(&words::tune_begins(language, BUDGET_MS / 1_000));
    let starts = answering(&mut asker, unit, &places).await;
    let Some(mut tuner) = Tuner::new(starts) else {
        return Err(match asker.hindrance() {
            Some((error, _)) => cannot_open(&way.endpoint, error, language),
            None => nothing_at(&way.endpoint, unit, &What::Silent, language),
        });
    };
    while let Some(step) = tuner.next() {
        if clock.now().uptime_ms.saturating_sub(began) >= BUDGET_MS {
            screen.line(&words::tune_out_of_time(language));
            break;
        }
        asker.gap_ms = step.gap_ms;
        let answer = asker.registers(unit, step.block).await.map(|_| ());
        tuner.on_answer(answer, asker.took_ms());
    }
    let Some(measured) = tuner.proposal() else {
        return Err(Failure::new(Exit::Retry, words::tune_too_little(language)));
    };
    // A limit under which some map cannot be read at all is no line to paste.
    let is_enough = |profile: &Arc<Profile>| {
        Plan::is_possible(&Profile { max_regs: measured.max_regs, ..(**profile).clone() })
    };
    let enough = match &profile {
        Some(profile) => is_enough(profile),
        None => library.profiles.iter().all(is_enough),
    };
    let report = Report {
        endpoint: way.endpoint.clone(),
        unit,
        requests: asker.asked(),
        lines: words::tune_lines(language, &measured, enough),
        measured,
    };
    screen.line(&words::tune_measured(language, &report.measured, report.requests));
    screen.line(&report.lines);
    screen.line(&words::reads_only(language));
    screen.object(&report)?;
    Ok(Exit::Done)
}

/// The places a meter answers at, as many as the measurement uses.
async fn answering(asker: &mut Asker<'_>, unit: u8, places: &[Block]) -> Vec<Block> {
    let (mut found, mut silent) = (Vec::new(), 0);
    for place in places.iter().take(MAX_TRIED) {
        match asker.registers(unit, *place).await {
            Ok(_) => found.push(*place),
            Err(Fault::Refused) => break,
            Err(fault) => silent += usize::from(fault.ends_link()),
        }
        if found.len() >= tuner::MAX_STARTS || found.is_empty() && silent >= SILENT_AFTER {
            break;
        }
    }
    found
}
