//! What is being attested now, in one line for whoever looks at the service.

use std::collections::BTreeMap;

use crate::{
    evidence::Body,
    judge::{Finding, State, Verdict},
    terms::{
        AssetId,
        words::{self, Language},
    },
};

/// Most pieces of equipment that are told one by one, the worst first.
const MOST_TOLD: usize = 3;

/// The latest verdict on each piece of equipment.
#[derive(Debug)]
pub struct Attested {
    verdicts: BTreeMap<AssetId, Verdict>,
    language: Language,
}

impl Attested {
    /// Nothing yet.
    pub const fn new(language: Language) -> Attested {
        Attested { verdicts: BTreeMap::new(), language }
    }

    /// Hears what is said; tells the line as it is now, if that was a verdict.
    pub fn on(&mut self, body: &Body) -> Option<String> {
        let Body::Finding(Finding::Verdict(verdict)) = body else { return None };
        self.verdicts.insert(verdict.asset, *verdict);
        Some(self.line())
    }

    /// The line as it is now.
    pub fn line(&self) -> String {
        let language = self.language;
        if self.verdicts.is_empty() {
            return words::NOTHING_JUDGED.in_language(language).to_owned();
        }
        let mut all: Vec<&Verdict> = self.verdicts.values().collect();
        all.sort_by_key(|v| (v.violation_since_unix_ms.is_none(), u8::MAX - v.state.severity()));
        let told = all.iter().take(MOST_TOLD).map(|verdict| told(verdict, language));
        let further = all.len().saturating_sub(MOST_TOLD);
        let further = (further > 0).then(|| format!("{}: {further}", words::FURTHER.in_language(language)));
        let parts: Vec<String> = told.chain(further).collect();
        format!("{}: {}", words::ATTESTS_NOW.in_language(language), parts.join(" | "))
    }
}

fn told(verdict: &Verdict, language: Language) -> String {
    let violation = match (verdict.violation_since_unix_ms, verdict.state) {
        (None, _) => None,
        (Some(_), State::Drawing) => Some(words::VIOLATION),
        (
            Some(_),
            State::Exporting
            | State::Masked(_)
            | State::Unknown(_)
            | State::Auxiliary
            | State::Energised
            | State::Dead,
        ) => Some(words::LATCHED),
    };
    let violation = violation.map_or_else(String::new, |words| format!(" ({})", words.in_language(language)));
    format!("{}: {}{violation}", verdict.asset, verdict.sentence(language))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::Standing,
        judge::Why,
        terms::{ClockQuality, Stamp, WattHours},
    };

    fn verdict(asset: &str, state: State, violation: bool) -> Body {
        let at = Stamp { wall_unix_ms: 0, uptime_ms: 0, boot: 1, clock: ClockQuality::Ntp, error_ms: 0 };
        Body::Finding(Finding::Verdict(Verdict {
            asset: AssetId::new(asset).unwrap(),
            state,
            since: at,
            standing: Standing::declared(None),
            phase: None,
            violation_since_unix_ms: violation.then_some(7),
            energy_overdue: WattHours(0),
            energy_closed: WattHours(0),
            shares: crate::judge::ledger::Shares::default(),
            plate: None,
            permit: None,
            signs: crate::judge::SignSet::default(),
            grounds: None,
        }))
    }

    #[test]
    fn the_worst_stands_first_and_what_does_not_fit_is_counted() {
        let mut attested = Attested::new(Language::English);
        assert_eq!(attested.line(), "nothing is judged yet");
        attested.on(&verdict("kiln-1", State::Dead, false)).unwrap();
        attested.on(&verdict("kiln-2", State::Energised, false)).unwrap();
        attested.on(&verdict("eaf-1", State::Unknown(Why::NotYetRead), false)).unwrap();
        let line = attested.on(&verdict("eaf-2", State::Auxiliary, true)).unwrap();
        let places: Vec<_> = ["eaf-2: ", "eaf-1: ", "kiln-2: "].map(|part| line.find(part).unwrap()).into();
        assert!(places.is_sorted() && line.starts_with("attests now: eaf-2"), "{line}");
        assert!(line.ends_with("| further equipment: 1") && line.contains("latched"), "{line}");
        let line = attested.on(&verdict("eaf-2", State::Dead, false)).unwrap();
        assert!(!line.contains("latched"), "{line}");
        let mut chinese = Attested::new(Language::Chinese);
        let line = chinese.on(&verdict("kiln-1", State::Dead, false)).unwrap();
        assert!(line.starts_with("当前证明: kiln-1: 无电压") && line.contains("这不是验电"), "{line}");
    }
}
