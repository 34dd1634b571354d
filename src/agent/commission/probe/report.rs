//! What a probe found: every row with its marks, the problems, and the two forms it is told in.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    agent::commission::{
        exact::Exact,
        marks::{Mark, Note, marks},
        read::Hint,
        sheet::{self, Line},
        words,
    },
    metering::{
        Answers, Block, Function, Profile,
        decode::{self, Declared},
        profile::Row,
        recognise,
    },
    terms::{
        MilliVolts,
        words::{self as terms_words, Language},
    },
};

/// What a machine reads.
#[derive(Serialize)]
pub struct Json<I: Serialize> {
    quantities: BTreeMap<&'static str, QuantityJson>,
    identity: I,
    problems: Vec<Problem>,
}

impl<I: Serialize> Json<I> {
    /// A meter of which no quantity could be read.
    pub fn empty(identity: I, problems: Vec<Problem>) -> Json<I> {
        Json { quantities: BTreeMap::new(), identity, problems }
    }
}

#[derive(Serialize)]
struct QuantityJson {
    value: Option<Exact>,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    side: Option<&'static str>,
}

/// Something a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The word for machines.
    pub code: &'static str,
    /// The quantities it concerns.
    pub quantities: Vec<&'static str>,
    /// What was seen, why it matters, what to do.
    pub what: String,
}

/// One meter read by one map.
pub struct Report<'a> {
    /// The map.
    pub profile: &'a Profile,
    /// What came of each read.
    pub answers: &'a Answers,
    /// Ratios a person gave.
    pub given: Declared,
    /// Nominal voltage a person gave, line to line.
    pub nominal: Option<MilliVolts>,
    /// What was found beside refused registers.
    pub hints: &'a [Hint],
    /// The person's language.
    pub language: Language,
}

