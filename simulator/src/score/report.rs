//! What the scoreboard prints: a row for each scenario, the bound of the rate of false alarms, and the seeds that failed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    YEAR_MS,
    run::{Caught, Outcome},
};
use crate::{
    alarm,
    rounding::real,
    scenario::{CLOSE_POLL_MS, Cap, QUIET_POLL_MS, Scenario},
};

/// A scenario and its runs.
#[derive(Clone, Debug)]
pub struct Row {
    name: String,
    /// What plays it again.
    argument: String,
    honest: bool,
    cap: Option<Cap>,
    poll_ms: u64,
    /// Why it is measured otherwise than the rule says, where it is.
    because: Option<String>,
    /// Its energy counts from the first reading after the onset.
    from_reading: bool,
    /// Weak signs that may be raised.
    expected: Vec<&'static str>,
    runs: Vec<Outcome>,
}

impl Row {
    /// A scenario that was not played yet.
    pub(super) fn of(scenario: &Scenario) -> Row {
        Row {
            name: scenario.name.clone(),
            argument: shell_word(&scenario.argument),
            honest: scenario.honest,
            cap: scenario.cap.clone(),
            poll_ms: scenario.poll_ms(),
            because: scenario.catch.as_ref().and_then(|catch| catch.because.clone()),
            from_reading: scenario.catch.as_ref().is_some_and(|catch| catch.from_reading),
            expected: scenario.signs.clone(),
            runs: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        self.runs.push(outcome);
    }

    /// Its runs, in order of their seeds.
    pub fn runs(&self) -> &[Outcome] {
        &self.runs
    }

    /// Whether the cheat must be caught.
    pub fn is_detectable(&self) -> bool {
        !self.honest && self.cap.is_none()
    }

    fn caught(&self) -> impl Iterator<Item = &Caught> {
        self.runs.iter().filter_map(|run| run.caught.as_ref())
    }

    /// What it was held to and what the rule says, in watt-hours; of several runs the least.
    fn limits(&self) -> (Option<u64>, Option<u64>) {
        (self.caught().map(|caught| caught.limit_wh).min(), self.caught().map(|caught| caught.rule_wh).min())
    }

    /// Why it is held to another measure than the rule's, as people read it.
    fn excuse(&self) -> Option<String> {
        let because = self.because.as_ref()?;
        let (limit, rule) = self.limits();
        let limit = limit.zip(rule).filter(|(limit, rule)| limit != rule).map(|(limit, rule)| {
            let [limit, rule] = [limit, rule].map(|wh| whole(wh) / 1_000.0);
            format!("{limit:.1} kWh instead of the rule's {rule:.1}")
        });
        let from = self.from_reading.then(|| "counted from the first reading after the onset".to_owned());
        let measured: Vec<String> = limit.into_iter().chain(from).collect();
        Some(format!("{}: {}: {because}", self.name, measured.join(", ")))
    }

    fn false_alarms(&self) -> usize {
        self.runs.iter().map(|run| run.alarms.len()).sum()
    }

    /// By what it was caught, and in how many runs; of an honest plant every sign it raised, and how often. The most
    /// frequent first.
    fn counts(&self) -> Vec<(&'static str, usize)> {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        self.caught().for_each(|caught| *counts.entry(caught.by).or_default() += 1);
        let raised = self.runs.iter().flat_map(|run| &run.signs);
        raised.for_each(|(word, count)| *counts.entry(*word).or_default() += count);
        let mut signs: Vec<(&'static str, usize)> = counts.into_iter().collect();
        signs.sort_by_key(|(word, count)| (std::cmp::Reverse(*count), *word));
        signs
    }

    fn signs(&self) -> Vec<&'static str> {
        self.counts().into_iter().map(|(word, _)| word).collect()
    }

    /// As people read it.
    fn told(&self) -> String {
        let one = |(word, count): (&'static str, usize)| {
            if self.honest { format!("{word} {count}x") } else { word.to_owned() }
        };
        self.counts().into_iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn unknown_share(&self) -> f64 {
        let (unknown, watched) =
            self.runs.iter().fold((0, 0), |(u, w), run| (u + run.unknown_ms, w + run.watched_ms));
        if watched > 0 { whole(unknown) / whole(watched) } else { 0.0 }
    }

    /// The runs that failed, each with its reason.
    fn failures(&self) -> impl Iterator<Item = (u64, String)> + '_ {
        self.runs.iter().flat_map(move |run| {
            let mut wrong: Vec<String> = run.wrong_ends.clone();
            wrong.extend(run.alarms.iter().map(|(word, at_ms)| {
                format!("false alarm {word} at {}", crate::scenario::time::shown(*at_ms).trim())
            }));
            let stray =
                run.signs.iter().filter(|(word, _)| !alarm::is_strong(word) && !self.expected.contains(word));
            wrong
                .extend(stray.map(|(word, count)| format!("sign {word} raised {count} times, not expected")));
            match &run.caught {
                None if self.is_detectable() => wrong.push("not caught".to_owned()),
                Some(caught) if self.is_detectable() => wrong.extend(caught.late()),
                Some(caught) if self.cap.is_some() => {
                    wrong.push(format!("caught by {}, and said to be undetectable", caught.by));
                }
                Some(_) | None => {}
            }
            wrong.into_iter().map(|wrong| (run.seed, wrong))
        })
    }

    fn json(&self) -> Value {
        let delays = sorted(self.caught().map(|caught| caught.delay_ms));
        let energies = sorted(self.caught().map(|caught| caught.energy_wh));
        let thousandth = |value: Option<u64>| value.map(|value| whole(value) / 1_000.0);
        let (limit, rule) = self.limits();
        json!({
            "name": self.name,
            "honest": self.honest,
            "detectable": self.is_detectable(),
            "runs": self.runs.len(),
            "caught": self.caught().count(),
            "signs": self.signs(),
            "sign_counts": self.counts().into_iter().collect::<BTreeMap<_, _>>(),
            "false_alarms": self.false_alarms(),
            "delay_s_p50": thousandth(part(&delays, 50)),
            "delay_s_p95": thousandth(part(&delays, 95)),
            "energy_kwh_p95": thousandth(part(&energies, 95)),
            "limit_kwh": thousandth(limit),
            "rule_limit_kwh": thousandth(rule),
            "limit_because": self.because,
            "counts_from": (!self.honest).then_some(if self.from_reading { "reading" } else { "onset" }),
            "unknown_share": self.unknown_share(),
            "poll_s": whole(self.poll_ms) / 1_000.0,
        })
    }
}

/// The scoreboard.
#[derive(Clone, Debug)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    pub(super) fn of(rows: Vec<Row>) -> Report {
        Report { rows }
    }

    /// A row for each scenario.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Equipment-years that honest plants were watched.
    pub fn honest_years(&self) -> f64 {
        let runs = self.rows.iter().filter(|row| row.honest).flat_map(Row::runs);
        whole(runs.map(|run| run.watched_ms).sum()) / whole(YEAR_MS)
    }

    /// Convictions and strong signs in honest plants.
    pub fn false_alarms(&self) -> usize {
        self.rows.iter().map(Row::false_alarms).sum()
    }

    /// Upper bound of the rate of false alarms, per equipment-year, that holds with 95 %; none without honest years.
    pub fn false_alarm_bound(&self) -> Option<f64> {
        let years = self.honest_years();
        (years > 0.0).then(|| poisson_bound(self.false_alarms()) / years)
    }

    /// Whether everything was played and nothing failed.
    pub fn holds(&self) -> bool {
        self.rows.iter().all(|row| !row.runs.is_empty() && row.failures().next().is_none())
    }

    /// As machines read it.
    pub fn json(&self) -> Value {
        json!({
            "scenarios": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "honest_equipment_years": self.honest_years(),
            "false_alarms_total": self.false_alarms(),
            "false_alarm_bound_95": self.false_alarm_bound(),
        })
    }

    /// As people read it.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{:<38} {:>5} {:>6} {:>9} {:>9} {:>11} {:>10} {:>10} {:>6} {:>8} {:>5}  {}",
            "scenario",
            "runs",
            "caught",
            "p50 s",
            "p95 s",
            "p95 kWh",
            "limit kWh",
            "rule kWh",
            "false",
            "unknown",
            "poll",
            "by"
        )];
        lines.extend(self.rows.iter().map(line));
        let excuses: Vec<String> = self.rows.iter().filter_map(Row::excuse).collect();
        if !excuses.is_empty() {
            lines.push("held to another measure than the rule's:".to_owned());
            lines.extend(excuses.iter().map(|excuse| format!("  {excuse}")));
        }
        let bound = self
            .false_alarm_bound()
            .map_or_else(String::new, |bound| format!(", so at most {bound:.5} a year with 95 %"));
        lines.push(format!(
            "{} false alarms in {:.1} honest equipment-years{bound}; honest plants are polled every {} s, and every {} s \
             around events",
            self.false_alarms(),
            self.honest_years(),
            QUIET_POLL_MS / 1_000,
            CLOSE_POLL_MS / 1_000
        ));
        lines
    }

    /// A line for each failed run, with what plays it again; and for each scenario that was not played.
    pub fn complaints(&self) -> Vec<String> {
        let failed = self.rows.iter().flat_map(|row| {
            row.failures().map(move |(seed, wrong)| {
                format!("{}: {wrong}; see coldhearth-sim play {} --seed {seed}", row.name, row.argument)
            })
        });
        let unplayed = self.rows.iter().filter(|row| row.runs.is_empty());
        failed
            .chain(unplayed.map(|row| format!("{}: not played; order at least one run", row.name)))
            .collect()
    }
}

