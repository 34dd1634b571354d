//! Balance groups: what a person wrote of incomers, feeders, losses and couplers.

use super::{
    Meter,
    read::{MAX_POWER_W, Reader},
};
use crate::{
    judge::{
        Coupler, Group, Losses,
        balance::{MAX_GROUPS, MAX_MEMBERS, group::Position, result::blind_at},
    },
    terms::{
        MeterId, MilliWatts, Name,
        flaw::Wrong,
        form::{self, Form},
    },
};

impl Reader<'_> {
    /// Every group, with what each cannot see.
    pub(super) fn balances(&self, form: &Form<'_>, meters: &[Meter]) -> Vec<Group> {
        let groups =
            self.unique(form.tables("balance"), |group| self.balance(group, meters), |group| group.id);
        for group in &groups {
            let unknown =
                group.coupler.filter(|c| groups.iter().all(|other| other.id != c.with || c.with == group.id));
            if let Some(coupler) = unknown {
                let wrong = format!(
                    "balance `{}` has a coupler to `{}`, which is no other group",
                    group.id, coupler.with
                );
                form.flaw("balance", wrong, "name the [[balance]] of the bus on its other side");
            }
        }
        if groups.len() > MAX_GROUPS {
            let wrong = format!("{} balance groups", groups.len());
            form.flaw("balance", wrong, format!("at most {MAX_GROUPS} are allowed"));
        }
        groups
    }

    fn balance(&self, form: Form<'_>, meters: &[Meter]) -> Option<Group> {
        let id = form.required("id", form::name);
        let incomers = members(&form, "incomers", meters);
        let feeders = members(&form, "feeders", meters);
        let watts = |key| form.optional(key, form::whole(0..=MAX_POWER_W));
        let (fixed, at_load, load) = (watts("loss_fixed_w"), watts("loss_load_w"), watts("load_w"));
        if at_load.is_some() != load.is_some_and(|load| load > 0) {
            let wrong = "`loss_load_w` and `load_w` belong together";
            form.flaw("loss_load_w", wrong, "give what is lost besides at a load, and that load, or neither");
        }
        let coupler = form.table("coupler").and_then(coupler);
        if let Some(twice) = incomers.iter().find(|meter| feeders.contains(meter)) {
            let wrong = format!("meter `{twice}` is an incomer and a feeder of one group");
            form.flaw("feeders", wrong, "what it counts either comes in or goes out");
        }
        let watts = |value: Option<i64>| MilliWatts::from_watts(value.unwrap_or(0));
        let losses = Losses { fixed: watts(fixed), at_load: watts(at_load), load: watts(load) };
        let group = Group { id: id?, incomers: incomers.into(), feeders: feeders.into(), losses, coupler };
        self.say_what_hides(&form, &group, meters);
        form.close();
        Some(group)
    }

    /// What could pass by every feeder inside the errors of the incomers' classes alone.
    fn say_what_hides(&self, form: &Form<'_>, group: &Group, meters: &[Meter]) {
        let incomers = meters.iter().filter(|meter| group.incomers.contains(&meter.id));
        let (full, blind) = incomers.fold((0_i64, 0_i64), |(full, blind), meter| {
            let terms = &meter.commissioned;
            let passes = MilliWatts(terms.rated.0.min(terms.floor.capacity.0));
            let hides = blind_at(passes, terms.error_ppm());
            (full.saturating_add(passes.watts()), blind.saturating_add(hides.watts()))
        });
        let wrong =
            format!("balance `{}` cannot see up to {blind} W while its incomers carry {full} W", group.id);
        let right =
            "that is their classes' error; better classes, or fewer loads behind one incomer, make it less";
        self.warnings.add(form.place("incomers").clone(), Wrong::new(wrong, right));
    }
}

fn coupler(form: Form<'_>) -> Option<Coupler> {
    let with = form.required("with", form::name);
    let position = form.required("position", form::one_of(Position::WORDS));
    let source = form.optional("source", form::name);
    if position == Some(Position::Open) && source.is_none() {
        let wrong = "a coupler is said to be open, and nobody answers for it";
        form.flaw(
            "source",
            wrong,
            "name the drawing, seal or inspection that says so, or write position = \"unknown\"",
        );
    }
    form.close();
    Some(Coupler { with: with?, position: position?, source })
}

/// Meters by their names, each once.
fn members(form: &Form<'_>, key: &'static str, meters: &[Meter]) -> Vec<MeterId> {
    let names: Vec<Name> = form.required(key, form::list(form::name)).unwrap_or_default();
    let mut members: Vec<MeterId> = Vec::new();
    for name in names {
        let id = MeterId(name);
        if meters.iter().all(|meter| meter.id != id) {
            form.flaw(key, format!("no [[meter]] has the id `{name}`"), "add it, or correct the name");
        } else if members.contains(&id) {
            form.flaw(key, format!("meter `{name}` stands here twice"), "name each once");
        } else {
            members.push(id);
        }
    }
    if members.is_empty() && form.has(key) {
        form.flaw(key, "no meter of the group is left", "name at least one");
    }
    if members.len() > MAX_MEMBERS {
        form.flaw(key, format!("{} meters", members.len()), format!("at most {MAX_MEMBERS} are allowed"));
    }
    members
}