impl Report<'_> {
    /// Every row of which something is known.
    pub fn lines(&self) -> Vec<Line> {
        sheet::lines(self.profile, self.given, self.answers)
    }

    /// What is remarkable about the values.
    pub fn marks(&self) -> Vec<Mark> {
        marks(&sheet::seen(&self.lines()), self.nominal)
    }

    /// For a machine: quantities, identity, problems, and nothing else.
    pub fn as_json<I: Serialize>(&self, identity: I, before: Vec<Problem>) -> Json<I> {
        let quantity = |line: &Line| {
            let side = line.secondary.then_some("secondary");
            let value = line.value.map(Exact);
            (line.row.quantity.word(), QuantityJson { value, unit: line.row.quantity.unit(), side })
        };
        let quantities = self.lines().iter().map(quantity).collect();
        let problems = before.into_iter().chain(self.problems()).collect();
        Json { quantities, identity, problems }
    }

    /// Every row for a person, with its marks.
    pub fn rows(&self) -> Vec<String> {
        let marks = self.marks();
        let row = |line: &Line| {
            let quantity = line.row.quantity;
            let unit = if quantity.unit() == "1" { "" } else { quantity.unit() };
            let value = match (line.value, line.fault) {
                (Some(value), _) => format!("{:>16} {unit:<5}", Exact(value)),
                (None, Some(fault)) => {
                    format!("{:>16} {:<5} {}", "-", "", words::fault_words(self.language, fault))
                }
                (None, None) => {
                    let why = line.problem.unwrap_or(decode::Problem::Absent).words();
                    format!("{:>16} {:<5} {}", "-", "", why.in_language(self.language))
                }
            };
            let side = if line.secondary { words::meter_side(self.language) } else { String::new() };
            let said: Vec<String> = marks
                .iter()
                .filter(|mark| mark.quantity == quantity)
                .map(|mark| format!("{} {}", sign(mark.note), words::note(self.language, mark.note, unit)))
                .collect();
            format!("  {:<16}{value}{side} {}", quantity.word(), said.join("; ")).trim_end().to_owned()
        };
        self.lines().iter().map(row).collect()
    }

    /// Sentences that belong under such readings.
    pub fn warnings(&self) -> Vec<&'static str> {
        let marks = self.marks();
        let no_voltage = marks.iter().any(|mark| mark.note == Note::NoVoltage);
        let ct = marks.iter().any(|mark| mark.note.suspects_ct());
        let sentences = [(no_voltage, terms_words::NOT_A_TEST_FOR_DEAD), (ct, words::NEVER_OPEN_A_CT)];
        sentences.into_iter().filter(|(holds, _)| *holds).map(|(_, s)| s.in_language(self.language)).collect()
    }

    /// Everything a person should look at.
    pub fn problems(&self) -> Vec<Problem> {
        let lines = self.lines();
        let mut problems = self.of_ratios(&lines);
        problems.extend(lines.iter().filter_map(|line| self.not_read(line)));
        problems.extend(lines.iter().filter_map(|line| self.no_value(line)));
        problems.extend(self.missing(&lines));
        for mark in self.marks().iter().filter(|mark| !mark.note.is_good()) {
            problems.push(Problem {
                code: mark.note.word(),
                quantities: vec![mark.quantity.word()],
                what: words::note(self.language, mark.note, mark.quantity.unit()),
            });
        }
        problems
    }

    /// Values on the meter's side, and ratios that contradict each other.
    fn of_ratios(&self, lines: &[Line]) -> Vec<Problem> {
        let told = sheet::told(self.profile, self.answers);
        let mut problems = Vec::new();
        for (name, told, given) in [("ct", told.ct, self.given.ct), ("pt", told.pt, self.given.pt)] {
            let of = |line: &&Line| {
                let times = line.row.quantity.times();
                if name == "ct" { times.ct } else { times.pt }
            };
            let with = |problem: decode::Problem| {
                let concerned = lines.iter().filter(of).filter(|line| line.problem == Some(problem));
                concerned.map(|line| line.row.quantity.word()).collect::<Vec<_>>()
            };
            let differs = told.zip(given).filter(|(told, given)| !told.same_as(*given));
            let unknown = with(decode::Problem::RatioUnknown);
            if let Some((told, given)) = differs {
                let quantities = with(decode::Problem::RatioDiffers);
                let what = words::ratio_differs(self.language, name, &told.to_string(), &given.to_string());
                problems.push(Problem { code: "ratio_differs", quantities, what });
            } else if self.lacks(name, told.is_some(), given.is_some()) && !unknown.is_empty() {
                let what = if given.is_some() || self.tells(name) {
                    words::ratio_unreadable(self.language, name)
                } else {
                    words::secondary_side(self.language, name)
                };
                problems.push(Problem { code: "ratio_unknown", quantities: unknown, what });
            }
        }
        problems
    }

    /// Whether the meter can be asked for this ratio.
    fn tells(&self, name: &str) -> bool {
        if name == "ct" { self.profile.ct.is_some() } else { self.profile.pt.is_some() }
    }

    /// Whether this ratio is the one that is not known.
    fn lacks(&self, name: &str, told: bool, given: bool) -> bool {
        let needed = if name == "ct" { self.profile.needs_ct() } else { self.profile.needs_pt() };
        if self.tells(name) { !told && (needed || given) } else { needed && !given }
    }

    fn not_read(&self, line: &Line) -> Option<Problem> {
        let fault = line.fault?;
        let register = register(line.block);
        let mut what = words::not_read(self.language, &register, fault);
        for hint in self.hints.iter().filter(|hint| hint.quantity == line.row.quantity) {
            let value = format!("{} {}", Exact(hint.value), line.row.quantity.unit());
            let (at, code) = (hint.found.at, hint.found.function.code());
            let hint = if hint.found.function == line.row.cell.function {
                words::off_by_one(self.language, at, &value)
            } else {
                words::other_function(self.language, code, &value)
            };
            what = format!("{what}; {hint}");
        }
        Some(Problem { code: fault.word(), quantities: vec![line.row.quantity.word()], what })
    }

    /// A row that was read and holds no value. That a meter marks one as not available is no problem.
    fn no_value(&self, line: &Line) -> Option<Problem> {
        let problem = line.problem.filter(|_| line.fault.is_none())?;
        match problem {
            decode::Problem::ScaleUnknown | decode::Problem::Implausible | decode::Problem::NotRead => {
                Some(Problem {
                    code: problem.word(),
                    quantities: vec![line.row.quantity.word()],
                    what: problem.words().in_language(self.language).to_owned(),
                })
            }
            decode::Problem::Absent | decode::Problem::RatioUnknown | decode::Problem::RatioDiffers => None,
        }
    }

    /// Rows that were not asked, because the meter fell silent before.
    fn missing(&self, lines: &[Line]) -> Option<Problem> {
        if recognise::start(self.profile, self.answers) == recognise::Start::Absent {
            return None;
        }
        let known = |row: &Row| lines.iter().any(|line| line.row.quantity == row.quantity);
        let quantities: Vec<_> =
            self.profile.rows.iter().filter(|row| !known(row)).map(|row| row.quantity.word()).collect();
        let what = words::not_asked(self.language);
        (!quantities.is_empty()).then_some(Problem { code: "not_asked", quantities, what })
    }
}

/// A register as people look it up: function, address on the wire, and the notation that counts from 40001 or 30001.
pub fn register(block: Block) -> String {
    let (code, base) = match block.function {
        Function::Holding => (3, 40_001),
        Function::Input => (4, 30_001),
    };
    let at = block.at;
    let classic = u32::from(at) + base;
    if at < 9_999 {
        format!("fc {code} register {at} (0x{at:04X}, {classic})")
    } else {
        format!("fc {code} register {at} (0x{at:04X})")
    }
}

