//! A balance of incomers and feeders as members.

use super::{
    canonical::Object,
    members::{BadMember, Reader},
    write,
};
use crate::{
    judge::{BalanceFinding, Doubt, Outcome},
    terms::{MilliWatts, Name},
};

pub(super) fn write_event(object: &mut Object<'_>, found: &BalanceFinding) {
    object.text("event", "balance").shown("group", found.group).text("outcome", found.outcome.word());
    if let Outcome::Unknown(why) = found.outcome {
        object.text("doubt", why.word());
    }
    write::moment(object, "start", &found.start);
    write::moment(object, "end", &found.end);
    object
        .whole("came_in_wh", found.came_in.0)
        .whole("went_out_wh", found.went_out.0)
        .whole("lost_wh", found.lost.0)
        .whole("residual_wh", found.residual.0)
        .whole("error_wh", found.error.0)
        .whole("blind_w", found.blind.watts())
        .count("meters_told", u64::from(found.told))
        .count("meters", u64::from(found.members))
        .whole("covered_ms", found.covered_ms);
}

pub(super) fn read_event(reader: Reader<'_>) -> Result<BalanceFinding, BadMember> {
    let m = reader.members;
    let doubt = m.optional("doubt", |m| m.parsed("doubt", Doubt::from_word))?;
    Ok(BalanceFinding {
        group: m.parsed("group", Name::new)?,
        start: reader.moment("start")?,
        end: reader.moment("end")?,
        outcome: m.parsed("outcome", |word| Outcome::from_word(word, doubt))?,
        came_in: reader.energy("came_in_wh")?,
        went_out: reader.energy("went_out_wh")?,
        lost: reader.energy("lost_wh")?,
        residual: reader.energy("residual_wh")?,
        error: reader.energy("error_wh")?,
        blind: MilliWatts::from_watts(m.whole("blind_w")?),
        told: m.fitting("meters_told")?,
        members: m.fitting("meters")?,
        covered_ms: m.whole("covered_ms")?,
    })
}
