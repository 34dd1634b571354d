//! Signs of tampering as members: a sign that begins or ends, and the signs that stand beside a state or a verdict.

use super::{
    canonical::Object,
    members::{BadMember, Reader},
    write,
};
use crate::{
    judge::{Figure, Figures, Grade, Sign, SignFinding, SignSet, StandingSign, Turn, sign::SIGNS},
    terms::{AssetId, MeterId, Name},
};

pub(super) fn write_event(object: &mut Object<'_>, found: &SignFinding) {
    object
        .text("event", "sign")
        .shown("meter", found.meter)
        .shown("asset", found.asset)
        .text("sign", found.sign.word())
        .text("grade", found.sign.grade().word())
        .text("turn", found.turn.word());
    write::moment(object, "since", &found.since);
    object.object("figures", |o| {
        for (figure, value) in &found.figures {
            o.whole(figure.word(), *value);
        }
    });
    if let Some(permit) = found.permit {
        object.shown("permit", permit);
    }
    write::scan(object, &found.scan);
}

pub(super) fn read_event(reader: Reader<'_>) -> Result<SignFinding, BadMember> {
    let m = reader.members;
    let sign = m.parsed("sign", Sign::from_word)?;
    if m.parsed("grade", Grade::from_word)? != sign.grade() {
        return Err(BadMember("grade"));
    }
    Ok(SignFinding {
        meter: m.parsed("meter", MeterId::new)?,
        asset: m.parsed("asset", AssetId::new)?,
        sign,
        turn: m.parsed("turn", Turn::from_word)?,
        since: reader.moment("since")?,
        figures: read_figures(reader)?,
        permit: m.optional("permit", |m| m.parsed("permit", Name::new))?,
        scan: reader.scan()?,
    })
}

/// Figures this version knows; those of a later one are left alone.
fn read_figures(reader: Reader<'_>) -> Result<Figures, BadMember> {
    let m = reader.members.object("figures")?;
    let mut figures = Figures::new();
    for name in m.0.keys() {
        let Some((word, figure)) = Figure::WORDS.iter().find(|(word, _)| word == name) else { continue };
        // More than a judge ever says are more than this version understands.
        figures.push((*figure, m.whole(word)?)).map_err(|_| BadMember("figures"))?;
    }
    Ok(figures)
}

pub(super) fn write_standing(object: &mut Object<'_>, standing: &[StandingSign]) {
    if standing.is_empty() {
        return;
    }
    object.list("signs", |list| {
        for standing in standing {
            list.object(|o| {
                o.text("sign", standing.sign.word());
                write::moment(o, "since", &standing.since);
            });
        }
    });
}

pub(super) fn read_standing(reader: Reader<'_>) -> Result<Box<[StandingSign]>, BadMember> {
    let one = |inside: Reader<'_>| {
        Ok(StandingSign {
            sign: inside.members.parsed("sign", Sign::from_word)?,
            since: inside.moment("since")?,
        })
    };
    let all = reader.members.optional("signs", |m| m.objects("signs"))?.unwrap_or_default();
    if all.len() > SIGNS {
        return Err(BadMember("signs"));
    }
    all.into_iter().map(|inside| one(reader.of(inside))).collect()
}

pub(super) fn write_set(object: &mut Object<'_>, signs: SignSet) {
    if signs.is_empty() {
        return;
    }
    object.list("signs", |list| {
        for sign in signs.iter() {
            list.object(|o| {
                o.text("sign", sign.word());
            });
        }
    });
}

pub(super) fn read_set(reader: Reader<'_>) -> Result<SignSet, BadMember> {
    let all = reader.members.optional("signs", |m| m.objects("signs"))?.unwrap_or_default();
    let mut signs = SignSet::default();
    for inside in all {
        signs.add(inside.parsed("sign", Sign::from_word)?);
    }
    Ok(signs)
}