const fn sign(note: Note) -> char {
    if note.is_good() { '+' } else { '!' }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metering::{Fault, Quantity};

    fn adl400() -> Profile {
        Profile::parse("acrel-adl400.toml", include_str!("../../../../config/meters/acrel-adl400.toml"))
            .unwrap()
    }

    /// What a meter with this word in every register answers to the rows of its map; ratios as given.
    fn answers(profile: &Profile, word: u16, ct: Option<u16>, pt: Option<u16>) -> Answers {
        let mut answers = Answers::new();
        for row in &profile.rows {
            let block = row.cell.block();
            let words = if block.count == 2 { vec![0, word] } else { vec![word] };
            answers.insert(block, Ok(words));
        }
        for (cells, told) in [(profile.ct, ct), (profile.pt, pt)] {
            let Some(cells) = cells else { continue };
            answers.insert(cells.value.block(), told.map(|word| vec![word]).ok_or(Fault::Exception(2)));
        }
        answers
    }

    fn report<'a>(profile: &'a Profile, answers: &'a Answers, given: Declared) -> Report<'a> {
        Report { profile, answers, given, nominal: None, hints: &[], language: Language::English }
    }

    fn json(report: &Report<'_>) -> serde_json::Value {
        let object = report.as_json(serde_json::json!({}), Vec::new());
        serde_json::from_str(&serde_json::to_string(&object).unwrap()).unwrap()
    }

    #[test]
    fn without_a_certain_ratio_the_meters_own_side_is_shown_and_said_to_be() {
        let profile = adl400();
        let known_pt = answers(&profile, 2_304, None, Some(1));
        let report = report(&profile, &known_pt, Declared::default());
        let json = json(&report);
        assert_eq!(
            json["quantities"]["current_l1"],
            serde_json::json!({"value": 23.04, "unit": "A", "side": "secondary"})
        );
        assert_eq!(json["quantities"]["voltage_l1"], serde_json::json!({"value": 230.4, "unit": "V"}));
        let problem = report.problems().into_iter().find(|p| p.code == "ratio_unknown").unwrap();
        assert!(
            problem.quantities.contains(&"power") && !problem.quantities.contains(&"voltage_l1"),
            "{problem:?}"
        );
        assert!(problem.what.contains("could not be read"), "{problem:?}");
    }

    #[test]
    fn a_ratio_given_makes_it_primary_and_one_that_contradicts_the_meter_does_not() {
        let profile = adl400();
        let given = Declared { ct: crate::terms::Ratio::parse("400/5"), pt: None };
        let declared_only = include_str!("../../../../config/meters/acrel-adl400.toml")
            .replace("[ratio]\nct = ", "[ratio]\n# ");
        let declared_only = Profile::parse("acrel-adl400.toml", &declared_only).unwrap();
        let untold = answers(&declared_only, 100, None, Some(1));
        let shown = json(&report(&declared_only, &untold, given));
        assert_eq!(shown["quantities"]["current_l1"], serde_json::json!({"value": 80, "unit": "A"}));
        let nothing_given = report(&declared_only, &untold, Declared::default()).problems();
        assert!(nothing_given.iter().any(|p| p.what.contains("give --ct")), "{nothing_given:?}");
        let told = answers(&profile, 100, Some(60), Some(1));
        let report = report(&profile, &told, given);
        assert!(report.problems().iter().any(|p| p.code == "ratio_differs"), "{:?}", report.problems());
        assert_eq!(json(&report)["quantities"]["current_l1"]["side"], "secondary");
    }

    #[test]
    fn what_was_refused_or_is_absent_is_null_and_never_zero() {
        let profile = adl400();
        let mut answers = answers(&profile, 2_304, Some(1), Some(1));
        let refused = profile.row(Quantity::Power).unwrap().cell.block();
        answers.insert(refused, Err(Fault::Exception(2)));
        let hint = Hint {
            quantity: Quantity::Power,
            found: Block { at: refused.at - 1, ..refused },
            value: 1_500_000,
        };
        let report = Report { hints: &[hint], ..report(&profile, &answers, Declared::default()) };
        let json = json(&report);
        assert_eq!(json["quantities"]["power"], serde_json::json!({"value": null, "unit": "W"}));
        let problem = report.problems().into_iter().find(|p| p.code == "exception").unwrap();
        assert_eq!(problem.quantities, ["power"]);
        for said in
            ["fc 3 register 362 (0x016A, 40363)", "exception 2 (illegal data address)", "361", "1500 W"]
        {
            assert!(problem.what.contains(said), "{said}: {problem:?}");
        }
        let row = report.rows().into_iter().find(|row| row.starts_with("  power  ")).unwrap();
        assert!(row.contains(" - ") && !row.contains(" 0 "), "{row}");
    }

    #[test]
    fn no_voltage_is_no_test_for_dead() {
        let profile = adl400();
        let answers = answers(&profile, 0, Some(1), Some(1));
        let report = report(&profile, &answers, Declared::default());
        assert_eq!(report.warnings(), [terms_words::NOT_A_TEST_FOR_DEAD.en]);
    }
}
