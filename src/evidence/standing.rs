//! A verdict's members about the law: class, the entry it rests on, and the days that three papers name.

use super::{
    canonical::Object,
    members::{BadMember, Members},
};
use crate::{
    catalogue::{Citation, Class, Rostered, Rule, Ruling, Standing, Witness},
    terms::{Digest, LegalDay},
};

pub(super) fn write(object: &mut Object<'_>, standing: &Standing) {
    if let Some(ruling) = &standing.ruling {
        write_ruling(object, ruling);
    }
    if let Some(roster) = standing.roster {
        object.flag("on_roster", roster.day().is_some());
        if let Some(day) = roster.day() {
            object.shown("roster_deadline", day);
        }
    }
    if let Some(day) = standing.decommissioned_on {
        object.shown("decommissioned_on", day);
    }
    if let Some(plate) = standing.declared_plate {
        object.shown("declared_sha256", plate);
    }
    if let Some(days) = standing.warned_days {
        object.count("warned_days", u64::from(days));
    }
}

pub(super) fn write_ruling(object: &mut Object<'_>, ruling: &Ruling) {
    object.text("class", ruling.class.word());
    if let Some(rule) = &ruling.rule {
        object
            .text("instrument", rule.instrument.as_str())
            .text("entry", rule.entry.as_str())
            .shown("rule_sha256", rule.file)
            .text("witness", rule.witness.word());
    }
    if let Some(day) = ruling.deadline {
        object.shown("deadline", day);
    }
}

pub(super) fn read(m: Members<'_>) -> Result<Standing, BadMember> {
    let day = |name| m.optional(name, |m| m.parsed(name, LegalDay::parse));
    Ok(Standing {
        ruling: m.optional("class", read_ruling)?,
        roster: m.optional("on_roster", |m| {
            Ok(if m.flag("on_roster")? {
                Rostered::By(m.parsed("roster_deadline", LegalDay::parse)?)
            } else {
                Rostered::Absent
            })
        })?,
        decommissioned_on: day("decommissioned_on")?,
        declared_plate: m.optional("declared_sha256", |m| m.parsed("declared_sha256", Digest::from_hex))?,
        warned_days: m.optional("warned_days", |m| m.fitting("warned_days"))?,
    })
}

pub(super) fn read_ruling(m: Members<'_>) -> Result<Ruling, BadMember> {
    let rule = |m: Members<'_>| {
        Ok(Rule {
            instrument: m.parsed("instrument", Citation::new)?,
            entry: m.parsed("entry", Citation::new)?,
            file: m.parsed("rule_sha256", Digest::from_hex)?,
            witness: m.parsed("witness", Witness::from_word)?,
        })
    };
    Ok(Ruling {
        class: m.parsed("class", Class::from_word)?,
        rule: m.optional("entry", rule)?,
        deadline: m.optional("deadline", |m| m.parsed("deadline", LegalDay::parse))?,
    })
}
