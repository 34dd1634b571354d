//! How a program ends, by number.

/// Exit codes shared by all programs; systemd restarts on all but [`Exit::Config`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, nothing wrong.
    Done,
    /// Done, and the answer is no: tampered, incomplete, did not verify.
    Negative,
    /// The command line was wrong.
    Usage,
    /// The input is no evidence at all.
    Data,
    /// A meter or the broker cannot be reached.
    Unreachable,
    /// A defect of the program or a failed disk.
    Bug,
    /// Try again later: nothing came in time.
    Retry,
    /// A file or device may not be used.
    Permission,
    /// The configuration is wrong.
    Config,
}

impl Exit {
    /// The process exit status.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Negative => 1,
            Exit::Usage => 2,
            Exit::Data => 65,
            Exit::Unreachable => 69,
            Exit::Bug => 70,
            Exit::Retry => 75,
            Exit::Permission => 77,
            Exit::Config => 78,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> std::process::ExitCode {
        std::process::ExitCode::from(exit.code())
    }
}

/// Why a program ends before its work is done: how, and what a person should know and do.
#[derive(Clone, Debug)]
pub struct Failure {
    /// How.
    pub exit: Exit,
    /// One line or several, for standard error.
    pub message: String,
}

impl Failure {
    /// A failure with its explanation.
    pub fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into() }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