fn line(row: &Row) -> String {
    let delays = sorted(row.caught().map(|caught| caught.delay_ms));
    let energies = sorted(row.caught().map(|caught| caught.energy_wh));
    let shown = |value: Option<u64>| value.map_or("-".to_owned(), |v| format!("{:.1}", whole(v) / 1_000.0));
    let (limit, rule) = row.limits();
    let caught = if row.honest { "-".to_owned() } else { row.caught().count().to_string() };
    let by = match &row.cap {
        Some(cap) => format!("undetectable ({}): {}", cap.which, cap.words),
        None => row.told(),
    };
    format!(
        "{:<38} {:>5} {caught:>6} {:>9} {:>9} {:>11} {:>10} {:>10} {:>6} {:>7.2}% {:>4}s  {by}",
        row.name,
        row.runs.len(),
        shown(part(&delays, 50)),
        shown(part(&delays, 95)),
        shown(part(&energies, 95)),
        shown(limit),
        shown(rule),
        row.false_alarms(),
        row.unknown_share() * 100.0,
        row.poll_ms / 1_000,
    )
}

/// A word as a shell reads it back, in single quotes where it needs them.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,+@%=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn sorted(values: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values
}

/// The smallest value that so many per cent of all do not exceed.
fn part(sorted: &[u64], per_cent: usize) -> Option<u64> {
    let rank = (sorted.len() * per_cent).div_ceil(100);
    sorted.get(rank.max(1) - 1).copied()
}

