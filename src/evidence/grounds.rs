//! What findings rest on, as members: the grounds of a verdict, and who a meter says it is.

use super::{
    canonical::Object,
    members::{BadMember, Found, Members, Reader},
    write,
};
use crate::{
    judge::{Corroboration, Grounds, Inspect, MeterTold, Parameters, VoltagePoint},
    metering::{
        Identity,
        identity::{Label, Route},
    },
    terms::{Digest, MeterId, MilliWatts, Name, Ratio, WattHours},
};

/// Writes the grounds of a verdict.
pub(super) fn write(object: &mut Object<'_>, grounds: &Grounds) {
    object
        .whole("floor_w", grounds.floor.watts())
        .whole("register_floor_wh", grounds.register_floor.0)
        .whole("error_ppm", grounds.error_ppm)
        .whole("bound_wh", grounds.bound.0)
        .shown("commissioning_sha256", grounds.commissioning);
    if let Some(point) = grounds.voltage_point {
        object.text("voltage_point", point.word());
    }
    if let Some(meter) = grounds.meter {
        object.shown("meter_sha256", meter);
    }
    if let Some(corroboration) = &grounds.corroboration {
        object.object("corroboration", |o| {
            o.shown("group", corroboration.group).whole("blind_w", corroboration.blind.watts());
            write::moment(o, "until", &corroboration.until);
        });
    }
    object.list("inspect", |list| {
        for why in grounds.inspect.iter() {
            list.object(|o| {
                o.text("why", why.word());
            });
        }
    });
    object.object("parameters", |o| {
        let Parameters { poll_ms, missed_polls, interval_ms, large_load_percent, .. } = grounds.parameters;
        let Parameters { on_delay_large_ms, on_delay_small_ms, off_delay_ms, .. } = grounds.parameters;
        o.count("poll_ms", poll_ms)
            .count("missed_polls", u64::from(missed_polls))
            .whole("interval_ms", interval_ms)
            .whole("large_load_percent", large_load_percent)
            .whole("on_delay_large_ms", on_delay_large_ms)
            .whole("on_delay_small_ms", on_delay_small_ms)
            .whole("off_delay_ms", off_delay_ms);
    });
}

/// Reads the grounds of a verdict.
pub(super) fn read(reader: Reader<'_>) -> Found<Grounds> {
    let m = reader.members;
    let inspect = |item: Members<'_>| item.parsed("why", Inspect::from_word);
    let p = m.object("parameters")?;
    Ok(Grounds {
        floor: MilliWatts::from_watts(m.whole("floor_w")?),
        register_floor: WattHours(m.whole("register_floor_wh")?),
        error_ppm: m.whole("error_ppm")?,
        bound: WattHours(m.whole("bound_wh")?),
        voltage_point: m.optional("voltage_point", |m| m.parsed("voltage_point", VoltagePoint::from_word))?,
        inspect: m.objects("inspect")?.into_iter().map(inspect).collect::<Found<_>>()?,
        meter: digest(m, "meter_sha256")?,
        corroboration: reader.members.optional("corroboration", |m| {
            let inside = reader.of(m.object("corroboration")?);
            Ok(Corroboration {
                group: inside.members.parsed("group", Name::new)?,
                blind: MilliWatts::from_watts(inside.members.whole("blind_w")?),
                until: inside.moment("until")?,
            })
        })?,
        commissioning: m.parsed("commissioning_sha256", Digest::from_hex)?,
        parameters: Parameters {
            poll_ms: p.fitting("poll_ms")?,
            missed_polls: p.fitting("missed_polls")?,
            interval_ms: p.whole("interval_ms")?,
            large_load_percent: p.whole("large_load_percent")?,
            on_delay_large_ms: p.whole("on_delay_large_ms")?,
            on_delay_small_ms: p.whole("on_delay_small_ms")?,
            off_delay_ms: p.whole("off_delay_ms")?,
        },
    })
}

/// The digests that say by which meter, and as commissioned how.
pub(super) fn write_meter(
    object: &mut Object<'_>,
    fingerprint: Option<Digest>,
    commissioning: Option<Digest>,
) {
    if let Some(fingerprint) = fingerprint {
        object.shown("meter_sha256", fingerprint);
    }
    if let Some(commissioning) = commissioning {
        object.shown("commissioning_sha256", commissioning);
    }
}

/// A digest that may be missing.
pub(super) fn digest(m: Members<'_>, name: &'static str) -> Found<Option<Digest>> {
    m.optional(name, |m| m.parsed(name, Digest::from_hex))
}

/// Writes who a meter says it is, and was.
pub(super) fn write_told(object: &mut Object<'_>, told: &MeterTold) {
    object.text("event", "meter").shown("meter", told.meter);
    if let Some(before) = &told.before {
        object.object("before", |o| write_identity(o, before));
    }
    object.object("after", |o| write_identity(o, &told.after));
    if let Some(permit) = told.permit {
        object.shown("permit", permit);
    }
}

/// Reads who a meter says it is, and was.
pub(super) fn read_told(m: Members<'_>) -> Found<MeterTold> {
    Ok(MeterTold {
        meter: m.parsed("meter", MeterId::new)?,
        before: m.optional("before", |m| read_identity(m.object("before")?))?,
        after: read_identity(m.object("after")?)?,
        permit: m.optional("permit", |m| m.parsed("permit", Name::new))?,
    })
}

fn write_identity(object: &mut Object<'_>, identity: &Identity) {
    let labels = [
        ("maker", identity.maker),
        ("model", identity.model),
        ("serial", identity.serial),
        ("firmware", identity.firmware),
        ("wiring", identity.wiring),
    ];
    for (name, label) in labels {
        if let Some(label) = label {
            object.text(name, label.as_str());
        }
    }
    for (name, ratio) in [("ct", identity.ct), ("pt", identity.pt)] {
        if let Some(ratio) = ratio {
            object.shown(name, ratio);
        }
    }
    if let Some(route) = identity.route {
        object.text("route", route.word());
    }
    object.shown("meter_sha256", identity.fingerprint());
}

fn read_identity(m: Members<'_>) -> Found<Identity> {
    let label = |name| m.optional(name, |m| m.parsed(name, Label::from_text));
    let ratio = |name| m.optional(name, |m| m.parsed(name, Ratio::parse));
    let route = |word: &str| Route::ALL.into_iter().find(|route| route.word() == word);
    let identity = Identity {
        maker: label("maker")?,
        model: label("model")?,
        serial: label("serial")?,
        firmware: label("firmware")?,
        wiring: label("wiring")?,
        ct: ratio("ct")?,
        pt: ratio("pt")?,
        route: m.optional("route", |m| m.parsed("route", route))?,
        ..Identity::default()
    };
    if m.parsed("meter_sha256", Digest::from_hex)? == identity.fingerprint() {
        Ok(identity)
    } else {
        Err(BadMember("meter_sha256"))
    }
}
