//! The text format of Prometheus, version 0.0.4, read as strictly as it is written down: every family described once, by HELP
//! and then TYPE, its samples together behind them, no series twice, every name and every escape a lawful one.

use std::collections::{BTreeMap, BTreeSet};

/// A page as it was read: the samples as they stand there, and the whole parts of their values.
pub type Samples = BTreeMap<String, u64>;

/// A histogram that is being read: its buckets rise to the open one, which is also its count; the sum stands before that.
#[derive(Default)]
struct Histogram {
    /// The end of the last bucket, in thousandths, and how many fell into it or before.
    last: Option<(u64, u64)>,
    has_sum: bool,
    has_count: bool,
}

impl Histogram {
    fn on(&mut self, part: &str, labels: &BTreeMap<String, String>, value: &str) -> Result<(), &'static str> {
        let count = || value.parse::<u64>().map_err(|_| "a count that is no whole number");
        match part {
            "_bucket" if !self.has_sum && labels.len() == 1 => {
                let end = labels.get("le").ok_or("a bucket without its end")?;
                let end =
                    if end == "+Inf" { u64::MAX } else { thousandths(end).ok_or("no end of a bucket")? };
                let (before, fell) = self.last.unwrap_or((0, 0));
                if end <= before || count()? < fell {
                    return Err("a bucket below the one before");
                }
                self.last = Some((end, count()?));
                Ok(())
            }
            "_sum" if !self.has_sum && labels.is_empty() => {
                self.has_sum = self.last.is_some_and(|(end, _)| end == u64::MAX);
                if self.has_sum { Ok(()) } else { Err("no open bucket before the sum") }
            }
            "_count" if self.has_sum && !self.has_count && labels.is_empty() => {
                self.has_count = self.last.is_some_and(|(_, fell)| Ok(fell) == count());
                if self.has_count { Ok(()) } else { Err("another count than the open bucket's") }
            }
            _ => Err("no part of a histogram, or out of turn"),
        }
    }
}

#[derive(Default)]
struct Reader {
    helped: BTreeSet<String>,
    typed: BTreeSet<String>,
    /// The family whose lines these are, whether its type was told, and the names of its samples' labels.
    family: String,
    kind: Option<String>,
    labels: Option<BTreeSet<String>>,
    histogram: Histogram,
    series: BTreeSet<(String, BTreeMap<String, String>)>,
    samples: Samples,
}

