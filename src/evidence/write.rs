//! Bodies to members. What is absent is left out; every number's unit is the end of its name.

use std::fmt::Write as _;

use super::{
    balance,
    body::{Body, Boot, Checkpoint, Genesis},
    canonical::Object,
    dark, grounds,
    members::UNCLEAN_START,
    plates, sign, stand, standing,
};
use crate::{
    judge::{
        Event, Excess, Finding, Interval, Mark, Measured, PermitUse, Proof, Shares, State, StateFinding,
        Verdict, Windows,
    },
    metering::{Register, Scan},
    terms::{Digest, Stamp},
};

/// Writes what a body says beside the header's members.
pub fn body(object: &mut Object<'_>, body: &Body) {
    match body {
        Body::Genesis(genesis) => write_genesis(object, genesis),
        Body::Boot(boot) => write_boot(object, boot),
        Body::Checkpoint(checkpoint) => write_checkpoint(object, checkpoint),
        Body::Rotation(rotation) => rotation.write(object),
        Body::Skip { from, to } => {
            object.text("why", UNCLEAN_START).count("from_seq", *from).count("to_seq", *to);
        }
        Body::Gap(gap) => gap.write(object),
        Body::Rollback(rollback) => rollback.write(object),
        Body::Act(act) => {
            object.object("signed_act", |o| {
                o.members(&act.members, &[]);
            });
        }
        Body::Answer(answer) => answer.write(object),
        Body::Notice(notice) => notice.write(object),
        Body::Commissioned(point) => point.write(object),
        Body::Finding(Finding::State(found)) => write_state(object, found),
        Body::Finding(Finding::Interval(interval)) => write_interval(object, interval),
        Body::Finding(Finding::Verdict(verdict)) => write_verdict(object, verdict),
        Body::Finding(Finding::Transition(transition)) => stand::write_transition(object, transition),
        Body::Finding(Finding::Event(event)) => write_event(object, event),
    }
}

fn write_genesis(object: &mut Object<'_>, genesis: &Genesis) {
    object
        .text("public_key", &genesis.public_key.to_base64())
        .shown("division", genesis.division)
        .text("uscc", genesis.enterprise.as_str())
        .text("software", &genesis.software)
        .shown("config_sha256", genesis.config)
        .list("profiles", |list| {
            for (id, digest) in &genesis.profiles {
                list.object(|o| {
                    o.shown("id", id).shown("sha256", digest);
                });
            }
        });
    if let Some(head) = &genesis.continues {
        object.object("continues", |o| head.write(o));
    }
}

fn write_boot(object: &mut Object<'_>, boot: &Boot) {
    object
        .text("boot_id", &boot.boot_id)
        .flag("machine_rebooted", boot.machine_rebooted)
        .text("software", &boot.software)
        .shown("config_sha256", boot.config);
    dark::write_boot(object, boot.dark.as_ref());
}

fn write_checkpoint(object: &mut Object<'_>, checkpoint: &Checkpoint) {
    object
        .count("entries", checkpoint.entries)
        .count("reads_ok", checkpoint.reads_ok)
        .count("reads_failed", checkpoint.reads_failed)
        .count("first_unreceipted_seq", checkpoint.first_unreceipted_seq);
}

fn write_state(object: &mut Object<'_>, found: &StateFinding) {
    object.shown("meter", found.meter).shown("asset", found.asset);
    state(object, found.state);
    moment(object, "since", &found.since);
    object.whole("limit_w", found.limit.watts()).whole("floor_w", found.floor.watts());
    if let Some(proof) = &found.proof {
        object.object("proof", |o| write_proof(o, proof));
    }
    if found.is_cooling {
        object.flag("cooling", true);
    }
    if let Some(point) = found.voltage_point {
        object.text("voltage_point", point.word());
    }
    grounds::write_meter(object, found.fingerprint, found.commissioning);
    plate(object, found.plate);
    object.object("values", |o| {
        match found.power {
            Some(Measured::Is(power)) => drop(o.whole("power_w", power.watts())),
            // Below the floor a number would pass for a measurement; what was read stands in the words.
            Some(Measured::UpTo(floor)) => drop(o.whole("power_up_to_w", floor.watts())),
            None => {}
        }
        for (name, power) in ["power_l1_w", "power_l2_w", "power_l3_w"].iter().zip(found.phase_power) {
            if let Some(power) = power {
                o.whole(name, power.watts());
            }
        }
        let names = ["voltage_l12_mv", "voltage_l23_mv", "voltage_l31_mv"];
        for (name, volts) in names.iter().zip(found.line_voltages) {
            if let Some(volts) = volts {
                o.whole(name, volts.0);
            }
        }
        for (name, amps) in ["current_l1_ma", "current_l2_ma", "current_l3_ma"].iter().zip(found.currents) {
            if let Some(amps) = amps {
                o.whole(name, amps.0);
            }
        }
    });
    mark(object, "register", found.mark.as_ref());
    sign::write_standing(object, &found.signs);
    scan(object, &found.scan);
}

