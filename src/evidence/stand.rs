//! How an order stands, to members and back: in transitions and in notes between them.

use super::{
    canonical::Object,
    members::{BadMember, Found, Members, Reader},
    write::moment,
};
use crate::{
    judge::{
        Rung, Transition,
        cutoff::{
            Agreed, Carrier, Hold, HoldNote, MAX_EVIDENCE, Recent, Reconciliation, Registers, Stand,
            order::MAX_POINTS,
            registers::{AtPoint, Known},
            window::Kept,
        },
    },
    terms::{AssetId, Digest, MeterId, Name, OrderId, WattHours},
};

/// The word of a note in `event`.
pub(super) const NOTE: &str = "hold";
/// The word of the warning that voltage stands behind a cut.
pub(super) const FED: &str = "fed_behind_cut";
/// The word of a day as both witnesses counted it.
pub(super) const DAY: &str = "reconcile";

pub(super) fn write_transition(object: &mut Object<'_>, transition: &Transition) {
    object
        .shown("order_id", transition.order)
        .shown("asset", transition.asset)
        .text("from", transition.from.word())
        .text("to", transition.to.word())
        .shown("actor", transition.actor)
        .shown("why", transition.why)
        .list("evidence", |list| {
            for hash in &transition.evidence {
                list.object(|o| {
                    o.shown("sha256", hash);
                });
            }
        });
    if let Some(stand) = &transition.stand {
        object.object("stand", |o| write(o, stand));
    }
}

pub(super) fn read_transition(reader: Reader<'_>) -> Found<Transition> {
    let m = reader.members;
    let evidence = |item: Members<'_>| item.parsed("sha256", Digest::from_hex);
    let evidence = m.objects("evidence")?.into_iter().map(evidence).collect::<Found<Vec<_>>>()?;
    if evidence.len() > MAX_EVIDENCE {
        return Err(BadMember("evidence"));
    }
    Ok(Transition {
        order: m.parsed("order_id", OrderId::new)?,
        asset: m.parsed("asset", AssetId::new)?,
        from: m.parsed("from", Rung::from_word)?,
        to: m.parsed("to", Rung::from_word)?,
        actor: m.parsed("actor", Name::new)?,
        why: m.parsed("why", Name::new)?,
        evidence,
        stand: m.optional("stand", |m| read(reader.of(m.object("stand")?)))?,
    })
}

pub(super) fn write_note(object: &mut Object<'_>, note: &HoldNote) {
    object.text("event", NOTE).shown("order_id", note.order).shown("asset", note.asset);
    object.object("stand", |o| write(o, &note.stand));
}

pub(super) fn read_note(reader: Reader<'_>) -> Found<HoldNote> {
    let m = reader.members;
    Ok(HoldNote {
        order: m.parsed("order_id", OrderId::new)?,
        asset: m.parsed("asset", AssetId::new)?,
        stand: read(reader.of(m.object("stand")?))?,
    })
}

pub(super) fn write_fed(object: &mut Object<'_>, order: OrderId, asset: AssetId, meter: MeterId) {
    object.text("event", FED).shown("order_id", order).shown("asset", asset).shown("meter", meter);
}

pub(super) fn write_day(object: &mut Object<'_>, day: &Reconciliation) {
    object
        .text("event", DAY)
        .shown("order_id", day.order)
        .shown("asset", day.asset)
        .shown("meter", day.meter)
        .whole("from_unix_ms", day.from_unix_ms)
        .whole("ours_wh", day.ours.0)
        .whole("utility_wh", day.theirs.0)
        .whole("may_differ_wh", day.may_differ.0)
        .flag("agrees", day.agrees());
}

pub(super) fn read_day(m: Members<'_>) -> Found<Reconciliation> {
    let day = Reconciliation {
        order: m.parsed("order_id", OrderId::new)?,
        asset: m.parsed("asset", AssetId::new)?,
        meter: m.parsed("meter", MeterId::new)?,
        from_unix_ms: m.whole("from_unix_ms")?,
        ours: WattHours(m.whole("ours_wh")?),
        theirs: WattHours(m.whole("utility_wh")?),
        may_differ: WattHours(m.whole("may_differ_wh")?),
    };
    if m.flag("agrees")? == day.agrees() { Ok(day) } else { Err(BadMember("agrees")) }
}

fn write(object: &mut Object<'_>, stand: &Stand) {
    object.text("rung", stand.rung.word());
    moment(object, "since", &stand.since);
    if let Some(before) = stand.before {
        object.text("before", before.word());
    }
    if let Some(until) = stand.suspended_until_unix_ms {
        object.whole("suspended_until_unix_ms", until);
    }
    object
        .flag("fed_again", stand.is_fed_again)
        .flag("seen", stand.was_seen)
        .flag("sealed", stand.is_sealed)
        .whole("earlier_ms", stand.earlier_ms)
        .count("restarts", u64::from(stand.restarts));
    if let Some(month) = stand.month {
        object.whole("month", i64::from(month));
    }
    if let Some(hold) = &stand.hold {
        object.object("hold", |o| write_hold(o, hold));
    }
}

fn read(reader: Reader<'_>) -> Found<Stand> {
    let m = reader.members;
    Ok(Stand {
        rung: m.parsed("rung", Rung::from_word)?,
        since: reader.moment("since")?,
        before: m.optional("before", |m| m.parsed("before", Rung::from_word))?,
        suspended_until_unix_ms: m
            .optional("suspended_until_unix_ms", |m| m.whole("suspended_until_unix_ms"))?,
        is_fed_again: m.flag("fed_again")?,
        was_seen: m.flag("seen")?,
        is_sealed: m.flag("sealed")?,
        hold: m.optional("hold", |m| read_hold(reader.of(m.object("hold")?)))?,
        earlier_ms: m.whole("earlier_ms")?,
        restarts: m.fitting("restarts")?,
        month: m.optional("month", |m| m.fitting("month"))?,
    })
}

