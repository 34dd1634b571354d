//! What somebody asks for in an address or a form, read into types that cannot be wrong. PURE file.

use super::asks::AlarmsAsked;
use crate::{
    catalogue::{Class, Rules},
    regulator::{
        alarms::{Kind, Priority},
        store::{
            Part,
            sights::{After, AskedAt, FleetAsked, Lane, Scope},
        },
    },
    terms::{
        GatewayId, LegalDay,
        place::CreditCode,
        words::{self, Words},
    },
};

/// Longest entry that is asked for, in bytes: an instrument and one of its entries.
const MAX_ENTRY_BYTES: usize = 160;

/// Pairs of an address or a form, as browsers write them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Reads what stands behind the `?`, or a form's body.
    pub(super) fn read(raw: &[u8]) -> Pairs {
        Pairs(
            form_urlencoded::parse(raw).map(|(key, value)| (key.into_owned(), value.into_owned())).collect(),
        )
    }

    /// The lines of a form that was brought in parts.
    pub(super) fn of(lines: Vec<(String, String)>) -> Pairs {
        Pairs(lines)
    }

    /// What is said under a name; `None` where nothing is, or nothing but blanks.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        let said = self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
        said.filter(|value| !value.is_empty())
    }
}

impl Pairs {
    /// Where a form says to go on, if that is a page of ours; `or` otherwise.
    pub(super) fn back<'p>(&'p self, or: &'p str) -> &'p str {
        let is_here = |back: &&str| {
            // Browsers take a backslash for a slash, and read no blank and no control character at all.
            let second = back.chars().nth(1);
            back.starts_with('/')
                && second.is_none_or(|c| !matches!(c, '/' | '\\' | '\0'..='\x20'))
                && !back.chars().any(char::is_control)
        };
        self.one("back").filter(is_here).unwrap_or(or)
    }
}

/// Writes pairs into an address; those without a value are left out.
pub(super) fn written(pairs: &[(&str, &str)]) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        out.append_pair(key, value);
    }
    out.finish()
}

/// A filter of the fleet, within what its person may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) within: Scope,
    pub(super) lane: Lane,
    pub(super) enterprise: Option<CreditCode>,
    pub(super) gateway: Option<GatewayId>,
    pub(super) class: Option<Class>,
    pub(super) entry: Option<String>,
    /// An industry of the notice, by its English name.
    pub(super) industry: Option<String>,
    pub(super) due_by: Option<LegalDay>,
    pub(super) after: After,
}

impl Filter {
    /// Reads a filter of a person with this scope; a division outside of it is as one that is not there.
    pub(super) fn read(pairs: &Pairs, scope: &Scope) -> Result<Filter, Words> {
        let asked = read(pairs, "in", Scope::parse)?.unwrap_or(Scope::NATION);
        let after = |name: &str| pairs.one(name).unwrap_or("").to_owned();
        let text = |text: &str| (text.len() <= MAX_ENTRY_BYTES).then(|| text.to_owned());
        Ok(Filter {
            within: asked.within(scope).ok_or(words::K_NOT_HERE)?,
            lane: read(pairs, "lane", Lane::from_word)?.unwrap_or(Lane::All),
            enterprise: read(pairs, "enterprise", CreditCode::parse)?,
            gateway: read(pairs, "gateway", GatewayId::new)?,
            class: read(pairs, "class", Class::from_word)?,
            entry: read(pairs, "entry", text)?,
            industry: read(pairs, "industry", text)?,
            due_by: read(pairs, "due_by", LegalDay::parse)?,
            after: After { division: after("a_div"), gateway: after("a_gw"), asset: after("a_as") },
        })
    }

    /// As a store is asked.
    pub(super) fn asked(&self, rules: &Rules, at: AskedAt, most: u32) -> FleetAsked {
        FleetAsked {
            scope: self.within.clone(),
            lane: self.lane,
            enterprise: self.enterprise,
            gateway: self.gateway,
            class: self.class.map(|class| class.word().to_owned()),
            entries: self.entries(rules),
            due_by: self.due_by,
            after: self.after.clone(),
            most,
            at,
        }
    }

    /// The entries that are asked for, `instrument entry`; none where any is.
    fn entries(&self, rules: &Rules) -> Option<Vec<String>> {
        let Some(industry) = &self.industry else { return self.entry.clone().map(|entry| vec![entry]) };
        let named = entries_of(rules, industry);
        Some(named.filter(|named| self.entry.as_ref().is_none_or(|entry| entry == named)).collect())
    }

    /// The filter as an address carries it, from its first page.
    pub(super) fn query(&self) -> String {
        self.query_after(&After::default())
    }

