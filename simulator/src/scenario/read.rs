//! From the text of a scenario to a scenario, every mistake collected on the way.

use std::collections::BTreeMap;

use coldhearth::{
    agent::config::AgentConfig,
    terms::{
        AssetId, ClockQuality, Flaw, Flaws, Name,
        flaw::Wrong,
        form::{self, Form, Node},
    },
};

use super::{
    CLOSE_POLL_MS, QUIET_POLL_MS, Scenario,
    deed::Names,
    end, event,
    premises::{Premises, TABLES},
    shipped,
    site::{self, Around, FeederPlan, MeterPlan},
    time, verb,
};
use crate::{auxiliary::Auxiliaries, plant::Plant, site::FeederIndex};

pub(super) fn parse(name: &str, file: &str, text: &str) -> Result<Scenario, Vec<Flaw>> {
    let node = Node::parse(file, text)?;
    let flaws = Flaws::default();
    let scenario = Form::of(&node, &flaws).and_then(|form| scenario(name, &node, form));
    match (scenario, flaws.into_sorted()) {
        (Some(scenario), flaws) if flaws.is_empty() => Ok(scenario),
        (_, flaws) => Err(flaws),
    }
}

fn scenario(name: &str, node: &Node, form: Form<'_>) -> Option<Scenario> {
    let (zh, en) = (form.required("zh", form::text), form.required("en", form::text));
    let honest = form.required("honest", form::flag);
    let starts = form.required("starts", form::day);
    let from_ms = form.optional("from", time::on_line).unwrap_or(0);
    let until_ms = form.required("until", time::time);
    let clock = form.optional("clock", verb::clock_quality).unwrap_or(ClockQuality::Ntp);
    look_at_end(&form, from_ms, until_ms);
    let There { premises, config, feeders, meters, index } = there(node, &form, honest?)?;
    let assets: Vec<AssetId> = config.equipment.iter().map(|furnace| furnace.equipment.id).collect();
    let known: BTreeMap<Name, (FeederIndex, Auxiliaries)> = feeders
        .iter()
        .filter_map(|plan| Some((plan.id, (*index.get(&plan.id)?, plan.auxiliaries))))
        .collect();
    let furnaces = &config.equipment;
    let names =
        Names { feeders: &known, meters: &meters, buses: &premises.buses, assets: &assets, furnaces, clock };
    let lasts = from_ms..=until_ms.unwrap_or(time::MAX_LASTS_MS);
    let tables = form.tables("event").into_iter();
    let events = tables.filter_map(|event| event::event(event, &names, &lasts)).collect();
    let ends = form.tables("end").into_iter().filter_map(|end| end::end(end, &assets)).collect();
    let balances = form.optional("balances", form::one_of(end::BALANCED));
    let signs = weak_signs(&form, honest);
    let catch = form.table("catch");
    let cap = form.table("cap").and_then(end::cap);
    if catch.is_some() == honest? {
        form.flaw(
            "catch",
            "`[catch]` says by what a cheat is caught",
            "a cheat has one, an honest plant none",
        );
    }
    let mut scenario = Scenario {
        name: name.to_owned(),
        argument: name.to_owned(),
        zh: zh?,
        en: en?,
        honest: honest?,
        cap,
        starts: starts?,
        from_ms,
        until_ms: until_ms?,
        clock,
        config,
        ends,
        balances,
        signs,
        catch: None,
        premises,
        feeders,
        meters,
        events,
        index,
    };
    scenario.catch = catch.and_then(|catch| {
        end::catch(catch, &assets, &|id| scenario.feeder(id), &|asset| scenario.feeders_of(asset))
    });
    form.close();
    Some(scenario)
}

