//! Balance groups: what a person wrote of incomers, feeders, losses and couplers.

use super::{
    Meter,
    listed::{self, Known, Listed},
    read::{MAX_POWER_W, Reader},
};
use crate::{
    judge::{
        Coupler, Group, Losses,
        balance::{MAX_GROUPS, MAX_MEMBERS, group::Position, result::blind_at},
    },
    terms::{
        MeterId, MilliWatts, Name,
        flaw::{Place, Wrong},
        form::{self, Form},
    },
};

/// What is lost in a plant's own lines and transformers, at most, in percent of what passes: more is a slip of units,
/// and would hide as much. [K: 1 to 5 % is usual, from memory, 2026]
const MOST_LOST_PERCENT: i64 = 10;

impl Reader<'_> {
    /// Every group, with what each cannot see.
    pub(super) fn balances(&self, form: &Form<'_>, meters: &Listed<Meter>) -> Vec<Group> {
        let groups = self.unique(form, &listed::BALANCE, |group| self.balance(group, meters));
        let read = &groups.fine;
        for (group, coupler) in read {
            let (Some(with), Some(place)) = (group.coupler.map(|c| c.with), coupler) else { continue };
            let other =
                read.iter().map(|(other, _)| other).find(|other| other.id == with && with != group.id);
            let Some(other) = other else {
                if groups.may_be_refused(with) {
                    continue;
                }
                let wrong =
                    format!("balance `{}` has a coupler to `{with}`, which is no other group", group.id);
                let right = "name the [[balance]] of the bus on its other side";
                self.flaws.add(place.clone(), Wrong::new(wrong, right));
                continue;
            };
            if let Some((twice, _)) = group.members().find(|member| other.members().any(|m| m == *member)) {
                let wrong =
                    format!("meter `{twice}` stands in `{}` and in `{with}` beyond the coupler", group.id);
                let right = "it hangs on one of the two buses: leave it out of the other";
                self.flaws.add(place.clone(), Wrong::new(wrong, right));
            }
        }
        if read.len() > MAX_GROUPS {
            let wrong = format!("{} balance groups", read.len());
            form.flaw("balance", wrong, format!("at most {MAX_GROUPS} are allowed"));
        }
        groups.fine.into_iter().map(|(group, _)| group).collect()
    }

    /// A group, and where its coupler's other side is named.
    fn balance(&self, form: Form<'_>, meters: &Listed<Meter>) -> Option<(Group, Option<Place>)> {
        let id = form.required("id", form::name);
        let known = meters.known(&listed::METER, |meter| meter.id.0);
        let incomers = members(&form, "incomers", &known);
        let feeders = members(&form, "feeders", &known);
        let losses = losses(&form);
        let coupler = form.table("coupler").and_then(coupler).unzip();
        if let Some(twice) = incomers.iter().find(|meter| feeders.contains(meter)) {
            let wrong = format!("meter `{twice}` is an incomer and a feeder of one group");
            form.flaw("feeders", wrong, "what it counts either comes in or goes out");
        }
        let group =
            Group { id: id?, incomers: incomers.into(), feeders: feeders.into(), losses, coupler: coupler.0 };
        self.say_what_hides(&form, &group, &meters.fine);
        form.close();
        Some((group, coupler.1))
    }

    /// What could pass by every feeder inside the errors of the incomers' classes alone, and below the feeders' floors.
    fn say_what_hides(&self, form: &Form<'_>, group: &Group, meters: &[Meter]) {
        let incomers = meters.iter().filter(|meter| group.incomers.contains(&meter.id));
        let (full, blind) = incomers.fold((0_i64, 0_i64), |(full, blind), meter| {
            let terms = &meter.commissioned;
            let passes = MilliWatts(terms.rated.0.min(terms.floor.capacity.0));
            let hides = blind_at(passes, terms.error_ppm());
            (full.saturating_add(passes.watts()), blind.saturating_add(hides.watts()))
        });
        let most_lost = full / 100 * MOST_LOST_PERCENT;
        let fixed = group.losses.fixed.watts();
        if full > 0 && fixed > most_lost {
            let wrong =
                format!("`loss_fixed_w` is {fixed} W, more than a tenth of the {full} W its incomers carry");
            form.flaw("loss_fixed_w", wrong, format!("watts are expected, at most {most_lost}"));
        }
        let feeders = meters.iter().filter(|meter| group.feeders.contains(&meter.id));
        let rests: i64 =
            feeders.fold(0, |sum, meter| sum.saturating_add(meter.commissioned.floor.power.watts()));
        let wrong = format!(
            "balance `{}` cannot see up to {blind} W while its incomers carry {full} W, and {rests} W more while its \
             feeders rest below their floors",
            group.id
        );
        let right =
            "that is their classes' error; better classes, or fewer loads behind one incomer, make it less";
        self.warnings.add(form.place("incomers").clone(), Wrong::new(wrong, right));
    }
}

