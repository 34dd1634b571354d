//! Standard output, and how a program ends: what was to be printed and could not be is no success. Whoever reads only the
//! beginning has what he wants; every other fault of standard output ends the program with [`Exit::Bug`].

use std::{
    io::{self, ErrorKind, Stdout, Write},
    process::ExitCode,
    sync::OnceLock,
};

use super::exit::{Exit, Failure};

/// What went wrong first.
static WRONG: OnceLock<String> = OnceLock::new();

/// Standard output, whose faults are remembered. Every program prints by it.
#[derive(Debug)]
pub struct Out(Stdout);

/// Standard output.
pub fn out() -> Out {
    Out(io::stdout())
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        noted(self.0.write(bytes), &WRONG)
    }

    fn flush(&mut self) -> io::Result<()> {
        noted(self.0.flush(), &WRONG)
    }
}

/// Prints a line.
pub fn say(line: &str) {
    // Noted, and told at the end.
    let _gone = writeln!(out(), "{line}");
}

/// Prints bytes as they are.
pub fn give(bytes: &[u8]) {
    // Noted, and told at the end.
    let _gone = out().write_all(bytes);
}

/// Whether nothing more can be printed, so that a verb that has no end of its own ends.
pub fn is_broken() -> bool {
    WRONG.get().is_some()
}

/// Ends a program: its last lines, and its exit status.
pub fn end(program: &str, ended: Result<Exit, Failure>) -> ExitCode {
    // Noted.
    let _gone = out().flush();
    match settled(ended, WRONG.get().map(String::as_str)) {
        Ok(exit) => exit.into(),
        Err(Failure { exit, message }) => {
            complain(program, &message);
            exit.into()
        }
    }
}

fn settled(ended: Result<Exit, Failure>, wrong: Option<&str>) -> Result<Exit, Failure> {
    let Some(wrong) = wrong else { return ended };
    let lost =
        format!("standard output: {wrong}; not everything was printed: make room, or send it elsewhere");
    let before = ended.err().map(|failure| failure.message);
    Err(Failure::new(Exit::Bug, before.into_iter().chain([lost]).collect::<Vec<_>>().join("\n")))
}

#[cfg(feature = "host")]
fn complain(program: &str, message: &str) {
    super::logging::complain(program, message);
}

#[cfg(not(feature = "host"))]
fn complain(program: &str, message: &str) {
    let _gone = writeln!(io::stderr(), "{program}: {message}");
}

/// Notes what is wrong, unless it is that nobody wants to hear more, or that it has to be done once more.
fn noted<T>(done: io::Result<T>, wrong: &OnceLock<String>) -> io::Result<T> {
    if let Err(error) = &done
        && !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Interrupted)
    {
        wrong.get_or_init(|| error.to_string());
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_behind_standard_output_is_no_success_and_a_reader_who_has_enough_is_none_of_that() {
        let wrong = OnceLock::new();
        for kind in [ErrorKind::BrokenPipe, ErrorKind::Interrupted] {
            assert!(noted::<()>(Err(kind.into()), &wrong).is_err());
        }
        assert!(settled(Ok(Exit::Done), wrong.get().map(String::as_str)).is_ok());
        assert!(noted::<()>(Err(ErrorKind::StorageFull.into()), &wrong).is_err());
        let failure = settled(Ok(Exit::Done), wrong.get().map(String::as_str)).unwrap_err();
        assert_eq!(failure.exit, Exit::Bug);
        assert!(failure.message.starts_with("standard output: "), "{failure}");
        let both = settled(Err(Failure::new(Exit::Negative, "no")), Some("full")).unwrap_err();
        assert!(both.exit == Exit::Bug && both.message.starts_with("no\nstandard output: full"), "{both}");
    }
}
