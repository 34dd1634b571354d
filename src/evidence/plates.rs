//! Events about nameplates, rosters and deadlines, to members and back.

use super::{
    canonical::Object,
    members::{BadMember, Members},
    standing,
};
use crate::{
    catalogue::{
        Attribute, Citation, Difference, Edit, Nameplate, PlateSource, Ruling,
        plate::{self, PlateValue},
    },
    judge::{ClassChange, DeadlineWarning, Event, PlateRead},
    terms::{AssetId, Digest, LegalDay},
};

/// The word of an event that a nameplate is another.
const fn plate_word(source: PlateSource) -> &'static str {
    match source {
        PlateSource::Read => "plate",
        PlateSource::Declared => "plate_declared",
    }
}

pub(super) fn write_plate(object: &mut Object<'_>, read: &PlateRead) {
    object
        .text("event", plate_word(read.source))
        .shown("asset", read.asset)
        .shown("plate_sha256", read.plate.fingerprint());
    if let Some(before) = read.before {
        object.shown("before_sha256", before);
    }
    object.list("attributes", |list| {
        for attribute in read.plate.attributes() {
            list.object(|o| {
                o.text("name", &attribute.name);
                write_value(o, &attribute.value);
            });
        }
    });
}

pub(super) fn write_difference(object: &mut Object<'_>, asset: AssetId, difference: &Difference) {
    object
        .text("event", "plate_differs")
        .shown("asset", asset)
        .text("attribute", &difference.attribute)
        .object("declared", |o| write_value(o, &difference.declared))
        .object("read", |o| write_value(o, &difference.read));
}

pub(super) fn write_class_change(object: &mut Object<'_>, change: &ClassChange) {
    object
        .text("event", "class_changed")
        .shown("asset", change.asset)
        .text("plate", change.source.word())
        .object("before", |o| standing::write_ruling(o, &change.before))
        .object("after", |o| standing::write_ruling(o, &change.after))
        .list("edits", |list| {
            for edit in &change.edits {
                list.object(|o| {
                    o.text("name", &edit.attribute);
                    for (name, value) in [("before", &edit.before), ("after", &edit.after)] {
                        if let Some(value) = value {
                            o.object(name, |o| write_value(o, value));
                        }
                    }
                });
            }
        });
}

pub(super) fn write_warning(object: &mut Object<'_>, warning: &DeadlineWarning) {
    object
        .text("event", "deadline_warning")
        .shown("asset", warning.asset)
        .shown("last_day", warning.last_day)
        .count("days_left", u64::from(warning.days_left))
        .count("lead_days", u64::from(warning.lead_days));
}

pub(super) fn write_missing(object: &mut Object<'_>, asset: AssetId, entry: Option<Citation>, version: u32) {
    object.text("event", "not_on_roster").shown("asset", asset).count("roster_version", u64::from(version));
    if let Some(entry) = entry {
        object.shown("entry", entry);
    }
}

fn write_value(object: &mut Object<'_>, value: &PlateValue) {
    match value {
        // A plate may claim any number; beyond 2^53 it travels as text and is read as such.
        PlateValue::Whole(number) => object.shown("whole", number),
        PlateValue::Decimal { mantissa, places } => {
            object.shown("mantissa", mantissa).count("places", u64::from(*places))
        }
        PlateValue::Text(text) => object.text("text", text),
        PlateValue::Flag(flag) => object.flag("flag", *flag),
    };
}

/// Reads an event of this word; `None` when it is none of these.
pub(super) fn read(word: &str, m: Members<'_>) -> Result<Option<Event>, BadMember> {
    let asset = || m.parsed("asset", AssetId::new);
    Ok(Some(match word {
        "plate" => Event::Plate(read_plate(PlateSource::Read, m)?),
        "plate_declared" => Event::Plate(read_plate(PlateSource::Declared, m)?),
        "plate_differs" => Event::PlateDiffers { asset: asset()?, difference: difference(m)? },
        "class_changed" => Event::ClassChanged(ClassChange {
            asset: asset()?,
            source: m.parsed("plate", PlateSource::from_word)?,
            before: ruling("before", m)?,
            after: ruling("after", m)?,
            edits: edits(m)?,
        }),
        "deadline_warning" => Event::DeadlineWarning(DeadlineWarning {
            asset: asset()?,
            last_day: m.parsed("last_day", LegalDay::parse)?,
            days_left: m.fitting("days_left")?,
            lead_days: m.fitting("lead_days")?,
        }),
        "not_on_roster" => Event::NotOnRoster {
            asset: asset()?,
            entry: m.optional("entry", |m| m.parsed("entry", Citation::new))?,
            version: m.fitting("roster_version")?,
        },
        _ => return Ok(None),
    }))
}

fn ruling(name: &'static str, m: Members<'_>) -> Result<Ruling, BadMember> {
    m.object(name).and_then(standing::read_ruling)
}

fn difference(m: Members<'_>) -> Result<Difference, BadMember> {
    let line = |name| {
        let value = value(m.object(name)?)?;
        Attribute::new(m.text("attribute")?, value).ok_or(BadMember(name))
    };
    let (declared, read) = (line("declared")?, line("read")?);
    Ok(Difference { attribute: declared.name, declared: declared.value, read: read.value })
}

fn edits(m: Members<'_>) -> Result<Vec<Edit>, BadMember> {
    let edit = |m: Members<'_>| {
        let line = |name| {
            m.optional(name, |m| {
                let value = value(m.object(name)?)?;
                Attribute::new(m.text("name")?, value).map(|line| line.value).ok_or(BadMember(name))
            })
        };
        let attribute = m.parsed("name", |name| plate::is_lawful_name(name).then(|| name.to_owned()))?;
        Ok(Edit { attribute, before: line("before")?, after: line("after")? })
    };
    m.objects("edits")?.into_iter().map(edit).collect()
}

fn read_plate(source: PlateSource, m: Members<'_>) -> Result<PlateRead, BadMember> {
    let attribute = |a: Members<'_>| Ok(Attribute { name: a.text("name")?.to_owned(), value: value(a)? });
    let attributes =
        m.objects("attributes")?.into_iter().map(attribute).collect::<Result<Vec<_>, BadMember>>()?;
    let plate = Nameplate::new(attributes).ok_or(BadMember("attributes"))?;
    if m.parsed("plate_sha256", Digest::from_hex)? != plate.fingerprint() {
        return Err(BadMember("plate_sha256"));
    }
    Ok(PlateRead {
        asset: m.parsed("asset", AssetId::new)?,
        source,
        before: m.optional("before_sha256", |m| m.parsed("before_sha256", Digest::from_hex))?,
        plate,
    })
}

fn value(m: Members<'_>) -> Result<PlateValue, BadMember> {
    let number = |text: &str| text.parse::<i64>().ok().filter(|n| n.to_string() == text);
    Ok(if m.0.contains_key("whole") {
        PlateValue::Whole(m.parsed("whole", number)?)
    } else if m.0.contains_key("mantissa") {
        PlateValue::Decimal { mantissa: m.parsed("mantissa", number)?, places: m.fitting("places")? }
    } else if m.0.contains_key("flag") {
        PlateValue::Flag(m.flag("flag")?)
    } else {
        PlateValue::Text(m.text("text")?.to_owned())
    })
}
