//! What stands on a nameplate, line by line beside what the rule asks of it: Chinese decides, and stands first.

use maud::{Markup, html};

use super::{asset::Case, head};
use crate::{
    catalogue::{
        CasePlate, Claim, Class, Datum, Entry, Nameplate, PlateSource, Ruling,
        case::DETERMINATIONS,
        entry::{Criterion, Order, Predicate, Test},
        plate::PlateValue,
    },
    evidence::{Body, Record},
    judge::{Event, Finding},
    regulator::console::{Console, stamped},
    terms::{
        Digest,
        words::{self, Language, Words},
    },
};

/// A nameplate by the record that tells it.
pub(super) struct Plate {
    pub(super) source: PlateSource,
    pub(super) plate: Nameplate,
    pub(super) hash: Digest,
}

impl Plate {
    /// What the machine is called, where its plate tells.
    pub(super) fn name(&self) -> Option<String> {
        match self.plate.says("name_zh")? {
            PlateValue::Text(name) => Some(name.clone()),
            PlateValue::Whole(_) | PlateValue::Decimal { .. } | PlateValue::Flag(_) => None,
        }
    }
}

/// A nameplate out of the record that tells it.
pub(super) fn of_record(record: Record) -> Option<Plate> {
    let Body::Finding(Finding::Event(Event::Plate(read))) = record.body else { return None };
    Some(Plate { source: read.source, plate: read.plate, hash: record.hash })
}

pub(super) fn show(case: &Case, console: &Console, language: Language) -> Markup {
    let ruling = ruling(case);
    let entry = ruling.and_then(named).and_then(|id| console.rules.entry(&id));
    html! {
        @match &case.plate {
            Some(plate) => { (lines(plate, entry, language)) },
            None => { p { (words::K_NO_PLATE.in_language(language)) } },
        }
        @match entry {
            Some(entry) => { (clause(entry, language)) },
            None if ruling.is_some_and(|ruling| ruling.class == Class::Undetermined) => {
                p { (words::K_ENTRY_NOT_TOLD.in_language(language)) }
            },
            None => { p { (words::K_NO_ENTRY.in_language(language)) } },
        }
    }
}

/// What the newest verdict makes of the nameplate.
fn ruling(case: &Case) -> Option<Ruling> {
    let Body::Finding(Finding::Verdict(verdict)) = &case.verdict.as_ref()?.body else { return None };
    verdict.standing.ruling
}

/// The entry that names it, or names and excepts it; a line that may be the right one is none.
fn named(ruling: Ruling) -> Option<String> {
    match ruling.class {
        Class::InScope | Class::Exempt => Some(ruling.rule?.entry.as_str().to_owned()),
        Class::Undetermined | Class::OutOfScope => None,
    }
}

fn lines(plate: &Plate, entry: Option<&Entry>, language: Language) -> Markup {
    const COLUMNS: [Words; 3] = [words::K_ATTRIBUTE, words::K_VALUE, words::K_RULE_ASKS];
    let source = match plate.source {
        PlateSource::Declared => words::K_DECLARED,
        PlateSource::Read => words::K_READ,
    };
    let claims = CasePlate::from(&plate.plate);
    html! {
        table {
            caption { (source.in_language(language)) ", " span.hash { (plate.hash.to_string()) } }
            (head(&COLUMNS, language))
            tbody {
                @for line in plate.plate.attributes() {
                    (row(&line.name, &stamped::value(&line.name, &line.value, language), entry, &claims, language))
                }
                @for name in lacking(entry, &claims) {
                    (row(name, words::K_NOT_ON_PLATE.in_language(language), entry, &claims, language))
                }
            }
        }
    }
}

fn row(name: &str, value: &str, entry: Option<&Entry>, claims: &CasePlate, language: Language) -> Markup {
    let asked: Vec<Asked<'_>> = entry.map_or_else(Vec::new, |entry| asked(entry, name));
    html! {
        tr {
            th scope="row" { (stamped::label(name, language)) }
            td { (value) }
            td {
                @for (number, one) in asked.iter().enumerate() {
                    @if number > 0 { br; }
                    (one.told(claims, language))
                }
            }
        }
    }
}

fn claimed<'c>(claims: &'c CasePlate, name: &str) -> Option<&'c Datum> {
    match claims.get(name)? {
        Claim::One(datum) => Some(datum),
        Claim::Several(all) => all.first(),
    }
}