/// Reads a page.
///
/// # Errors
/// The first thing about it that Prometheus, or whoever counts on its conventions, would not take.
pub fn read(page: &str) -> Result<Samples, String> {
    let body = page.strip_suffix('\n').ok_or("the last line does not end")?;
    let mut reader = Reader::default();
    for line in body.split('\n') {
        reader.line(line).map_err(|why| format!("{why}: {line:?}"))?;
    }
    reader.ends()?;
    Ok(reader.samples)
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, text) = rest.split_once(' ').ok_or("HELP without a text")?;
            return self.help(name, text);
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("TYPE without a kind")?;
            return self.kind(name, kind);
        }
        if line.starts_with('#') || line.is_empty() {
            return Err("neither description nor sample");
        }
        self.sample(line)
    }

    fn ends(&self) -> Result<(), &'static str> {
        let is_whole = self.kind.as_deref() != Some("histogram") || self.histogram.has_count;
        if self.family.is_empty() || (self.labels.is_some() && is_whole) {
            Ok(())
        } else {
            Err("a family without a sample")
        }
    }

    fn help(&mut self, name: &str, text: &str) -> Result<(), &'static str> {
        self.ends()?;
        if !is_name(name) || !name.starts_with("coldhearth_") {
            return Err("no name of ours");
        }
        if text.is_empty() || unescaped(text, "\\n").is_none() {
            return Err("a HELP that says nothing, or escapes what need not be");
        }
        if !self.helped.insert(name.to_owned()) {
            return Err("described twice");
        }
        (self.family, self.kind, self.labels) = (name.to_owned(), None, None);
        self.histogram = Histogram::default();
        Ok(())
    }

    fn kind(&mut self, name: &str, kind: &str) -> Result<(), &'static str> {
        if name != self.family || self.labels.is_some() || !self.typed.insert(name.to_owned()) {
            return Err("a TYPE that does not follow its HELP");
        }
        if !["counter", "gauge", "histogram"].contains(&kind)
            || name.ends_with("_total") != (kind == "counter")
        {
            return Err("no kind of ours, or its name says another");
        }
        self.kind = Some(kind.to_owned());
        Ok(())
    }

    fn sample(&mut self, line: &str) -> Result<(), &'static str> {
        let (series, value) = line.rsplit_once(' ').ok_or("a sample without a value")?;
        let (name, labels) = match series.split_once('{') {
            Some((name, rest)) => (name, labels(rest.strip_suffix('}').ok_or("labels without an end")?)?),
            None => (series, BTreeMap::new()),
        };
        let part = name.strip_prefix(self.family.as_str()).filter(|_| self.kind.is_some());
        let is_histogram = self.kind.as_deref() == Some("histogram");
        let part = part.filter(|part| is_histogram || part.is_empty());
        let part = part.ok_or("a sample that does not follow its description")?;
        let names: BTreeSet<String> = labels.keys().cloned().collect();
        if is_histogram {
            self.histogram.on(part, &labels, value)?;
            self.labels = Some(names.clone());
        }
        if *self.labels.get_or_insert_with(|| names.clone()) != names {
            return Err("other labels than the samples before");
        }
        if !self.series.insert((name.to_owned(), labels)) {
            return Err("the same series twice");
        }
        let value = whole(value).ok_or("no number of ours")?;
        self.samples.insert(series.to_owned(), value);
        Ok(())
    }
}

/// A number of at most three digits behind its point, in thousandths.
fn thousandths(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once('.').unwrap_or((text, "0"));
    Some(whole(text)? * 1_000 + format!("{rest:0<3}").parse::<u64>().ok()?)
}

/// The whole part of a number that has at most three digits behind its point.
fn whole(text: &str) -> Option<u64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let is_short = (1..=3).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit());
    if is_short { whole.parse().ok() } else { None }
}

/// `name="value",name="value"`
fn labels(mut text: &str) -> Result<BTreeMap<String, String>, &'static str> {
    let mut all = BTreeMap::new();
    loop {
        let (name, rest) = text.split_once("=\"").ok_or("a label without a value")?;
        if !is_name(name) || name.contains(':') || name.starts_with("__") {
            return Err("no name of a label");
        }
        let end = closing(rest).ok_or("a value without an end")?;
        let value = unescaped(&rest[..end], "\\\"n").ok_or("an escape that is none")?;
        if all.insert(name.to_owned(), value).is_some() {
            return Err("a label twice");
        }
        text = match &rest[end + 1..] {
            "" => return Ok(all),
            more => more.strip_prefix(',').ok_or("something behind a value")?,
        };
    }
}

/// Where the first quote stands that is not escaped.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// A text without its escapes, of which these are lawful.
fn unescaped(text: &str, lawful: &str) -> Option<String> {
    let (mut plain, mut letters) = (String::new(), text.chars());
    while let Some(letter) = letters.next() {
        if letter == '\\' {
            let escaped = letters.next().filter(|letter| lawful.contains(*letter))?;
            plain.push(if escaped == 'n' { '\n' } else { escaped });
        } else {
            plain.push(letter);
        }
    }
    Some(plain)
}

fn is_name(name: &str) -> bool {
    let lawful = |(at, byte): (usize, u8)| {
        byte.is_ascii_alphabetic() || b"_:".contains(&byte) || (at > 0 && byte.is_ascii_digit())
    };
    !name.is_empty() && name.bytes().enumerate().all(lawful)
}
