//! PURE file. What alarms are told by a wider one: silence by an outage, and a finding by the violation that its later record
//! has latched. What else is known of a furnace, a meter or a rule is told whatever happens besides.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ahead::{Ahead, Time},
    alarm::Alarm,
    cause::Cause,
    outage::Heard,
    state::{Event, Hush},
};
use crate::terms::{
    Digest, GatewayId,
    place::{Division, Level},
};

/// Whoever is heard so long after an outage was raised was back, in milliseconds: half an hour.
pub(super) const LATER_MS: i64 = 1_800_000;

/// Alarms that tell of others.
#[derive(Debug, Default)]
pub(super) struct Wider {
    /// Divisions of which an outage is told, and since when, Unix milliseconds.
    out: BTreeMap<Division, i64>,
    /// Gateways behind which a latch is closed.
    convicted: BTreeSet<GatewayId>,
    /// The records that closed one.
    latched: BTreeSet<(GatewayId, Digest)>,
}

impl Wider {
    pub(super) fn of<'a>(alarms: impl Iterator<Item = &'a Alarm>, ahead: &Ahead) -> Wider {
        let mut wider = Wider::default();
        for Alarm { id, about, raised_unix_ms, record, .. } in
            alarms.filter(|alarm| alarm.state.life.is_standing())
        {
            if about.cause == Cause::Outage {
                wider.out.insert(about.division, ahead.of(Time::Raised(*id), *raised_unix_ms));
            }
            if let (Cause::Violation, Some(gateway)) = (about.cause, about.gateway) {
                wider.convicted.insert(gateway);
                wider.latched.extend(record.map(|record| (gateway, record)));
            }
        }
        wider
    }

    /// Divisions of which an outage is told.
    pub(super) fn places(&self) -> BTreeSet<Division> {
        self.out.keys().copied().collect()
    }

    /// Whether a latch is closed behind a gateway: its silence is told whatever else is silent.
    pub(super) fn convicts(&self, gateway: GatewayId) -> bool {
        self.convicted.contains(&gateway)
    }

    /// Whether a gateway was heard [`LATER_MS`] after the outage of its division was raised, or later still.
    pub(super) fn is_later(&self, heard: &Heard) -> bool {
        let raised = Level::ALL.into_iter().filter_map(|level| self.out.get(&heard.division.at(level)));
        raised.min().is_some_and(|raised| heard.heard_unix_ms >= raised.saturating_add(LATER_MS))
    }

    /// Those of a fleet. Where many of them fall silent again that is the outage, too.
    pub(super) fn later(&self, fleet: &[Heard]) -> Vec<Heard> {
        fleet.iter().filter(|heard| self.is_later(heard)).copied().collect()
    }

    /// Whether an alarm begins, or ceases, to be told by a wider one.
    pub(super) fn inhibition(&self, alarm: &Alarm, ahead: &Ahead) -> Option<Event> {
        match (alarm.state.hush, self.tells(alarm, ahead)) {
            (Hush::Open, true) => Some(Event::Inhibit),
            (Hush::Suppressed, false) => Some(Event::Release),
            (Hush::Suppressed, true) | (Hush::Open, false) | (Hush::Shelved | Hush::OutOfService, _) => None,
        }
    }

    fn tells(&self, alarm: &Alarm, ahead: &Ahead) -> bool {
        let raised_unix_ms = ahead.of(Time::Raised(alarm.id), alarm.raised_unix_ms);
        let about = &alarm.about;
        let above = || Level::ALL.into_iter().map(|level| about.division.at(level));
        match about.cause {
            // What was raised while the outage stood was found to be a matter of its own.
            Cause::Silent => {
                !about.gateway.is_some_and(|gateway| self.convicts(gateway))
                    && above().any(|at| self.out.get(&at).is_some_and(|since| raised_unix_ms <= *since))
            }
            Cause::Outage => above().any(|at| at != about.division && self.out.contains_key(&at)),
            Cause::EliminatedDraws => about
                .gateway
                .zip(alarm.record)
                .is_some_and(|the_very_record| self.latched.contains(&the_very_record)),
            Cause::Violation
            | Cause::LatchedElsewhere
            | Cause::CutViolated
            | Cause::FedBehindCut
            | Cause::Unreachable
            | Cause::NeverHeard
            | Cause::Untold
            | Cause::NoEvidence
            | Cause::Indeterminate
            | Cause::Gap
            | Cause::Tamper
            | Cause::Fork
            | Cause::ForeignAct
            | Cause::PlateEdited
            | Cause::Rollback
            | Cause::MeterTwice
            | Cause::RatingEdited
            | Cause::MeterFault
            | Cause::DiskFull
            | Cause::JournalDamaged
            | Cause::CertificateExpiring
            | Cause::LastGasp
            | Cause::Oversized
            | Cause::ClockStepped
            | Cause::PlateUnreadable
            | Cause::PlateDiffers
            | Cause::NotOnRoster
            | Cause::Undetermined
            | Cause::Reconcile
            | Cause::Transfer
            | Cause::PlaceChanged
            | Cause::ListedTwice => false,
        }
    }
}