fn whole(value: u64) -> f64 {
    real(i64::try_from(value).unwrap_or(i64::MAX))
}

/// The mean at which so few events or fewer have a chance of 5 %; the rule of three where there is none.
fn poisson_bound(events: usize) -> f64 {
    if events == 0 {
        return 3.0;
    }
    let chance_of_so_few = |mean: f64| {
        let mut term = (-mean).exp();
        let mut sum = term;
        for event in 1..=events {
            term *= mean / whole(event as u64);
            sum += term;
        }
        sum
    };
    let (mut low, mut high) = (0.0, 10.0 + 3.0 * whole(events as u64));
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if chance_of_so_few(middle) > 0.05 { low = middle } else { high = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_those_of_the_tables() {
        for (events, bound) in [(0, 3.0), (1, 4.744), (2, 6.296), (5, 10.513), (20, 29.062)] {
            assert!((poisson_bound(events) - bound).abs() < 0.001, "{events}: {}", poisson_bound(events));
        }
    }

    #[test]
    fn a_path_is_given_as_a_shell_reads_it_back() {
        for (path, word) in [
            ("midnight-melt", "midnight-melt"),
            ("d/midnight-melt.toml", "d/midnight-melt.toml"),
            ("my plants/melt.toml", "'my plants/melt.toml'"),
            ("o'clock.toml", r"'o'\''clock.toml'"),
            ("夜.toml", "'夜.toml'"),
            ("$(date)", "'$(date)'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(path), word);
        }
    }

    #[test]
    fn what_was_not_played_does_not_hold() {
        let melt = crate::scenario::shipped::named("midnight-melt").unwrap();
        let report = Report::of(vec![Row::of(&melt)]);
        assert!(!report.holds());
        assert!(report.complaints()[0].contains("midnight-melt: not played"), "{:?}", report.complaints());
    }

    #[test]
    fn parts_of_a_list() {
        let all: Vec<u64> = (1..=20).collect();
        assert_eq!((part(&all, 50), part(&all, 95), part(&[], 95)), (Some(10), Some(19), None));
        assert_eq!(part(&[7], 50), Some(7));
    }
}