fn losses(form: &Form<'_>) -> Losses {
    let watts = |key| form.optional(key, form::whole(0..=MAX_POWER_W));
    let (fixed, at_load, load) = (watts("loss_fixed_w"), watts("loss_load_w"), watts("load_w"));
    if at_load.is_some() != load.is_some_and(|load| load > 0) {
        let wrong = "`loss_load_w` and `load_w` belong together";
        let key = if at_load.is_some() { "loss_load_w" } else { "load_w" };
        form.flaw(key, wrong, "give what is lost besides at a load, and that load, or neither");
    }
    if let (Some(lost), Some(load)) = (at_load, load)
        && load > 0
        && lost > load / 100 * MOST_LOST_PERCENT
    {
        let wrong = format!("`loss_load_w` is {lost} W at a load of {load} W, more than a tenth of it");
        let right = format!("watts are expected, at most {}", load / 100 * MOST_LOST_PERCENT);
        form.flaw("loss_load_w", wrong, right);
    }
    let watts = |value: Option<i64>| MilliWatts::from_watts(value.unwrap_or(0));
    Losses { fixed: watts(fixed), at_load: watts(at_load), load: watts(load) }
}

/// A coupler, and where its other side is named.
fn coupler(form: Form<'_>) -> Option<(Coupler, Place)> {
    let place = form.place("with").clone();
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
    Some((Coupler { with: with?, position: position?, source }, place))
}

