//! PURE file: metrics in the text format of Prometheus, version 0.0.4. A family is written only where it has samples: what is
//! not known has none, and never a zero in its place.

use std::fmt::{Display, Write as _};

/// What HTTP calls this format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One metric's samples, each with its labels.
pub type Samples<'a, V> = [(&'a [(&'a str, &'a str)], V)];

/// A page of metrics being written. Every name is prefixed with `coldhearth_`; label values must need no escape.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// What only goes up since the program's start; its name ends with `_total`.
    pub fn counter<V: Display>(&mut self, name: &str, help: &str, samples: &Samples<'_, V>) {
        self.metric("counter", name, help, samples);
    }

    /// What goes up and down.
    pub fn gauge<V: Display>(&mut self, name: &str, help: &str, samples: &Samples<'_, V>) {
        self.metric("gauge", name, help, samples);
    }

    /// One count for each value of a label.
    pub fn counter_by<V: Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        counts: impl Iterator<Item = (&'static str, V)>,
    ) {
        self.by("counter", name, help, label, counts);
    }

    /// One gauge for each value of a label; none where there is no value.
    pub fn gauge_by<'v, V: Display>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (&'v str, V)>,
    ) {
        self.by("gauge", name, help, label, values);
    }

    /// How often something took how long: the upper ends of the buckets in milliseconds, how many fell into each alone, the
    /// open one last, and all of it together in milliseconds. Told in seconds.
    pub fn histogram_of_ms(&mut self, name: &str, help: &str, upto_ms: &[u32], counts: &[u64], sum_ms: u64) {
        let ends = upto_ms.iter().map(|ms| thousandths(i64::from(*ms))).chain(["+Inf".to_owned()]);
        self.describe("histogram", name, help);
        let mut all = 0_u64;
        for (end, count) in ends.zip(counts) {
            all = all.saturating_add(*count);
            // Writing into a string never fails.
            let _never = writeln!(self.text, "coldhearth_{name}_bucket{{le=\"{end}\"}} {all}");
        }
        let sum = thousandths(i64::try_from(sum_ms).unwrap_or(i64::MAX));
        let _never = writeln!(self.text, "coldhearth_{name}_sum {sum}\ncoldhearth_{name}_count {all}");
    }

    /// The page.
    pub fn into_text(self) -> String {
        self.text
    }

    fn by<'v, V: Display>(
        &mut self,
        kind: &str,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (&'v str, V)>,
    ) {
        let values: Vec<([(&str, &str); 1], V)> =
            values.map(|(word, value)| ([(label, word)], value)).collect();
        let samples: Vec<(&[(&str, &str)], &V)> =
            values.iter().map(|(labels, value)| (&labels[..], value)).collect();
        self.metric(kind, name, help, &samples);
    }

    fn describe(&mut self, kind: &str, name: &str, help: &str) {
        // Writing into a string never fails.
        let _never = writeln!(self.text, "# HELP coldhearth_{name} {help}\n# TYPE coldhearth_{name} {kind}");
    }

    fn metric<V: Display>(&mut self, kind: &str, name: &str, help: &str, samples: &Samples<'_, V>) {
        if samples.is_empty() {
            return;
        }
        self.describe(kind, name, help);
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.iter().map(|(label, word)| format!("{label}=\"{word}\"")).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _never = writeln!(self.text, "coldhearth_{name}{labels} {value}");
        }
    }
}

/// Thousandths of a unit as a number of that unit, exactly.
pub fn thousandths(number: i64) -> String {
    let (sign, size) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
    format!("{sign}{}.{:03}", size / 1_000, size % 1_000)
}