    /// The filter from a place on.
    pub(super) fn query_after(&self, after: &After) -> String {
        let due_by = self.due_by.map_or_else(String::new, |day| day.to_string());
        written(&[
            ("in", self.within.as_str()),
            ("lane", if self.lane == Lane::All { "" } else { self.lane.word() }),
            ("enterprise", self.enterprise.as_ref().map_or("", |enterprise| enterprise.as_str())),
            ("gateway", self.gateway.as_ref().map_or("", |gateway| gateway.as_str())),
            ("class", self.class.map_or("", |class| class.word())),
            ("entry", self.entry.as_deref().unwrap_or("")),
            ("industry", self.industry.as_deref().unwrap_or("")),
            ("due_by", &due_by),
            ("a_div", &after.division),
            ("a_gw", &after.gateway),
            ("a_as", &after.asset),
        ])
    }
}

/// A filter of the alarms, within what its person may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AlarmFilter {
    pub(super) within: Scope,
    pub(super) kind: Option<Kind>,
    pub(super) priority: Option<Priority>,
    pub(super) part: Part,
    /// The place after which the page begins.
    pub(super) after: Option<String>,
}

impl AlarmFilter {
    /// Reads a filter of a person with this scope; a division outside of it is as one that is not there.
    pub(super) fn read(pairs: &Pairs, scope: &Scope) -> Result<AlarmFilter, Words> {
        let asked = read(pairs, "in", Scope::parse)?.unwrap_or(Scope::NATION);
        Ok(AlarmFilter {
            within: asked.within(scope).ok_or(words::K_NOT_HERE)?,
            kind: read(pairs, "kind", Kind::from_word)?,
            priority: read(pairs, "priority", Priority::from_word)?,
            part: read(pairs, "part", Part::from_word)?.unwrap_or_default(),
            after: pairs.one("after").map(ToOwned::to_owned),
        })
    }

    /// As the alarms are asked.
    pub(super) fn asked(&self, most: u32) -> AlarmsAsked {
        AlarmsAsked {
            kind: self.kind,
            priority: self.priority,
            part: self.part,
            after: self.after.clone(),
            ..AlarmsAsked::all(self.within.clone(), most)
        }
    }

    /// The filter as an address carries it, from a place on.
    pub(super) fn query_after(&self, after: &str) -> String {
        written(&[
            ("in", self.within.as_str()),
            ("kind", self.kind.map_or("", Kind::word)),
            ("priority", self.priority.map_or("", Priority::word)),
            ("part", if self.part == Part::Listed { "" } else { self.part.word() }),
            ("after", after),
        ])
    }
}

/// Which part of a day's numbers is asked for, within what its person may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DayFilter {
    pub(super) within: Scope,
    /// An industry of the notice, by its English name.
    pub(super) industry: Option<String>,
    /// Equipment alone whose last lawful day is this or an earlier one.
    pub(super) due_by: Option<LegalDay>,
}

impl DayFilter {
    /// Reads one of a person with this scope; a division outside of it is as one that is not there.
    pub(super) fn read(pairs: &Pairs, scope: &Scope) -> Result<DayFilter, Words> {
        let Filter { within, industry, due_by, .. } = Filter::read(pairs, scope)?;
        Ok(DayFilter { within, industry, due_by })
    }

    /// The entries of its industry, `instrument entry`; `None` where any will do.
    pub(super) fn entries(&self, rules: &Rules) -> Option<Vec<String>> {
        self.industry.as_deref().map(|industry| entries_of(rules, industry).collect())
    }

    /// The filter as an address carries it, before what else is asked for.
    pub(super) fn query(&self, more: &[(&str, &str)]) -> String {
        let due_by = self.due_by.map_or_else(String::new, |day| day.to_string());
        let own = [
            ("in", self.within.as_str()),
            ("industry", self.industry.as_deref().unwrap_or("")),
            ("due_by", &due_by),
        ];
        // What is asked for besides takes the place of the filter's own.
        let own = own.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        written(&own.chain(more.iter().copied()).collect::<Vec<_>>())
    }
}

/// The entries of an industry, `instrument entry`.
fn entries_of<'r>(rules: &'r Rules, industry: &'r str) -> impl Iterator<Item = String> + 'r {
    let of_industry = rules.entries().filter(move |entry| entry.industry.en == industry);
    of_industry.map(|entry| format!("{} {}", entry.source.id, entry.id.as_str()))
}