/// Meters by their names, each once.
fn members(form: &Form<'_>, key: &'static str, meters: &Known<'_, Meter>) -> Vec<MeterId> {
    let Some(names): Option<Vec<Name>> = form.required(key, form::list(form::name)) else {
        return Vec::new();
    };
    if names.is_empty() {
        form.flaw(key, format!("`{key}` names no meter"), "name at least one");
    }
    let mut members: Vec<MeterId> = Vec::new();
    for name in names {
        let id = MeterId(name);
        if members.contains(&id) {
            form.flaw(key, format!("meter `{name}` stands here twice"), "name each once");
        } else if meters.find(form, key, name).is_some() {
            members.push(id);
        }
    }
    if members.len() > MAX_MEMBERS {
        form.flaw(key, format!("{} meters", members.len()), format!("at most {MAX_MEMBERS} are allowed"));
    }
    members
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::agent::config::load;

    const PROFILE: &str = include_str!("../../../config/meters/janitza-19000.toml");
    const PLANT: &str = r#"[gateway]
id = "gw-1"
division = "130421"
uscc = "91350100M000100Y43"
state_dir = "state"
profiles = "meters"

[broker]
host = "127.0.0.1"

[[bus]]
id = "hall"
endpoint = "tcp://127.0.0.1:1502"
"#;
    const GROUP: &str = r#"
[[balance]]
id = "bus-1"
incomers = ["in-1"]
feeders = ["f1", "f2"]
loss_fixed_w = 20_000
loss_load_w = 180_000
load_w = 40_000_000
"#;
    const SECOND: &str = r#"
[[balance]]
id = "bus-2"
incomers = ["in-2"]
feeders = ["f3"]
coupler = { with = "bus-1", position = "open", source = "drawing-7" }
"#;

    fn plant() -> String {
        let mut text = PLANT.to_owned();
        for (unit, meter) in ["in-1", "in-2", "f1", "f2", "f3"].into_iter().enumerate() {
            let unit = unit + 1;
            text += &format!(
                "\n[[equipment]]\nid = \"eaf-{unit}\"\nkind = \"electric_arc_furnace\"\nrated_power_w = 12_500_000\n\
                 decommissioned_on = 2011-12-31\n\n[[meter]]\nid = \"{meter}\"\nbus = \"hall\"\nunit = {unit}\n\
                 profile = \"janitza-19000\"\nserves = \"eaf-{unit}\"\nnominal_v = 35_000\nct = \"400/5\"\n"
            );
        }
        text
    }

    /// What `check` says of these groups: flaws when it refuses them, warnings when it does not.
    fn checked(name: &str, groups: &str) -> (Vec<String>, Vec<String>) {
        let folder = std::env::temp_dir().join(format!("coldhearth-balance-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("meters")).unwrap();
        fs::write(folder.join("meters/janitza-19000.toml"), PROFILE).unwrap();
        let file = folder.join("agent.toml");
        fs::write(&file, plant() + groups).unwrap();
        let loaded = load(&file);
        fs::remove_dir_all(&folder).unwrap();
        let shown = |flaws: Vec<crate::terms::Flaw>| {
            flaws.into_iter().map(|f| f.to_string().replace(&format!("{}:", file.display()), "")).collect()
        };
        match loaded {
            Ok(config) => (Vec::new(), shown(config.warnings)),
            Err(flaws) => (shown(flaws), Vec::new()),
        }
    }

    #[test]
    fn a_group_that_is_right_says_what_it_cannot_see() {
        let (flaws, warnings) = checked("right", &format!("{GROUP}{SECOND}"));
        assert_eq!(flaws, [""; 0]);
        let hides: Vec<&String> = warnings.iter().filter(|w| w.contains("cannot see")).collect();
        assert!(hides.len() == 2 && hides[0].contains("balance `bus-1` cannot see up to"), "{warnings:?}");
        assert!(hides[0].contains("while its incomers carry 12500000 W, and "), "{}", hides[0]);
    }

    /// A line of a group, what is written instead, in which column it is found (0: elsewhere), what is wrong, what to do.
    type Mistake = (usize, &'static str, usize, &'static str, &'static str);

    const IN_GROUP: [Mistake; 13] = [
        (3, r#"incomers = ["in-9"]"#, 1, "no [[meter]] has the id `in-9`", "add it, or correct"),
        (3, "incomers = []", 1, "`incomers` names no meter", "name at least one"),
        (3, "", 0, "`incomers` is missing", "add `incomers = ...`"),
        (4, r#"feeders = ["f1", "f1"]"#, 1, "meter `f1` stands here twice", "name each once"),
        (
            4,
            r#"feeders = ["f1", "in-1"]"#,
            1,
            "`in-1` is an incomer and a feeder",
            "either comes in or goes out",
        ),
        (4, r#"feeders = "f1, f2""#, 1, "`feeders`", ""),
        (5, "loss_fixed_w = -1", 1, "`loss_fixed_w` is -1", ""),
        (5, "loss_fixed_w = 2_000_000", 1, "more than a tenth of the 12500000 W", "at most 1250000"),
        (6, "", 0, "`loss_load_w` and `load_w` belong together", "or neither"),
        (7, "", 0, "`loss_load_w` and `load_w` belong together", "or neither"),
        (7, "load_w = 0", 0, "`loss_load_w` and `load_w` belong together", "or neither"),
        (6, "loss_load_w = 18_000_000", 1, "more than a tenth of it", "at most 4000000"),
        (6, "loss_load_w = 180_000\nloss_laod_w = 5", 1, "unknown key `loss_laod_w`", ""),
    ];

    const IN_SECOND: [Mistake; 8] = [
        (2, r#"id = "bus-1""#, 1, "`bus-1` stands here twice", "give each its own id"),
        (2, r#"id = "Bus 2""#, 1, "`id`", ""),
        (
            5,
            r#"coupler = { with = "bus-9", position = "closed" }"#,
            13,
            "a coupler to `bus-9`, which is no other group",
            "the bus on its other side",
        ),
        (
            5,
            r#"coupler = { with = "bus-2", position = "closed" }"#,
            13,
            "a coupler to `bus-2`, which is no other group",
            "the bus on its other side",
        ),
        (5, r#"coupler = { with = "bus-1", position = "ajar" }"#, 29, "`position` is \"ajar\"", ""),
        (
            5,
            r#"coupler = { with = "bus-1", position = "open" }"#,
            1,
            "nobody answers for it",
            "write position = \"unknown\"",
        ),
        (5, r#"coupler = { position = "closed" }"#, 1, "`with`", ""),
        (
            4,
            r#"feeders = ["f2", "f3"]"#,
            0,
            "meter `f2` stands in `bus-2` and in `bus-1` beyond the coupler",
            "leave it out of the other",
        ),
    ];

    #[test]
    fn every_mistake_has_its_place_and_its_cure() {
        let (both, above) = (format!("{GROUP}{SECOND}"), plant().lines().count());
        let in_group = IN_GROUP.iter().map(|mistake| (GROUP, above, mistake));
        let in_second = IN_SECOND.iter().map(|mistake| (SECOND, above + GROUP.lines().count(), mistake));
        for (turn, (group, above, mistake)) in in_group.chain(in_second).enumerate() {
            let (at, instead, column, wrong, right) = *mistake;
            let line = group.lines().nth(at).unwrap();
            let (flaws, _) = checked(&format!("wrong-{turn}"), &both.replacen(line, instead, 1));
            let told = flaws.iter().find(|flaw| flaw.contains(wrong));
            let told = told.unwrap_or_else(|| panic!("`{instead}` should say `{wrong}`: {flaws:?}"));
            assert!(told.contains(right) && flaws.len() == 1, "{instead}: {flaws:?}");
            let number = above + at + 1 + instead.matches('\n').count();
            let place = format!("{number}:{column}: ");
            // A missing line is told at its table or beside its partner, a meter shared at the coupler.
            assert!(column == 0 || told.starts_with(&place), "{instead}: {told}");
        }
    }

    #[test]
    fn more_groups_than_fit_are_told() {
        let many: String = (0..65)
            .map(|id| format!("\n[[balance]]\nid = \"b{id}\"\nincomers = [\"in-1\"]\nfeeders = [\"f1\"]\n"))
            .collect();
        let (flaws, _) = checked("many", &many);
        assert!(
            flaws.len() == 1 && flaws[0].contains("65 balance groups, at most 64 are allowed"),
            "{flaws:?}"
        );
    }
}