fn write_hold(object: &mut Object<'_>, hold: &Hold) {
    moment(object, "since", &hold.since);
    moment(object, "until", &hold.until);
    object
        .whole("proven_ms", hold.proven_ms)
        .whole("paused_ms", hold.paused_ms)
        .whole("longest_gap_ms", hold.longest_gap_ms)
        .count("gaps", u64::from(hold.gaps))
        .whole("moved_wh", hold.moved.0)
        .whole("blind_wh", hold.blind.0)
        .text("carrier", hold.carrier.word());
    for (name, kept) in [("nights", hold.nights), ("weekends", hold.weekends)] {
        object.object(name, |o| write_kept(o, &kept));
    }
    object.whole("recent_proven_ms", hold.recent.proven_ms).whole("recent_paused_ms", hold.recent.paused_ms);
    write_registers(object, &hold.registers);
    if let Some((from, to)) = hold.agreed.of(0) {
        object.whole("agreed_from_unix_ms", from).whole("agreed_to_unix_ms", to);
    }
    // Most orders name one point.
    if hold.agreed.iter().any(|(place, _)| place > 0) {
        object.list("agreed_beside", |list| {
            for (place, (from, to)) in hold.agreed.iter().filter(|(place, _)| *place > 0) {
                list.object(|o| {
                    o.count("point", place as u64).whole("from_unix_ms", from).whole("to_unix_ms", to);
                });
            }
        });
    }
}

fn read_hold(reader: Reader<'_>) -> Found<Hold> {
    let m = reader.members;
    let hold = Hold {
        since: reader.moment("since")?,
        until: reader.moment("until")?,
        proven_ms: m.whole("proven_ms")?,
        paused_ms: m.whole("paused_ms")?,
        longest_gap_ms: m.whole("longest_gap_ms")?,
        gaps: m.fitting("gaps")?,
        nights: read_kept(reader, "nights")?,
        weekends: read_kept(reader, "weekends")?,
        moved: WattHours(m.whole("moved_wh")?),
        blind: WattHours(m.whole("blind_wh")?),
        carrier: m.parsed("carrier", Carrier::from_word)?,
        agreed: read_agreed(m)?,
        registers: read_registers(m)?,
        recent: Recent { proven_ms: m.whole("recent_proven_ms")?, paused_ms: m.whole("recent_paused_ms")? },
    };
    Ok(hold)
}

const OWN: (&str, &str) = ("own_wh", "own_power_fails");
const UPSTREAM: (&str, &str) = ("upstream_wh", "upstream_power_fails");

fn write_registers(object: &mut Object<'_>, registers: &Registers) {
    if registers.iter().next().is_none() {
        return;
    }
    object.list("registers", |list| {
        for (place, at) in registers.iter() {
            list.object(|o| {
                o.count("point", place as u64);
                for ((energy, fails), known) in [(OWN, at.own), (UPSTREAM, at.upstream)] {
                    let Some(known) = known else { continue };
                    o.whole(energy, known.energy.0);
                    if let Some(count) = known.power_fails {
                        o.whole(fails, count);
                    }
                }
            });
        }
    });
}

fn read_registers(m: Members<'_>) -> Found<Registers> {
    let mut registers = Registers::default();
    for m in m.optional("registers", |m| m.objects("registers"))?.unwrap_or_default() {
        let place: usize = m.fitting("point")?;
        if place >= MAX_POINTS {
            return Err(BadMember("point"));
        }
        registers.set(place, AtPoint { own: read_known(m, OWN)?, upstream: read_known(m, UPSTREAM)? });
    }
    Ok(registers)
}

fn read_known(m: Members<'_>, (energy, fails): (&'static str, &'static str)) -> Found<Option<Known>> {
    let known = |m: Members<'_>| {
        let power_fails = m.optional(fails, |m| m.whole(fails))?;
        Ok(Known { energy: WattHours(m.whole(energy)?), power_fails })
    };
    m.optional(energy, known)
}

fn read_agreed(m: Members<'_>) -> Found<Agreed> {
    let mut agreed = Agreed::default();
    let first = |m: Members<'_>| Ok((m.whole("agreed_from_unix_ms")?, m.whole("agreed_to_unix_ms")?));
    if let Some(stretch) = m.optional("agreed_from_unix_ms", first)? {
        agreed.set(0, stretch);
    }
    let beside = m.optional("agreed_beside", |m| m.objects("agreed_beside"))?.unwrap_or_default();
    for m in beside {
        let place: usize = m.fitting("point")?;
        if !(1..MAX_POINTS).contains(&place) {
            return Err(BadMember("point"));
        }
        agreed.set(place, (m.whole("from_unix_ms")?, m.whole("to_unix_ms")?));
    }
    Ok(agreed)
}

fn write_kept(object: &mut Object<'_>, kept: &Kept) {
    object
        .count("full", u64::from(kept.full))
        .whole("from_unix_ms", kept.from_unix_ms)
        .whole("proven_ms", kept.proven_ms)
        .flag("counted", kept.is_counted);
}

fn read_kept(reader: Reader<'_>, name: &'static str) -> Found<Kept> {
    let m = reader.members.object(name)?;
    Ok(Kept {
        full: m.fitting("full")?,
        from_unix_ms: m.whole("from_unix_ms")?,
        proven_ms: m.whole("proven_ms")?,
        is_counted: m.flag("counted")?,
    })
}