fn write_proof(object: &mut Object<'_>, proof: &Proof) {
    match proof {
        Proof::Power { from, power, limit } => {
            object.text("by", "power").whole("power_w", power.watts()).whole("limit_w", limit.watts());
            moment(object, "from", from);
        }
        Proof::Demand { from, demand, limit } => {
            object.text("by", "demand").whole("demand_w", demand.watts()).whole("limit_w", limit.watts());
            moment(object, "from", from);
        }
        Proof::BackFeed { from } => {
            object.text("by", "back_feed");
            moment(object, "from", from);
        }
        Proof::Energy(Excess { span, from, moved, bound }) => {
            object.text("by", span.word()).whole("moved_wh", moved.0).whole("bound_wh", bound.0);
            moment(object, "from", from);
        }
    }
}

fn write_interval(object: &mut Object<'_>, interval: &Interval) {
    object.shown("meter", interval.meter).shown("asset", interval.asset);
    moment(object, "start", &interval.start);
    moment(object, "end", &interval.end);
    shares(object, &interval.shares);
    object
        .whole("late_bridged_ms", interval.late_bridged_ms)
        .whole("bound_wh", interval.bound.0)
        .count("reads_ok", u64::from(interval.reads_ok))
        .count("reads_failed", u64::from(interval.reads_failed));
    if let Some(energy) = interval.energy {
        object.whole("energy_wh", energy.0);
    }
    grounds::write_meter(object, interval.fingerprint, interval.commissioning);
    plate(object, interval.plate);
    mark(object, "before", interval.before.as_ref());
    mark(object, "after", interval.after.as_ref());
    if let Some(windows) = &interval.windows {
        object.object("windows", |o| write_windows(o, windows));
    }
}

fn write_windows(object: &mut Object<'_>, windows: &Windows) {
    for (name, window) in [("interval", windows.interval), ("day", windows.day), ("month", windows.month)] {
        object.object(name, |o| {
            o.whole("moved_wh", window.moved.0);
            moment(o, "since", &window.since);
        });
    }
}

fn write_verdict(object: &mut Object<'_>, verdict: &Verdict) {
    object.shown("asset", verdict.asset);
    state(object, verdict.state);
    moment(object, "since", &verdict.since);
    standing::write(object, &verdict.standing);
    if let Some(phase) = verdict.phase {
        object.text("phase", phase.word());
    }
    object.flag("violation", verdict.violation_since_unix_ms.is_some());
    if let Some(since) = verdict.violation_since_unix_ms {
        object.whole("violation_since_unix_ms", since);
    }
    object
        .whole("energy_overdue_wh", verdict.energy_overdue.0)
        .whole("energy_closed_wh", verdict.energy_closed.0);
    plate(object, verdict.plate);
    if let Some(used) = &verdict.permit {
        permit_use(object, used);
    }
    sign::write_set(object, verdict.signs);
    shares(object, &verdict.shares);
    if let Some(grounds) = &verdict.grounds {
        object.object("grounds", |o| grounds::write(o, grounds));
    }
}