fn read<T>(pairs: &Pairs, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Words> {
    pairs.one(name).map(|text| read(text).ok_or(words::K_FILTER_WRONG)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(raw: &str, scope: &str) -> Result<Filter, Words> {
        Filter::read(&Pairs::read(raw.as_bytes()), &Scope::parse(scope).unwrap())
    }

    #[test]
    fn nobody_asks_beyond_what_may_be_seen() {
        assert_eq!(filter("", "130421").unwrap().within.as_str(), "130421");
        assert_eq!(filter("in=13", "130421").unwrap().within.as_str(), "130421", "never more");
        assert_eq!(filter("in=130421", "13").unwrap().within.as_str(), "130421");
        assert_eq!(filter("in=130422", "130421"), Err(words::K_NOT_HERE));
        assert_eq!(filter("in=14", "130421"), Err(words::K_NOT_HERE));
    }

    #[test]
    fn a_filter_of_the_alarms_is_the_same_written_and_read_and_never_wider_than_its_person() {
        let read =
            |raw: &str| AlarmFilter::read(&Pairs::read(raw.as_bytes()), &Scope::parse("1304").unwrap());
        let raw = "in=130421&kind=tamper&priority=high&part=out_of_service&after=v.5.0707070707070707";
        let filter = read(raw).unwrap();
        assert_eq!(filter.query_after(filter.after.as_deref().unwrap()), raw);
        assert_eq!(read("").unwrap().within.as_str(), "1304");
        assert_eq!(read("in=14"), Err(words::K_NOT_HERE));
        for wrong in ["kind=x", "priority=x", "part=x", "in=x"] {
            assert_eq!(read(wrong), Err(words::K_FILTER_WRONG), "{wrong}");
        }
        let today = DayFilter::read(&Pairs::read(b"in=130421&industry=Coke"), &Scope::NATION).unwrap();
        assert_eq!(today.query(&[("lane", "due")]), "in=130421&industry=Coke&lane=due");
        let today = DayFilter::read(&Pairs::read(b"due_by=2011-12-31"), &Scope::NATION).unwrap();
        assert_eq!(today.query(&[("lane", "due")]), "due_by=2011-12-31&lane=due");
        assert_eq!(today.query(&[("due_by", "2011-06-30")]), "due_by=2011-06-30", "once");
    }

    #[test]
    fn a_form_leads_nowhere_else() {
        let back = |raw: &str| Pairs::read(raw.as_bytes()).back("/alarms").to_owned();
        assert_eq!(back("back=/"), "/");
        assert_eq!(back("back=%2Fasset%2Fgw-03%2Feaf-2%3Fdays%3D7"), "/asset/gw-03/eaf-2?days=7");
        for wrong in [
            "",
            "back=%2F%2Fevil.example",
            "back=https%3A%2F%2Fevil.example",
            "back=%2F%5Cevil.example",
            "back=/%09/evil.example",
            "back=/%20/evil.example",
            "back=/%0A/evil.example",
            "back=/fl%09eet",
        ] {
            assert_eq!(back(wrong), "/alarms", "{wrong}");
        }
    }

    #[test]
    fn a_filter_is_the_same_written_and_read() {
        let raw = "in=1304&lane=latched&enterprise=91350100M000100Y43&gateway=gw-03&class=in_scope\
                   &entry=guofa-2010-7+iron%2Fbf-400&industry=Iron+and+steel&due_by=2011-12-31";
        let read = filter(raw, "13").unwrap();
        assert_eq!(read.lane, Lane::Latched);
        assert_eq!(read.entry.as_deref(), Some("guofa-2010-7 iron/bf-400"));
        assert_eq!(filter(&read.query(), "13").unwrap(), read);
        let after = After { division: "130421".into(), gateway: "gw-03".into(), asset: "eaf-2".into() };
        assert_eq!(filter(&read.query_after(&after), "13").unwrap().after, after);
    }

    #[test]
    fn an_industry_is_its_entries_and_one_that_is_not_there_has_none() {
        let rules = Rules::shipped().unwrap();
        let entries = |raw: &str| filter(raw, "13").unwrap().entries(&rules);
        let steel = entries("industry=Iron+and+steel").unwrap();
        assert!(steel.contains(&"guofa-2010-7 steel-blast-furnace-up-to-400m3".to_owned()), "{steel:?}");
        assert!(steel.iter().all(|entry| !entry.contains("cement")), "{steel:?}");
        assert_eq!(entries("industry=Witchcraft"), Some(Vec::new()), "nothing, and not everything");
        assert_eq!(entries("entry=x"), Some(vec!["x".to_owned()]));
        assert_eq!(entries("industry=Iron+and+steel&entry=x"), Some(Vec::new()));
        assert_eq!(entries(""), None);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_not_taken_for_everything() {
        for wrong in ["lane=off", "enterprise=1", "gateway=GW", "class=x", "due_by=2011-02-29", "in=1"] {
            assert_eq!(filter(wrong, "13"), Err(words::K_FILTER_WRONG), "{wrong}");
        }
        assert_eq!(
            filter("lane=&enterprise=+", "13").unwrap().lane,
            Lane::All,
            "an empty field asks for nothing"
        );
    }
}
