//! `[[receiver]]`: who is told of alarms, of which, and how.

use std::path::Path;

use crate::{
    regulator::alarms::{Format, Kind, Receiver, Way, Webhook, outs, receiver::own_level},
    terms::{
        flaw::Wrong,
        form::{self, Form},
        place::{self, Division},
    },
};

/// Most receivers.
pub const MAX_RECEIVERS: usize = 64;

const KINDS: &[(&str, Kind)] = &[
    (Kind::Violation.word(), Kind::Violation),
    (Kind::EvidenceMissing.word(), Kind::EvidenceMissing),
    (Kind::Tamper.word(), Kind::Tamper),
    (Kind::DeviceFault.word(), Kind::DeviceFault),
    (Kind::RuleData.word(), Kind::RuleData),
];
const FORMATS: &[(&str, Format)] =
    &[("coldhearth", Format::Coldhearth), ("alertmanager", Format::Alertmanager)];

/// Reads all of them; a name stands for one.
pub(super) fn receivers(form: &Form<'_>, base: &Path) -> Vec<Receiver> {
    let mut all: Vec<Receiver> = Vec::new();
    for table in form.tables("receiver") {
        let place = table.place("name").clone();
        let flaws = table.flaws();
        let Some(receiver) = receiver(table, base) else { continue };
        let wrong = |wrong: String, right: &str| {
            flaws.add(place.clone(), Wrong::new(wrong, right));
        };
        if all.iter().any(|other| other.name == receiver.name) {
            wrong(format!("receiver `{}` is named twice", receiver.name), "give each a name of its own");
        } else if all.len() >= MAX_RECEIVERS {
            wrong(format!("more than {MAX_RECEIVERS} receivers"), "let one of them hand on to others");
        } else {
            all.push(receiver);
        }
    }
    all
}

fn division(value: &form::Value) -> form::Reading<Division> {
    let right = "six digits of GB/T 2260 are expected, 000000 for the nation";
    let division = form::parsed(value, Division::parse, right)?;
    let meant = place::provinces_meant(&division.to_string());
    if meant.is_empty() {
        return Ok(division);
    }
    Err(Wrong::new(format!("is \"{division}\""), place::no_such_province(&meant)))
}

fn receiver(form: Form<'_>, base: &Path) -> Option<Receiver> {
    let name = form.required("name", form::name);
    let division = form.required("division", division);
    let hears = form.optional("hears", form::one_of(super::LEVELS));
    let kinds = form.optional("kinds", form::list(form::one_of(KINDS)));
    let way = way(&form, base);
    form.close();
    let division = division?;
    Some(Receiver {
        name: name?,
        division,
        hears: hears.unwrap_or_else(|| own_level(division)),
        kinds: kinds.unwrap_or_else(|| Kind::ALL.to_vec()),
        way: way?,
    })
}

fn way(form: &Form<'_>, base: &Path) -> Option<Way> {
    let mqtt = form.optional("mqtt", form::flag).unwrap_or(false);
    let command = form.optional("command", form::list(form::text));
    let webhook = form.optional("webhook", form::text);
    let format = form.optional("format", form::one_of(FORMATS));
    let ca = form.optional("ca", form::text);
    let named = [mqtt, command.is_some(), webhook.is_some()].into_iter().filter(|is| *is).count();
    if named != 1 {
        form.flaw(
            "name",
            "a receiver is told by one way",
            "name one of `mqtt = true`, `command = [\"…\"]` and `webhook = \"…\"`",
        );
        return None;
    }
    if webhook.is_none() && (format.is_some() || ca.is_some()) {
        form.flaw("webhook", "`format` and `ca` belong to a `webhook`", "leave them out");
    }
    if mqtt {
        return Some(Way::Mqtt);
    }
    if let Some(words) = command {
        let is_named = words.first().is_some_and(|program| Path::new(program).is_absolute());
        if !is_named {
            form.flaw("command", "`command` names no program by its whole path", "write [\"/usr/bin/…\", …]");
            return None;
        }
        return Some(Way::Command(words));
    }
    let url = webhook?;
    if !outs::is_safe(&url, ca.is_some()) {
        form.flaw(
            "webhook",
            "a notification would leave this machine unencrypted, or for nobody who is known, or by a password in its address",
            "write https://… and `ca = \"ca.pem\"`, or http:// at a loopback address without; nothing before an @",
        );
        return None;
    }
    let format = format.unwrap_or(Format::Coldhearth);
    Some(Way::Webhook(Webhook { url, format, ca: ca.map(|ca| base.join(ca)) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::{Flaws, form::Node, place::Level};

    fn read(text: &str) -> (Vec<Receiver>, Vec<String>) {
        let node = Node::parse("r.toml", text).unwrap();
        let flaws = Flaws::default();
        let all = receivers(&Form::of(&node, &flaws).unwrap(), Path::new("/etc"));
        (all, flaws.into_sorted().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_receiver_hears_the_level_of_his_division_and_all_kinds_unless_told_otherwise() {
        let (all, wrong) = read(
            "[[receiver]]\nname = \"handan\"\ndivision = \"130400\"\nmqtt = true\n\
             [[receiver]]\nname = \"desk\"\ndivision = \"000000\"\nhears = \"county\"\nkinds = [\"violation\"]\n\
             webhook = \"https://alerts.example/api/v2/alerts\"\nformat = \"alertmanager\"\nca = \"ca.pem\"\n\
             [[receiver]]\nname = \"pager\"\ndivision = \"130000\"\ncommand = [\"/usr/bin/page\", \"-q\"]\n",
        );
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(
            all.iter().map(|one| one.hears).collect::<Vec<_>>(),
            [Level::City, Level::County, Level::Province]
        );
        assert_eq!((all[0].kinds.len(), all[1].kinds.as_slice()), (5, &[Kind::Violation][..]));
        let Way::Webhook(webhook) = &all[1].way else { panic!("{:?}", all[1]) };
        assert_eq!(webhook.ca.as_deref(), Some(Path::new("/etc/ca.pem")));
    }

    #[test]
    fn mistakes_are_told_with_their_place_and_their_cure() {
        let begin = "[[receiver]]\nname = \"a\"\ndivision = \"130000\"\n";
        for (rest, told) in [
            ("", "one way"),
            ("mqtt = true\ncommand = [\"/bin/true\"]\n", "one way"),
            ("command = [\"page\"]\n", "whole path"),
            ("webhook = \"http://alerts.example/\"\n", "unencrypted"),
            ("mqtt = true\nkinds = [\"violations\"]\n", "one of violation"),
            ("mqtt = true\nformat = \"alertmanager\"\n", "belong to a `webhook`"),
            ("mqtt = true\nhear = \"county\"\n", "did you mean `hears`?"),
        ] {
            let (_, wrong) = read(&format!("{begin}{rest}"));
            assert!(wrong.len() == 1 && wrong[0].contains(told), "{rest}: {wrong:?}");
        }
        let (_, wrong) = read("[[receiver]]\nname = \"a\"\ndivision = \"990000\"\nmqtt = true\n");
        assert!(wrong.len() == 1 && wrong[0].contains("no such province"), "nobody would be told: {wrong:?}");
        let (all, wrong) = read(&format!("{begin}mqtt = true\n{begin}mqtt = true\n"));
        assert!(all.len() == 1 && wrong.len() == 1 && wrong[0].contains("twice"), "{wrong:?}");
    }
}