fn write_event(object: &mut Object<'_>, event: &Event) {
    match event {
        Event::ClockStepped { by_ms } => {
            object.text("event", "clock_step").whole("by_ms", *by_ms);
        }
        Event::Register(event) => {
            object.text("event", "register").shown("meter", event.meter).text("what", event.what.word());
            mark(object, "before", Some(&event.before));
            mark(object, "after", Some(&event.after));
            if let Some(permit) = event.permit {
                object.shown("permit", permit);
            }
        }
        Event::Sign(found) => sign::write_event(object, found),
        Event::Hold(note) => stand::write_note(object, note),
        Event::Reconcile(day) => stand::write_day(object, day),
        Event::FedBehindCut { order, asset, meter } => stand::write_fed(object, *order, *asset, *meter),
        Event::Dark(told) => dark::write_event(object, told),
        Event::Balance(found) => balance::write_event(object, found),
        Event::Meter(told) => grounds::write_told(object, told),
        Event::Plate(read) => plates::write_plate(object, read),
        Event::PlateDiffers { asset, difference } => plates::write_difference(object, *asset, difference),
        Event::ClassChanged(change) => plates::write_class_change(object, change),
        Event::DeadlineWarning(warning) => plates::write_warning(object, warning),
        Event::NotOnRoster { asset, entry, version } => {
            plates::write_missing(object, *asset, *entry, *version);
        }
        Event::PermitUsed { asset, used } => {
            object.text("event", "permit_used").shown("asset", asset);
            permit_use(object, used);
        }
        Event::PlateUnreadable { asset, why } => {
            object.text("event", "plate_unreadable").shown("asset", asset).shown("why", why);
        }
    }
}

fn permit_use(object: &mut Object<'_>, PermitUse { permit, used }: &PermitUse) {
    object.shown("permit", permit).whole("permit_used_wh", used.0);
}

fn plate(object: &mut Object<'_>, plate: Option<Digest>) {
    if let Some(plate) = plate {
        object.shown("plate_sha256", plate);
    }
}

fn state(object: &mut Object<'_>, state: State) {
    object.text("state", state.word());
    if let State::Masked(sign) = state {
        object.text("sign", sign.word());
    }
    if let State::Unknown(why) = state {
        object.text("why", why.word());
        if why.exception_code() != 0 {
            object.count("exception", u64::from(why.exception_code()));
        }
    }
}

fn shares(object: &mut Object<'_>, shares: &Shares) {
    object
        .whole("observed_ms", shares.observed_ms())
        .whole("bridged_ms", shares.bridged_ms())
        .whole("unaccounted_ms", shares.unaccounted_ms());
}

/// A moment inside a body; clock quality is the header's, which is of the same boot or a later one.
pub(super) fn moment(object: &mut Object<'_>, name: &str, at: &Stamp) {
    object.object(name, |o| {
        o.whole("wall_unix_ms", at.wall_unix_ms)
            .count("uptime_ms", at.uptime_ms)
            .count("boot_count", u64::from(at.boot));
    });
}

pub(super) fn mark(object: &mut Object<'_>, name: &str, mark: Option<&Mark>) {
    let Some(Mark { at, register }) = mark else { return };
    object.object(name, |o| {
        moment(o, "at", at);
        write_register(o, register);
    });
}

fn write_register(object: &mut Object<'_>, register: &Register) {
    object.whole("import_wh", register.energy.0).whole("step_wh", register.step.0);
    if let Some(modulus) = register.modulus {
        object.whole("modulus_wh", modulus.0);
    }
    let mut raw = heapless::String::<16>::new();
    let digits = usize::from(register.raw_words.min(4)) * 4;
    if write!(raw, "{:0digits$x}", register.raw).is_ok() {
        object.text("words", &raw);
    }
}

pub(super) fn scan(object: &mut Object<'_>, scan: &Scan) {
    object.list("scan", |list| {
        for (block, words) in scan.blocks() {
            let mut hex = heapless::String::<{ 4 * crate::metering::scan::MAX_BLOCK_WORDS as usize }>::new();
            for word in words {
                // A block is never longer than the text made for it.
                let _fits = write!(hex, "{word:04x}");
            }
            list.object(|o| {
                o.count("fc", u64::from(block.function.code()))
                    .count("at", u64::from(block.at))
                    .text("words", &hex);
            });
        }
    });
}
