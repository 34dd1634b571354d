//! What powers the gateway and each meter: said at commissioning, for whoever hangs on the feeder it watches goes dark with
//! a cut, and then proves nothing.

use super::{
    Gateway, Meter,
    listed::{self, Known},
    read::Reader,
};
use crate::terms::{
    flaw::{Place, Wrong},
    form::Form,
};

/// What to do about a witness that goes dark with the cut.
const CURE: &str = "give it another supply, or name the meter upstream or the supplier as carrier in a cut-off order; it \
     is on record";

impl Reader<'_> {
    /// Names that are no meter are mistakes; a witness that hangs on what it watches is warned of.
    pub(super) fn judge_supplies(
        &self,
        form: &Form<'_>,
        gateway: Option<&Gateway>,
        meters: &[Meter],
        known: &Known<'_, Meter>,
    ) {
        const KEY: &str = "powered_by";
        let hangs = |place: &Place, wrong: String| self.warnings.add(place.clone(), Wrong::new(wrong, CURE));
        let unknown = |place: &Place, wrong: String| {
            let right = "name a [[meter]], or leave it out when it is fed from elsewhere";
            self.flaws.lacks(place.clone(), Wrong::new(wrong, right));
        };
        if let Some(feeder) = gateway.and_then(|gateway| gateway.powered_by) {
            let table = form.table("gateway");
            let place = table.as_ref().map_or(form.place("gateway"), |table| table.place(KEY));
            if known.get(feeder).is_some() {
                let wrong = format!(
                    "the gateway hangs on `{feeder}`, which it watches: a cut there silences all of it"
                );
                hangs(place, wrong);
            } else if !known.may_be_refused(feeder) {
                unknown(place, format!("[gateway] powered_by: no meter `{feeder}` is configured"));
            }
        }
        let tables = listed::tables(form, &listed::METER);
        for (meter, feeder) in meters.iter().filter_map(|meter| Some((meter, meter.papers.powered_by?))) {
            let place = tables.get(&meter.id.0).map_or(form.place("meter"), |table| table.place(KEY));
            if feeder == meter.id.0 {
                hangs(place, format!("meter `{feeder}` hangs on the feeder it watches: a cut silences it"));
            } else if known.get(feeder).is_none() && !known.may_be_refused(feeder) {
                unknown(place, format!("meter `{}` powered_by: no meter `{feeder}` is configured", meter.id));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::agent::config::load;

    const PROFILE: &str = include_str!("../../../config/meters/janitza-19000.toml");

    /// What is said of a gateway and a meter that are powered so: all mistakes, or all warnings and what the log will tell.
    fn said(name: &str, gateway: &str, meter: &str) -> (Vec<String>, (Option<String>, bool)) {
        let folder = std::env::temp_dir().join(format!("coldhearth-supply-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("meters")).unwrap();
        fs::write(folder.join("meters/janitza-19000.toml"), PROFILE).unwrap();
        let file = folder.join("agent.toml");
        let text = format!(
            "[gateway]\nid = \"gw-1\"\ndivision = \"130421\"\nuscc = \"91350100M000100Y43\"\nstate_dir = \"state\"\n\
             profiles = \"meters\"\n{gateway}\n[broker]\nhost = \"127.0.0.1\"\n\n[[bus]]\nid = \"hall\"\n\
             endpoint = \"tcp://127.0.0.1:1502\"\n\n[[equipment]]\nid = \"eaf-1\"\nkind = \"electric_arc_furnace\"\n\
             rated_power_w = 12_500_000\ndecommissioned_on = 2011-12-31\n\n[[meter]]\nid = \"f1\"\nbus = \"hall\"\n\
             unit = 1\nprofile = \"janitza-19000\"\nserves = \"eaf-1\"\nnominal_v = 35_000\nct = \"400/5\"\n{meter}\n"
        );
        fs::write(&file, text).unwrap();
        let loaded = load(&file);
        fs::remove_dir_all(&folder).unwrap();
        let shown = |flaws: Vec<crate::terms::Flaw>| flaws.iter().map(ToString::to_string).collect();
        match loaded {
            Ok(config) => {
                let told = config.meters[0].commissioning();
                let recorded = (told.powered_by().map(str::to_owned), told.powers_gateway());
                (shown(config.warnings), recorded)
            }
            Err(flaws) => (shown(flaws), (None, false)),
        }
    }

    #[test]
    fn a_witness_that_hangs_on_what_it_watches_is_warned_of_and_recorded() {
        let hangs = |said: &[String]| said.iter().filter(|line| line.contains("hangs on")).count();
        let (plain, recorded) = said("plain", "", "");
        assert_eq!((hangs(&plain), recorded), (0, (None, false)));
        let (both, recorded) = said("both", "powered_by = \"f1\"\n", "powered_by = \"f1\"\n");
        assert_eq!((hangs(&both), recorded), (2, (Some("f1".into()), true)), "{both:?}");
        for (name, gateway, meter) in
            [("gateway", "powered_by = \"f9\"\n", ""), ("meter", "", "powered_by = \"f9\"\n")]
        {
            let (flaws, _) = said(name, gateway, meter);
            let line = if gateway.is_empty() { 29 } else { 7 };
            let told = flaws.iter().find(|flaw| flaw.contains("no meter `f9` is configured"));
            assert!(told.is_some_and(|told| told.contains(&format!("agent.toml:{line}:1: "))), "{flaws:?}");
        }
    }
}