/// Weak signs that an honest plant may raise.
fn weak_signs(form: &Form<'_>, honest: Option<bool>) -> Vec<&'static str> {
    let signs = form.optional("signs", form::list(end::sign)).unwrap_or_default();
    if honest == Some(false) && !signs.is_empty() {
        form.flaw("signs", "a cheat's signs stand in `[catch]`", "leave it out");
    }
    signs
}

/// A scenario ends after it begins, and not after years.
fn look_at_end(form: &Form<'_>, from_ms: u64, until_ms: Option<u64>) {
    if let Some(until) = until_ms.filter(|until| !(from_ms + 1..=time::MAX_LASTS_MS).contains(until)) {
        form.flaw(
            "until",
            format!("{} does not lie after `from`", time::shown(until)),
            "three years at most",
        );
    }
}

/// What is declared and what is there.
struct There {
    premises: Premises,
    config: AgentConfig,
    feeders: Vec<FeederPlan>,
    meters: Vec<MeterPlan>,
    index: BTreeMap<Name, FeederIndex>,
}

/// Reads both, the agent's tables by the agent's own reader.
fn there(node: &Node, form: &Form<'_>, honest: bool) -> Option<There> {
    TABLES.iter().for_each(|key| form.pass(key));
    let note = |flaws: Vec<Flaw>| {
        flaws.into_iter().for_each(|Flaw { place, what }| form.flaws().add(place, what));
    };
    let premises = Premises::of(node, if honest { QUIET_POLL_MS } else { CLOSE_POLL_MS });
    let shelf = shipped::profiles().map_err(note).ok()?;
    let config = premises.read(&node.place, shelf).map_err(note).ok();
    let feeders = feeders(form);
    let (config, feeders) = (config?, feeders?);
    let declared = |meter: Name, key: &str| premises.said_of_meter(meter, key);
    let around = Around { feeders: &feeders, config: &config, shelf, declared: &declared };
    let installed = form.tables("installed").into_iter();
    let meters: Vec<MeterPlan> = installed.filter_map(|meter| site::installed(meter, &around)).collect();
    for meter in config.meters.iter().filter(|meter| meters.iter().all(|there| there.id != meter.id.0)) {
        form.flaw(
            "installed",
            format!("nothing says where meter `{}` stands", meter.id),
            "add an [[installed]]",
        );
    }
    let index = site::build(&mut Plant::new(0), &feeders, &meters);
    Some(There { premises, config, feeders, meters, index })
}

fn feeders(form: &Form<'_>) -> Option<Vec<FeederPlan>> {
    let mut feeders: Vec<FeederPlan> = Vec::new();
    for table in form.tables("feeder") {
        let place = table.place("id").clone();
        let Some(plan) = site::feeder(table) else { continue };
        if feeders.iter().any(|other| other.id == plan.id) {
            let wrong = format!("`{}` stands here twice", plan.id);
            form.flaws().add(place, Wrong::new(wrong, "give each its own id"));
        }
        feeders.push(plan);
    }
    if let Some(unknown) = site::unknown_incomer(&feeders) {
        form.flaw("feeder", format!("no [[feeder]] has the id `{unknown}`"), "correct `under`");
    }
    let ordered = site::in_order(&feeders);
    if ordered.is_none() {
        form.flaw("feeder", "some feeders hang on each other", "`under` names the feeder above");
    }
    ordered
}

#[cfg(test)]
mod tests {
    use coldhearth::{
        catalogue::{
            Nameplate,
            plate::{self, PlateValue},
        },
        metering::{Ask, Fault, Function, Question},
    };

    use super::*;
    use crate::scenario::Deed;

    const MELT: &str = include_str!("../../scenarios/cheats/midnight-melt.toml");
    const IDLE: &str = include_str!("../../scenarios/honest/idle.toml");

    /// What is said of a text with one place changed, as `line:column: wrong`.
    fn said(text: &str, from: &str, to: &str) -> Vec<String> {
        assert!(text.contains(from), "{from}");
        let flaws = parse("s", "s.toml", &text.replacen(from, to, 1)).map(drop).unwrap_err();
        flaws.iter().map(ToString::to_string).collect()
    }

    fn place(text: &str, of: &str) -> String {
        let line = text.lines().position(|line| line.contains(of)).unwrap() + 1;
        format!("s.toml:{line}:")
    }

    #[test]
    fn each_mistake_is_told_at_its_place() {
        let melt = "do = [{ start = \"eaf-1\", for = \"18m\" }]";
        for (text, from, to, wrong) in [
            (MELT, "zh = ", "zn = ", "`zh` is missing"),
            (MELT, "transformer_kva", "transformer_kw", "unknown key `transformer_kw`"),
            (MELT, "until = \"1d 06:00\"", "until = \"6 o'clock\"", "`until` is"),
            (MELT, "until = \"1d 06:00\"", "until = \"06:00\"", "does not lie after `from`"),
            // The agent's own reader, at the place in the scenario.
            (MELT, "no_load_w", "noload_w", "unknown key `noload_w`"),
            (MELT, "profile = \"janitza-19000\"", "profile = \"janitza\"", "there is no profile `janitza`"),
            (
                MELT,
                "meter = \"eaf-1-feeder\"",
                "meter = \"eaf-2-feeder\"",
                "no [[meter]] has the id `eaf-2-feeder`",
            ),
            (MELT, "feeder = \"eaf-1\"", "feeder = \"eaf-9\"", "no [[feeder]] has the id `eaf-9`"),
            (MELT, melt, "do = [{ start = \"eaf-9\" }]", "no [[feeder]] has the id `eaf-9`"),
            (MELT, melt, "do = [{ start = \"eaf-1\", cut = \"eaf-1\" }]", "one thing is done by each table"),
            (
                MELT,
                "at = \"23:30\"",
                "at = \"40d 23:30\"",
                "`at` is 40d 23:30:00.000, and the scenario ends at 1d 06:00",
            ),
            (
                MELT,
                "at = \"23:30\"",
                "at = \"23:30\"\nevery = \"3d\"\ntimes = 10_000",
                "`times` puts the last at 29997d 23:30:00",
            ),
            (MELT, "sway = \"", "sway = \"900d ", "`sway` moves it as far as"),
            (MELT, melt, "do = [{ start = \"eaf-1\", after = \"2d\" }]", "`do` is done as late as"),
            (MELT, "at = \"23:30\"", "at = \"00:00\"", "`onset` comes at"),
            (MELT, melt, "do = []", "nothing is done"),
            (MELT, melt, "do = [{ reset_registers = \"eaf-1-feeder\", for = \"1m\" }]", "cannot be undone"),
            (
                MELT,
                melt,
                "do = [{ rewire = \"eaf-1-feeder\", wiring = \"ct_shunted\", phase = \"l4\" }]",
                "`phase` is \"l4\"",
            ),
            (MELT, "by = [\"violation\"]", "by = [\"melting\"]", "`by` is \"melting\""),
            (MELT, "state = [\"energised\"]", "state = [\"cold\"]", "`state` is \"cold\""),
            (
                IDLE,
                "violation = false",
                "violation = false\n[catch]\nby = [\"violation\"]",
                "says by what a cheat is caught",
            ),
        ] {
            let said = said(text, from, to);
            assert!(said.iter().any(|line| line.contains(wrong)), "{to}: {said:#?}");
            assert!(said.iter().all(|line| line.starts_with("s.toml:")), "{said:#?}");
        }
        let melting = said(MELT, melt, "do = [{ start = \"eaf-9\" }]");
        assert!(melting[0].starts_with(&place(MELT, melt)), "{melting:#?}");
        let noload = said(MELT, "no_load_w", "noload_w");
        assert!(noload[0].starts_with(&place(MELT, "no_load_w")), "{noload:#?}");
    }

    #[test]
    fn no_time_is_longer_than_any_scenario() {
        let melt = "do = [{ start = \"eaf-1\", for = \"18m\" }]";
        let permit = "permit = \"maintenance\", equipment = \"eaf-1\", energy_kwh = 5";
        for (from, to, sign) in [
            ("at = \"23:30\"", "at = \"213503982334d\"".to_owned(), ""),
            ("sway = \"", "sway = \"900000d ".to_owned(), ""),
            (melt, "do = [{ start = \"eaf-1\", for = \"9000d\" }]".to_owned(), ""),
            (melt, "do = [{ level = \"eaf-1\", per_mille = 5, over = \"9000d\" }]".to_owned(), ""),
            (melt, "do = [{ clock_step = \"-9000d\" }]".to_owned(), "-"),
            (melt, "do = [{ shift_clock = \"eaf-1-feeder\", by = \"9000d\" }]".to_owned(), ""),
            (melt, format!("do = [{{ {permit}, lasts = \"213503982334d\" }}]"), ""),
            (melt, format!("do = [{{ {permit}, lasts = \"1d\", begins = \"-9000d\" }}]"), "-"),
            ("violation = true", "violation = true\nsince = \"9000d\"".to_owned(), ""),
            ("by = [\"violation\"]", "by = [\"violation\"]\nwithin = \"9000d\"".to_owned(), ""),
        ] {
            let (said, most) = (said(MELT, from, &to), format!("{sign}1096d 00:00:00.000 at most"));
            assert!(said.iter().any(|line| line.contains(&most)), "{to}: {said:#?}");
            assert!(said.iter().all(|line| line.starts_with("s.toml:")), "{said:#?}");
        }
    }

    #[test]
    fn a_nameplate_stands_in_registers_as_declared_and_an_edit_keeps_its_other_lines() {
        let scenario = shipped::named("rating-edited-past-the-bound").unwrap();
        let mut plant = scenario.plant(1);
        let kva = |plant: &Plant| {
            let words = |count| plant.read(9, Function::Holding, 1_000, count).unwrap();
            let plate = Nameplate::from_words(&words(plate::size_of(&words(5)).unwrap())).unwrap();
            assert_eq!(plate.says("furnace_product"), Some(&PlateValue::Text("ferroalloy".into())));
            plate.says("rated_apparent_power_kva").cloned()
        };
        assert_eq!(kva(&plant), Some(PlateValue::Whole(6_000)));
        let edit = scenario.deeds(1).into_iter().find(|due| due.is_onset).unwrap().deed;
        let Deed::Plant(change) = edit else { panic!("{edit:?}") };
        assert!(plant.apply(change));
        assert_eq!(kva(&plant), Some(PlateValue::Whole(6_500)));
        let melt = "do = [{ start = \"eaf-1\", for = \"18m\" }]";
        let edit = "do = [{ edit_plate = \"eaf-1\", lines = { built_year = 2009 } }]";
        assert!(said(MELT, melt, edit)[0].contains("there is no nameplate to edit"));
    }

    #[test]
    fn a_meter_may_know_nothing_of_identification() {
        let ask = Ask { unit: 1, question: Question::ServerId, deadline_ms: 1_000, gap_ms: 0 };
        let import = "import_kwh = 48_000_000";
        let answers = |text: &str| parse("s", "s.toml", text).unwrap().plant(1).answer(&ask).map(drop);
        assert_eq!(answers(IDLE), Ok(()));
        let silent = IDLE.replace(import, &format!("{import}\nidentifies = false"));
        assert_eq!(answers(&silent), Err(Fault::Exception(1)));
    }

    #[test]
    fn only_what_the_rules_name_is_undetectable() {
        let cap =
            |which: &str| format!("[cap]\nundetectable = \"{which}\"\nwords = \"this point only\"\n[catch]");
        let said = said(MELT, "[catch]", &cap("too_hard"));
        assert!(said[0].contains("`undetectable` is \"too_hard\""), "{said:#?}");
        let text = MELT.replace("[catch]", &cap("live_relay"));
        let capped = parse("s", "s.toml", &text).unwrap();
        assert!(!capped.detectable() && capped.cap.unwrap().which == "live_relay");
    }

    #[test]
    fn a_meter_stands_somewhere_and_another_measure_has_a_reason() {
        let gone = &MELT[MELT.find("[[installed]]").unwrap()..MELT.find("[[event]]").unwrap()];
        assert!(said(MELT, gone, "")[0].contains("nothing says where meter `eaf-1-feeder` stands"));
        let by = "by = [\"violation\"]";
        assert!(said(MELT, by, &format!("{by}\nlimit_kwh = 5"))[0].contains("needs a reason"));
    }
}
