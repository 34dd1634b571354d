//! Where log lines go: to standard error, for a person, for a machine, or for the journal of systemd, which is told how
//! much each weighs.

use std::io;

use rustix::fd::AsFd;
use tracing::{Level, Metadata};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

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

/// Sends log lines to standard error, from this level on unless `RUST_LOG` says otherwise. A second call does nothing.
pub fn start(level: &str, form: Form) {
    // The MQTT libraries log what we handle and report ourselves.
    let ours = format!("{level},rumqttc=off,rumqttd=off");
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(ours));
    let out = Out { is_journal: goes_to_the_journal() };
    let plain = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(out)
        .with_ansi(!out.is_journal && form == Form::Text && io::IsTerminal::is_terminal(&io::stderr()));
    let _already = match (form, out.is_journal) {
        (Form::Json, _) => plain.json().flatten_event(true).with_target(false).try_init(),
        // The journal keeps the time itself.
        (Form::Text, true) => plain.without_time().try_init(),
        (Form::Text, false) => plain.try_init(),
    };
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
        io::stderr().lock().write_all(&[self.prefix.as_bytes(), bytes].concat())?;
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