/// What a rule asks for, as a line would say it.
fn meant(name: &str, datum: &Datum, language: Language) -> String {
    match datum {
        Datum::Text(text) => stamped::word(name, text, language),
        Datum::Number(number) => stamped::with_unit(name, &number.to_string(), language),
        Datum::Flag(flag) => stamped::yes_no(*flag, language),
        Datum::Rulings(_) | Datum::Unusable => "–".to_owned(),
    }
}

/// What the rule asks of a line, by its clause or by one of its exemptions.
struct Asked<'e> {
    predicate: &'e Predicate,
    is_exemption: bool,
}

fn asked<'e>(entry: &'e Entry, name: &str) -> Vec<Asked<'e>> {
    let of = |criteria: &'e [Criterion], is_exemption| {
        let all = criteria.iter().flat_map(Criterion::predicates);
        all.map(move |predicate| Asked { predicate, is_exemption })
    };
    let exempted = entry.exemptions.iter().flat_map(|exemption| of(&exemption.criteria, true));
    of(&entry.criteria, false).chain(exempted).filter(|one| *one.predicate.attribute == *name).collect()
}

/// What the rule asks for and the plate does not say; what an authority rules stands on no plate.
fn lacking<'e>(entry: Option<&'e Entry>, claims: &CasePlate) -> Vec<&'e str> {
    let needs = entry.into_iter().flat_map(|entry| entry.needs.iter().map(String::as_str));
    needs.filter(|name| claims.get(name).is_none() && *name != DETERMINATIONS).collect()
}

impl Asked<'_> {
    fn told(&self, claims: &CasePlate, language: Language) -> String {
        let say = |words: Words| words.in_language(language);
        let (name, datum) = (&*self.predicate.attribute, claimed(claims, &self.predicate.attribute));
        let text = match &self.predicate.test {
            Test::Equals(wanted) => meant(name, wanted, language),
            Test::OneOf(any) => {
                any.iter().map(|wanted| meant(name, wanted, language)).collect::<Vec<_>>().join(" / ")
            }
            Test::Bound(order, bound) => {
                format!("{} {}", sign(*order), stamped::with_unit(name, &bound.to_string(), language))
            }
            Test::Prefix(prefix) => format!("{prefix}…"),
            Test::Determined(_) => say(words::K_RULED_BY_AUTHORITY).to_owned(),
            Test::ServiceYears(years) => format!("{} {years}", say(words::K_YEARS_IN_SERVICE)),
        };
        let lead = if self.is_exemption { format!("{} ", say(words::K_EXEMPT_IF)) } else { String::new() };
        let held = match datum.and_then(|datum| holds(&self.predicate.test, datum)) {
            Some(true) => format!(" ({})", say(words::K_IS_MET)),
            Some(false) => format!(" ({})", say(words::K_IS_NOT_MET)),
            None => String::new(),
        };
        format!("{lead}{text}{held}")
    }
}

/// Whether a line is what is asked for; `None` where the plate alone cannot tell.
fn holds(test: &Test, datum: &Datum) -> Option<bool> {
    match (test, datum) {
        (Test::Equals(wanted), datum) => Some(wanted == datum),
        (Test::OneOf(any), datum) => Some(any.contains(datum)),
        (Test::Bound(order, bound), Datum::Number(number)) => Some(order.holds(number, bound)),
        (Test::Prefix(prefix), Datum::Text(text)) => Some(text.starts_with(prefix.as_str())),
        (Test::Bound(..) | Test::Prefix(_) | Test::Determined(_) | Test::ServiceYears(_), _) => None,
    }
}

pub(super) const fn sign(order: Order) -> &'static str {
    match order {
        Order::Below => "<",
        Order::AtMost => "≤",
        Order::Above => ">",
        Order::AtLeast => "≥",
    }
}

