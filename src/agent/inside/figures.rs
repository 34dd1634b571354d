//! PURE file: a running agent in numbers, for Prometheus. What is not known has no sample: a missing reading is no zero, and
//! no last value either.

use std::collections::BTreeMap;

use super::status::{Meter, Status};
use crate::{
    host::exposition::{Exposition, Samples, thousandths},
    judge::cutoff::Rung,
};

/// Meters that have series of their own, in the order of their names; of those beyond only sums are told. With ten series a
/// meter that bounds what one agent can cost whoever scrapes it.
pub const MOST_METERS: usize = 1_000;
/// A reading older than this is no present value, in milliseconds: a minute is four scrapes.
pub const PRESENT_MS: u64 = 60_000;

/// Every word a state can have.
const STATES: [&str; 7] = ["drawing", "exporting", "masked", "unknown", "auxiliary", "energised", "dead"];

/// Everything in the text format of Prometheus.
pub fn exposition(status: &Status) -> String {
    let mut page = Exposition::default();
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    page.gauge("build_info", "Which version this is", &[(&version[..], 1)]);
    page.gauge("healthy", "1 while the loop that judges turns", &[(&[], u8::from(status.healthy))]);
    let help = "1 while everything that is to be attested can be";
    page.gauge("ready", help, &[(&[], u8::from(status.ready))]);
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    status.reasons.iter().for_each(|reason| *codes.entry(&reason.code).or_default() += 1);
    page.gauge_by("not_ready_reasons", "What keeps it from that, by code", "code", codes.into_iter());
    let age_s = status.loop_age_ms / 1_000;
    page.gauge("loop_age_seconds", "Since the loop that judges turned last", &[(&[], age_s)]);
    clock(status, &mut page);
    journal(status, &mut page);
    plant(status, &mut page);
    let listed: Vec<&Meter> = status.meters.iter().take(MOST_METERS).collect();
    let help = "Meters that have no series of their own";
    page.gauge("meters_not_listed", help, &[(&[], status.meters.len().saturating_sub(MOST_METERS))]);
    meters(&listed, &mut page);
    page.into_text()
}

fn clock(status: &Status, page: &mut Exposition) {
    let quality = status.clock.quality.as_str();
    let known = ["ntp", "rtc", "none"].map(|word| (word, u8::from(word == quality)));
    page.gauge_by("clock_quality", "1 for what the clock is", "quality", known.into_iter());
    let error = status.clock.error_ms.map(|ms| (&[][..], thousandths(ms.into())));
    let error: Vec<(&[(&str, &str)], String)> = error.into_iter().collect();
    page.gauge("clock_error_seconds", "Bound of the clock's error, where there is one", &error);
}

fn journal(status: &Status, page: &mut Exposition) {
    let journal = &status.journal;
    let there = u8::from(status.broker.is_there);
    let help = "1 while the broker is there and has granted every subscription";
    page.gauge("broker_connected", help, &[(&[], there)]);
    page.gauge("log_places", "Places of the log that survive a power cut", &[(&[], journal.places)]);
    let help = "Places that the broker has not accepted yet";
    page.gauge("log_not_accepted", help, &[(&[], journal.not_accepted)]);
    let one = |value: Option<u64>| value.map(|value| (&[][..], value)).into_iter().collect::<Vec<_>>();
    let help = "Places without the authority's receipt";
    page.gauge("log_not_receipted", help, &one(journal.not_receipted));
    let age_s = journal.oldest_not_receipted_age_ms.map(|ms| ms / 1_000);
    let help = "Age of the oldest record without a receipt";
    page.gauge("log_oldest_not_receipted_seconds", help, &one(age_s));
    let help = "1 while the disk takes nothing";
    page.gauge("disk_full", help, &[(&[], u8::from(journal.disk_full))]);
    let help = "Room left on the disk of the state folder";
    page.gauge("disk_free_bytes", help, &one(journal.disk_free_bytes));
}

