//! What is being attested now, in one line for whoever looks at the service.

use crate::{
    judge::{State, Verdict},
    terms::words::{self, Language},
};

/// Most pieces of equipment that are told one by one, the worst first.
const MOST_TOLD: usize = 3;

/// The line for the latest verdicts, one of each piece of equipment, in the order of their names.
pub fn line<'v>(verdicts: impl Iterator<Item = &'v Verdict>, language: Language) -> String {
    let (mut worst, mut count) = (Vec::<&Verdict>::with_capacity(MOST_TOLD + 1), 0_usize);
    for verdict in verdicts {
        count += 1;
        let place = worst.partition_point(|worse| weight(worse) <= weight(verdict));
        worst.insert(place, verdict);
        worst.truncate(MOST_TOLD);
    }
    if worst.is_empty() {
        return words::NOTHING_JUDGED.in_language(language).to_owned();
    }
    let told = worst.iter().map(|verdict| told(verdict, language));
    let further = count.saturating_sub(MOST_TOLD);
    let further = (further > 0).then(|| format!("{}: {further}", words::FURTHER.in_language(language)));
    let parts: Vec<String> = told.chain(further).collect();
    format!("{}: {}", words::ATTESTS_NOW.in_language(language), parts.join(" | "))
}

/// Worse weighs less.
fn weight(verdict: &Verdict) -> (bool, u8) {
    (verdict.violation_since_unix_ms.is_none(), u8::MAX - verdict.state.severity())
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
        terms::{AssetId, ClockQuality, Stamp, WattHours},
    };

    fn verdict(asset: &str, state: State, violation: bool) -> Verdict {
        let at = Stamp { wall_unix_ms: 0, uptime_ms: 0, boot: 1, clock: ClockQuality::Ntp, error_ms: 0 };
        Verdict {
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
        }
    }

    #[test]
    fn the_worst_stands_first_and_what_does_not_fit_is_counted() {
        let english = |verdicts: &[Verdict]| line(verdicts.iter(), Language::English);
        assert_eq!(english(&[]), "nothing is judged yet");
        let mut all = [
            verdict("eaf-1", State::Unknown(Why::NotYetRead), false),
            verdict("eaf-2", State::Auxiliary, true),
            verdict("kiln-1", State::Dead, false),
            verdict("kiln-2", State::Energised, false),
        ];
        let told = english(&all);
        let places: Vec<_> = ["eaf-2: ", "eaf-1: ", "kiln-2: "].map(|part| told.find(part).unwrap()).into();
        assert!(places.is_sorted() && told.starts_with("attests now: eaf-2"), "{told}");
        assert!(told.ends_with("| further equipment: 1") && told.contains("latched"), "{told}");
        all[1] = verdict("eaf-2", State::Dead, false);
        let told = english(&all);
        assert!(!told.contains("latched"), "{told}");
        let told = line(all[2..3].iter(), Language::Chinese);
        assert!(told.starts_with("当前证明: kiln-1: 无电压") && told.contains("这不是验电"), "{told}");
    }

    #[test]
    fn of_equally_bad_ones_the_first_in_name_are_told() {
        let all = ["a", "b", "c", "d", "e"].map(|asset| verdict(asset, State::Dead, false));
        let told = line(all.iter(), Language::English);
        let places: Vec<_> = ["a: ", "b: ", "c: "].map(|part| told.find(part).unwrap()).into();
        assert!(places.is_sorted() && !told.contains("d: ") && told.ends_with(": 2"), "{told}");
    }
}
