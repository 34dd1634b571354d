//! What a feeder says of itself: its state with what it rests on, and its intervals.

use super::{COOL_DOWN_MS, Feeder, MISSED_POLLS, SILENCE_MS, poll_ms};
use crate::{
    judge::{
        commission::VoltagePoint,
        cutoff::Seen,
        drawing::Proof,
        event::RegisterQuirk,
        floor::Measured,
        ledger::{Interval, Ledger},
        line,
        memory::Mark,
        sign::StandingSign,
        state::{State, Why},
        window::Window,
    },
    metering::{Identity, Quantity, Reading, Scan},
    terms::{
        AssetId, Digest, MeterId, MilliAmps, MilliVolts, MilliWatts, Stamp, WattHours,
        words::{self, Words},
    },
};

/// A change of a feeder's state, or a new proof of the same, with the readings it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFinding {
    /// Whose meter.
    pub meter: MeterId,
    /// The equipment it serves.
    pub asset: AssetId,
    /// What it is now.
    pub state: State,
    /// Since when.
    pub since: Stamp,
    /// Why it is judged to draw or to export, if it is.
    pub proof: Option<Proof>,
    /// It is within its allowances, and cooling down after it drew: a label, no grace.
    pub is_cooling: bool,
    /// Where the voltage is taken: what is behind the bus is not seen. Records of older versions do not say.
    pub voltage_point: Option<VoltagePoint>,
    /// The limit that was applied.
    pub limit: MilliWatts,
    /// What the meter cannot see.
    pub floor: MilliWatts,
    /// Power of the deciding reading, total.
    pub power: Option<Measured>,
    /// Power of each phase, where each is measured.
    pub phase_power: [Option<MilliWatts>; 3],
    /// Line voltages of the deciding reading.
    pub line_voltages: [Option<MilliVolts>; 3],
    /// Currents of the deciding reading.
    pub currents: [Option<MilliAmps>; 3],
    /// The register, as last read.
    pub mark: Option<Mark>,
    /// Signs of tampering that stand beside it, weak ones too. Mostly there are none, and then they take no room.
    pub signs: Box<[StandingSign]>,
    /// Fingerprint of the meter as it tells of itself.
    pub fingerprint: Option<Digest>,
    /// What was declared of it at commissioning; records of older versions do not say.
    pub commissioning: Option<Digest>,
    /// Fingerprint of the equipment's nameplate as last read; as declared where none was read.
    pub plate: Option<Digest>,
    /// The words of the deciding reading; empty when silence decided.
    pub scan: Scan,
}

impl StateFinding {
    /// What a person reads of its state.
    pub const fn words(&self) -> Words {
        match (self.state, self.voltage_point) {
            (State::Energised, Some(VoltagePoint::Bus)) => words::BUS_LIVE,
            (state, _) => state.words(),
        }
    }
}

impl Feeder {
    /// Closes the interval if it is over. `by_reading` says whether a reading, or only time, brought us here.
    pub fn close_interval(&mut self, at: &Stamp, by_reading: bool) -> Option<Interval> {
        let ledger = self.ledger.get_or_insert_with(|| Ledger::opening(at, None));
        let grace_ms = if by_reading { 0 } else { poll_ms(&self.terms).saturating_mul(2) };
        if !ledger.is_over(at, grace_ms) {
            return None;
        }
        let mark = self.track.anchor();
        let closed = ledger.close(at, mark);
        let step = mark.map_or(WattHours(0), |mark| mark.register.step);
        let seen_ms = closed.shares.observed_ms() + closed.shares.bridged_ms();
        let unseen = self.terms.unseen_bound(seen_ms, step).0;
        let dark = self.terms.rated.over_ms(closed.shares.unaccounted_ms()).0;
        let windows = self.windows;
        if let (Some(windows), Some(mark)) = (&mut self.windows, mark) {
            // It begins with the last reading, not with the clock's stroke: what passes until the next reading is
            // weighed against all the time in between.
            windows.interval = Window::starting(&mark.at);
        }
        self.phases.close_interval();
        Some(Interval {
            meter: self.terms.meter,
            asset: self.terms.asset(),
            start: closed.start,
            end: *at,
            shares: closed.shares,
            late_bridged_ms: closed.late_bridged_ms,
            energy: closed.energy,
            bound: WattHours(unseen.saturating_add(dark).saturating_add(closed.leapt.0)),
            reads_ok: closed.reads_ok,
            reads_failed: closed.reads_failed,
            before: closed.before,
            after: mark,
            windows,
            fingerprint: self.fingerprint(),
            commissioning: Some(self.terms.identity),
            plate: self.plate,
        })
    }