fn clause(entry: &Entry, language: Language) -> Markup {
    html! {
        h3 { (entry.title.in_language(language)) }
        blockquote lang="zh-CN" { (entry.quote.zh) }
        @if !entry.quote.en.is_empty() { blockquote lang="en" { (entry.quote.en) } }
        p {
            (entry.source.number) ", " (entry.source.issued.to_string()) ". "
            (words::LAST_LAWFUL_DAY.in_language(language)) ": " (entry.deadline.to_string()) ". "
            span.hash { (entry.source.sha256.to_string()) }
        }
        p { (words::K_CHINESE_DECIDES.in_language(language)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::{Attribute, Rules},
        terms::words::{plate_line, plate_word},
    };

    fn plate(lines: &[(&str, PlateValue)]) -> Nameplate {
        let lines = lines.iter().map(|(name, value)| Attribute::new(name, value.clone()).unwrap());
        Nameplate::new(lines.collect()).unwrap()
    }

    #[test]
    fn every_line_and_word_that_the_catalogue_names_has_words_in_both_languages() {
        let rules = Rules::shipped().unwrap();
        for kind in rules.kinds() {
            assert!(plate_word(kind).is_some(), "{kind}");
        }
        for entry in rules.entries() {
            let exempted = entry.exemptions.iter().flat_map(|exemption| &exemption.criteria);
            for predicate in entry.criteria.iter().chain(exempted).flat_map(Criterion::predicates) {
                let line =
                    plate_line(&predicate.attribute).unwrap_or_else(|| panic!("{}", predicate.attribute));
                let named = match &predicate.test {
                    Test::Equals(one) => vec![one.clone()],
                    Test::OneOf(any) => any.clone(),
                    Test::Bound(..) => {
                        assert!(!line.unit.zh.is_empty() && !line.unit.en.is_empty(), "{}", line.name);
                        Vec::new()
                    }
                    Test::Prefix(_) | Test::Determined(_) | Test::ServiceYears(_) => Vec::new(),
                };
                for datum in named.iter().filter(|_| line.is_vocabulary) {
                    let Datum::Text(word) = datum else { panic!("{datum:?}") };
                    assert!(plate_word(word).is_some(), "{word}");
                }
            }
        }
        for name in [crate::catalogue::plate::MAKER, crate::catalogue::plate::SERIAL] {
            assert!(plate_line(name).is_some());
        }
    }

    #[test]
    fn a_capacity_stands_with_its_unit_beside_the_bound_it_is_held_to() {
        let rules = Rules::shipped().unwrap();
        let entry = rules.entry("steel-electric-furnace-up-to-30t").unwrap();
        let plate = Plate {
            source: PlateSource::Declared,
            plate: plate(&[
                ("equipment_kind", PlateValue::Text("electric_furnace".into())),
                ("maker", PlateValue::Text("西安电炉厂".into())),
                ("nominal_tonnage_t", PlateValue::Decimal { mantissa: 250, places: 1 }),
                ("serial_number", PlateValue::Text("XT-2008/0417".into())),
                ("something_new", PlateValue::Whole(7)),
            ]),
            hash: Digest::ZERO,
        };
        let page = |language| lines(&plate, Some(entry), language).into_string();
        let (zh, en) = (page(Language::Chinese), page(Language::English));
        for text in ["制造厂", "出厂编号", ">电炉<", "25.0 t", "≤ 30 t (符合)", "产品", "铭牌未载"]
        {
            assert!(zh.contains(text), "{text}: {zh}");
        }
        for text in ["Maker", "Serial number", ">electric furnace<", "25.0 t", "≤ 30 t (met)", "steel"] {
            assert!(en.contains(text), "{text}: {en}");
        }
        for raw in ["serial_number", "electric_furnace", "nominal_tonnage_t", "furnace_product"] {
            assert!(!zh.contains(raw) && !en.contains(raw), "{raw}");
        }
        assert!(zh.contains("铭牌其他项目 (something_new)"), "a stranger's line is named as it is stamped");
    }

    #[test]
    fn a_bound_without_its_figure_is_not_met_by_it() {
        let rules = Rules::shipped().unwrap();
        let entry = rules.entry("coke-oven-chamber-below-4-3m").unwrap();
        let plate = plate(&[
            ("coke_chamber_height_m", PlateValue::Decimal { mantissa: 43, places: 1 }),
            ("stamp_charged", PlateValue::Flag(true)),
        ]);
        let claims = CasePlate::from(&plate);
        let told = |name: &str| -> Vec<String> {
            asked(entry, name).iter().map(|one| one.told(&claims, Language::English)).collect()
        };
        assert_eq!(told("coke_chamber_height_m"), ["< 4.3 m (not met)", "exempt if: ≥ 3.2 m (met)"]);
        assert_eq!(told("stamp_charged"), ["exempt if: yes (met)"]);
        assert_eq!(lacking(Some(entry), &claims), ["equipment_kind"]);
    }
}
