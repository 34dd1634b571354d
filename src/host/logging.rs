//! Where log lines go: to standard error, for a person, for a machine, or for the journal of systemd, which is told how
//! much each weighs.

use std::{io, sync::OnceLock};

use rustix::fd::AsFd;
use tracing::{Level, Metadata};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt::{self, MakeWriter},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// For a person: time, level, what happened, and what it is about.
    #[default]
    Text,
    /// For a machine: one JSON object a line.
    Json,
}

/// The words of a configuration.
pub const FORMS: &[(&str, Form)] = &[("text", Form::Text), ("json", Form::Json)];

/// How lines are written since [`start`].
static STARTED: OnceLock<Form> = OnceLock::new();

/// Sends log lines to standard error, from this level on unless `RUST_LOG` says otherwise. A second call does nothing.
pub fn start(level: &str, form: Form) {
    STARTED.get_or_init(|| form);
    let out = Out { is_journal: goes_to_the_journal() };
    let lines = fmt::layer()
        .with_writer(out)
        .with_ansi(!out.is_journal && form == Form::Text && io::IsTerminal::is_terminal(&io::stderr()));
    let told = tracing_subscriber::registry().with(wanted(level, std::env::var("RUST_LOG").ok().as_deref()));
    let _already = match (form, out.is_journal) {
        (Form::Json, _) => told.with(lines.json().flatten_event(true).with_target(false)).try_init(),
        // The journal keeps the time itself.
        (Form::Text, true) => told.with(lines.without_time()).try_init(),
        (Form::Text, false) => told.with(lines).try_init(),
    };
}

/// What is told: `LEVEL` or `TARGET=LEVEL`, with commas between; by fields it cannot be chosen, which would take two engines
/// of regular expressions.
fn wanted(level: &str, asked: Option<&str>) -> Targets {
    asked.filter(|text| !text.is_empty()).and_then(|text| text.parse().ok()).unwrap_or_else(|| {
        // The MQTT libraries log what we handle and report ourselves.
        Targets::new()
            .with_default(level.parse().unwrap_or(LevelFilter::INFO))
            .with_targets([("rumqttc", LevelFilter::OFF), ("rumqttd", LevelFilter::OFF)])
    })
}

/// Why a program ends, on standard error: each line with its weight for the journal of systemd, and for a machine where the
/// log is written so.
pub fn complain(program: &str, message: &str) {
    if STARTED.get() == Some(&Form::Json) {
        message.lines().for_each(|line| tracing::error!(program, "{line}"));
        return;
    }
    let prefix = if goes_to_the_journal() { priority(Level::ERROR) } else { "" };
    let text = format!("{program}: {message}\n");
    // Nobody is left to be told that it could not be.
    let _gone = io::Write::write_all(&mut io::stderr().lock(), &each_line_behind(prefix, text.as_bytes()));
}

/// Every line behind what stands before it: a mistake and its places are several.
fn each_line_behind(prefix: &str, bytes: &[u8]) -> Vec<u8> {
    if prefix.is_empty() {
        return bytes.to_vec();
    }
    bytes
        .split_inclusive(|byte| *byte == b'\n')
        .flat_map(|line| [prefix.as_bytes(), line])
        .flatten()
        .copied()
        .collect()
}

/// Whether standard error is the stream that systemd told us of: somebody may have sent it elsewhere since.
fn goes_to_the_journal() -> bool {
    let told = std::env::var("JOURNAL_STREAM").ok();
    let is = rustix::fs::fstat(io::stderr().as_fd()).ok();
    told.zip(is).is_some_and(|(told, is)| told == format!("{}:{}", is.st_dev, is.st_ino))
}

/// Standard error.
#[derive(Clone, Copy, Debug)]
struct Out {
    is_journal: bool,
}

impl<'a> MakeWriter<'a> for Out {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { prefix: "" }
    }

    fn make_writer_for(&'a self, about: &Metadata<'_>) -> Line {
        Line { prefix: if self.is_journal { priority(*about.level()) } else { "" } }
    }
}

/// A line being written, with what stands before it.
struct Line {
    prefix: &'static str,
}

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One call of the operating system for the whole line: others write to the same stream.
        io::stderr().lock().write_all(&each_line_behind(self.prefix, bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

/// What the journal reads before a line (`sd-daemon(3)`).
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        Level::DEBUG | Level::TRACE => "<7>",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn told_is_the_level_without_the_libraries_we_speak_for_unless_asked_otherwise() {
        let usual = wanted("info", None);
        assert!(usual.would_enable("coldhearth::host", &Level::INFO));
        assert!(!usual.would_enable("coldhearth::host", &Level::DEBUG));
        assert!(!usual.would_enable("rumqttc::state", &Level::ERROR));
        let asked = wanted("info", Some("warn,coldhearth::agent=debug"));
        assert!(asked.would_enable("coldhearth::agent::bus", &Level::DEBUG));
        assert!(!asked.would_enable("coldhearth::host", &Level::INFO));
        for nonsense in ["", "coldhearth=debug=info", "coldhearth=loud"] {
            assert_eq!(wanted("info", Some(nonsense)), usual, "{nonsense} leaves the usual");
        }
    }

    #[test]
    fn every_line_of_a_mistake_has_its_weight_for_the_journal() {
        let told = each_line_behind(priority(Level::ERROR), b"refused: invalid\nj.toml:67:5: quote it\n");
        assert_eq!(told, b"<3>refused: invalid\n<3>j.toml:67:5: quote it\n");
        assert_eq!(each_line_behind("", b"a\nb\n"), b"a\nb\n");
    }
}