    /// The finding for the state as it is now.
    pub fn finding(&self, at: &Stamp, reading: Option<&Reading>) -> StateFinding {
        StateFinding {
            meter: self.terms.meter,
            asset: self.terms.asset(),
            state: self.shown,
            since: self.since.unwrap_or(*at),
            proof: self.told_proof(at),
            is_cooling: self.is_cooling(at),
            voltage_point: Some(self.terms.voltage_point),
            limit: self.terms.limit(),
            floor: self.terms.floor.power,
            power: reading.and_then(Reading::power).map(|power| self.terms.floor.measure(power)),
            phase_power: reading
                .filter(|_| self.terms.wiring.has_phase_power())
                .map_or([None; 3], Reading::phase_power),
            line_voltages: reading.map_or([None; 3], |r| line::voltages(self.terms.wiring, r)),
            currents: reading.map_or([None; 3], Reading::currents),
            mark: self.track.anchor(),
            signs: self.signs.standing().collect(),
            fingerprint: self.fingerprint(),
            commissioning: Some(self.terms.identity),
            plate: self.plate,
            scan: reading.map_or_else(Scan::default, |r| r.scan.clone()),
        }
    }

    /// Its register as last believed.
    pub fn mark(&self) -> Option<Mark> {
        self.track.anchor()
    }

    /// What it shows cut-off orders with this fact.
    pub fn seen(&self, at: &Stamp, reading: Option<&Reading>) -> Seen {
        let polls_ms = poll_ms(&self.terms).saturating_mul(i64::from(MISSED_POLLS) + 1);
        Seen {
            meter: self.terms.meter,
            at: *at,
            state: self.shown,
            is_told: reading.is_some(),
            mark: self.track.anchor(),
            idle: self.terms.idle_limit(),
            error_ppm: self.terms.error_ppm(),
            power_fails: reading.and_then(|reading| reading.value(Quantity::PowerFails)),
            patience_ms: polls_ms.max(SILENCE_MS),
            is_fed: self.line.is_fed(),
            rated: self.terms.rated,
            capacity: self.terms.capacity(),
        }
    }

    /// What the state rests on, where it rests on a proof.
    fn told_proof(&self, at: &Stamp) -> Option<Proof> {
        match self.shown {
            State::Drawing => self.drawing.proof().copied(),
            State::Exporting => self.export.proof().copied().or_else(|| self.line.back_feed(at)),
            State::Masked(_) | State::Unknown(_) | State::Auxiliary | State::Energised | State::Dead => None,
        }
    }

    /// Whether what its allowances draw belongs to a cool-down: it drew within the last 72 h, and barring or cooling is
    /// declared. Its energy is capped as any allowance's is.
    fn is_cooling(&self, at: &Stamp) -> bool {
        let declared = self.terms.allowances.iter().any(|allowance| allowance.kind.is_cool_down());
        let recent = self.drew_until.is_some_and(|until| at.since_ms(&until) <= COOL_DOWN_MS);
        self.shown == State::Auxiliary && declared && recent
    }
}

/// What a meter tells now, and of what it does not tell now what it told before.
pub(super) fn merged(before: &Identity, now: &Identity) -> Identity {
    Identity {
        maker: now.maker.or(before.maker),
        model: now.model.or(before.model),
        serial: now.serial.or(before.serial),
        firmware: now.firmware.or(before.firmware),
        ct: now.ct.or(before.ct),
        pt: now.pt.or(before.pt),
        wiring: now.wiring.or(before.wiring),
        route: now.route,
        silent: now.silent,
    }
}

/// What cannot be said while a register's reading waits for another that agrees with it.
pub(super) fn doubt_of(quirk: RegisterQuirk) -> Why {
    match quirk {
        RegisterQuirk::Fell => Why::RegisterFell,
        RegisterQuirk::FellOrRolledOver => Why::NotYetJudged,
        RegisterQuirk::Leapt
        | RegisterQuirk::RolledOver
        | RegisterQuirk::Unsaved
        | RegisterQuirk::Rebased
        | RegisterQuirk::Untimed => Why::RegisterLeapt,
    }
}
