//! The time in which the witness was dark, as members: at the boot that ended it, and of each meter with its first reading.

use super::{
    canonical::Object,
    members::{BadMember, Found, Reader},
    write::{mark, moment},
};
use crate::{
    judge::{Dark, DarkMeter, Ending},
    terms::{AssetId, MeterId, Stamp},
};

/// The word of the event.
pub(super) const WORD: &str = "dark";

/// Writes since when it was dark before a boot, and how the life before ended.
pub(super) fn write_boot(object: &mut Object<'_>, dark: Option<&(Stamp, Ending)>) {
    if let Some((since, ended)) = dark {
        moment(object, "dark_since", since);
        object.text("ended", ended.word());
    }
}

/// Reads it; boots of older versions do not say.
pub(super) fn read_boot(reader: Reader<'_>) -> Found<Option<(Stamp, Ending)>> {
    let ended = |_| Ok((reader.moment("dark_since")?, reader.members.parsed("ended", Ending::from_word)?));
    reader.members.optional("dark_since", ended)
}

/// Writes what a meter shows of it.
pub(super) fn write_event(object: &mut Object<'_>, told: &DarkMeter) {
    object.text("event", WORD).shown("meter", told.meter).shown("asset", told.asset);
    moment(object, "from", &told.dark.from);
    moment(object, "to", &told.dark.to);
    object.text("ended", told.dark.ended.word());
    mark(object, "before", Some(&told.before));
    mark(object, "after", Some(&told.after));
    if let Some(energy) = told.energy() {
        object.whole("energy_wh", energy.0);
    }
}

/// Reads it. The energy is the registers', or the record is none.
pub(super) fn read_event(reader: Reader<'_>) -> Found<DarkMeter> {
    let m = reader.members;
    let told = DarkMeter {
        meter: m.parsed("meter", MeterId::new)?,
        asset: m.parsed("asset", AssetId::new)?,
        dark: Dark {
            from: reader.moment("from")?,
            to: reader.moment("to")?,
            ended: m.parsed("ended", Ending::from_word)?,
        },
        before: reader.mark("before")?.ok_or(BadMember("before"))?,
        after: reader.mark("after")?.ok_or(BadMember("after"))?,
    };
    let energy = m.optional("energy_wh", |_| reader.energy("energy_wh"))?;
    if energy == told.energy() { Ok(told) } else { Err(BadMember("energy_wh")) }
}