fn plant(status: &Status, page: &mut Exposition) {
    let (ok, failed) = ([("result", "ok")], [("result", "failed")]);
    let polls: &Samples<'_, u64> = &[(&ok, status.reads_ok), (&failed, status.reads_failed)];
    page.counter("polls_total", "Polls, by whether they gave a reading", polls);
    let took = &status.polls_took;
    let help = "How long polls that gave a reading took, first question to last answer";
    page.histogram_of_ms("poll_seconds", help, &took.upto_ms, &took.counts, took.sum_ms);
    let by_state =
        |words: Vec<&str>| STATES.map(|state| (state, words.iter().filter(|word| **word == state).count()));
    let meters = by_state(status.meters.iter().map(|meter| meter.state.as_str()).collect());
    page.gauge_by("meters", "Meters, by the state of their feeder", "state", meters.into_iter());
    let equipment = by_state(status.equipment.iter().map(|piece| piece.state.as_str()).collect());
    page.gauge_by("equipment", "Pieces of equipment, by their state", "state", equipment.into_iter());
    let latched = status.equipment.iter().filter(|piece| piece.violation_since_unix_ms.is_some()).count();
    page.gauge("violations_latched", "Pieces of equipment whose violation is latched", &[(&[], latched)]);
    let orders = Rung::ALL.map(|rung| {
        let stands = status.orders.iter().filter(|order| order.rung == rung.word());
        (rung.word(), stands.count())
    });
    page.gauge_by("orders", "Cut-off orders, by where they stand", "rung", orders.into_iter());
}

/// One series for each meter of which a value is known.
fn meters(meters: &[&Meter], page: &mut Exposition) {
    let is_present = |meter: &&Meter| {
        meter.failing.is_none() && meter.last_good_age_ms.is_some_and(|age_ms| age_ms < PRESENT_MS)
    };
    let ages = meters.iter().filter_map(|meter| Some((meter.id.as_str(), meter.last_good_age_ms? / 1_000)));
    let help = "Age of a meter's last good reading";
    page.gauge_by("meter_last_reading_age_seconds", help, "meter", ages);
    let power = meters.iter().copied().filter(is_present);
    let power = power.filter_map(|meter| Some((meter.id.as_str(), thousandths(meter.power_mw?))));
    let help = "Active power of a meter's present reading; none while there is none";
    page.gauge_by("meter_power_watts", help, "meter", power);
    let failing = meters.iter().map(|meter| (meter.id.as_str(), u8::from(meter.failing.is_some())));
    page.gauge_by("meter_failing", "1 while a meter's polls fail", "meter", failing);
    let signs = meters.iter().map(|meter| (meter.id.as_str(), meter.signs.len()));
    page.gauge_by("meter_signs", "Signs of tampering that stand at a meter", "meter", signs);
    let states = |meter: &&Meter| STATES.iter().copied().find(|state| *state == meter.state);
    let stands: Vec<[(&str, &str); 2]> = meters
        .iter()
        .filter_map(|meter| Some([("meter", meter.id.as_str()), ("state", states(meter)?)]))
        .collect();
    let stands: Vec<(&[(&str, &str)], u8)> = stands.iter().map(|labels| (&labels[..], 1)).collect();
    page.gauge("meter_state", "1 for the state of a meter's feeder", &stands);
    accounted(meters, page);
}

/// How today is accounted for, meter by meter.
fn accounted(meters: &[&Meter], page: &mut Exposition) {
    let parts = meters.iter().filter_map(|meter| Some((meter.id.as_str(), meter.today?)));
    let labelled: Vec<([(&str, &str); 2], i64)> = parts
        .flat_map(|(id, today)| {
            [
                ([("meter", id), ("account", "observed")], today.observed_ms / 1_000),
                ([("meter", id), ("account", "bridged")], today.bridged_ms / 1_000),
                ([("meter", id), ("account", "unaccounted")], today.unaccounted_ms / 1_000),
            ]
        })
        .collect();
    let samples: Vec<(&[(&str, &str)], i64)> =
        labelled.iter().map(|(labels, seconds)| (&labels[..], *seconds)).collect();
    page.gauge("meter_today_seconds", "How today is accounted for, by closed intervals", &samples);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Sign, State, Why};

    #[test]
    fn every_state_has_a_series() {
        for state in [
            State::Drawing,
            State::Exporting,
            State::Masked(Sign::Stuck),
            State::Unknown(Why::Silent),
            State::Auxiliary,
            State::Energised,
            State::Dead,
        ] {
            assert!(STATES.contains(&state.word()));
        }
    }
}
