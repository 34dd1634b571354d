//! What an operating system asks of a program: end when told to, log where it is read.

use std::path::PathBuf;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{
    exit::{Exit, Failure},
    logging,
};

/// Warnings that the machine's supply is failing, by SIGPWR: from the daemon of an uninterruptible supply, or a supercap
/// board. Whoever does not watch for them is ended by the first.
#[derive(Debug)]
pub struct PowerFailures(Signal);

impl PowerFailures {
    /// Begins to watch.
    ///
    /// # Errors
    /// Signals cannot be watched.
    pub fn watch() -> Result<PowerFailures, Failure> {
        let watched = signal(SignalKind::from_raw(libc::SIGPWR));
        watched
            .map(PowerFailures)
            .map_err(|e| Failure::new(Exit::Bug, format!("signals cannot be watched: {e}")))
    }

    /// Waits for the next; false when none can come any more.
    pub async fn next(&mut self) -> bool {
        self.0.recv().await.is_some()
    }
}

/// The folder that a service manager made for what lives as long as the program, where one did: `RuntimeDirectory=`.
pub fn runtime_folder() -> Option<PathBuf> {
    let folders = std::env::var_os("RUNTIME_DIRECTORY")?;
    std::env::split_paths(&folders).next().filter(|folder| folder.is_absolute())
}

/// What is asked of a running program by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To end, by this signal: Ctrl-C (SIGINT), or SIGTERM from the service manager.
    Stop(&'static str),
    /// To read its configuration again: SIGHUP.
    Reload,
    /// Nothing that it knows, by this signal: nobody is ended by mistake.
    Nothing(&'static str),
}

/// The signals that ask something of a program. Whoever does not watch for them is ended by the first.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    user: [Signal; 2],
}

impl Signals {
    /// Begins to watch.
    ///
    /// # Errors
    /// Signals cannot be watched.
    pub fn watch() -> Result<Signals, Failure> {
        let watch = |kind| {
            signal(kind).map_err(|e| Failure::new(Exit::Bug, format!("signals cannot be watched: {e}")))
        };
        Ok(Signals {
            interrupt: watch(SignalKind::interrupt())?,
            terminate: watch(SignalKind::terminate())?,
            hangup: watch(SignalKind::hangup())?,
            user: [watch(SignalKind::user_defined1())?, watch(SignalKind::user_defined2())?],
        })
    }

    /// Waits for the next.
    pub async fn next(&mut self) -> Asked {
        let Signals { interrupt, terminate, hangup, user: [first, second] } = self;
        tokio::select! {
            biased;
            _ = interrupt.recv() => Asked::Stop("SIGINT"),
            _ = terminate.recv() => Asked::Stop("SIGTERM"),
            _ = hangup.recv() => Asked::Reload,
            _ = first.recv() => Asked::Nothing("SIGUSR1"),
            _ = second.recv() => Asked::Nothing("SIGUSR2"),
        }
    }
}

/// Waits until somebody asks the program to end: Ctrl-C, or SIGTERM from the service manager.
///
/// # Errors
/// Signals cannot be watched.
pub async fn until_asked_to_stop() -> Result<(), Failure> {
    let watch =
        |kind| signal(kind).map_err(|e| Failure::new(Exit::Bug, format!("signals cannot be watched: {e}")));
    let (mut interrupt, mut terminate) = (watch(SignalKind::interrupt())?, watch(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Sends log lines to standard error, from `info` on.
pub fn start_logging() {
    start_logging_at("info");
}

/// Sends log lines to standard error, from this level on unless `RUST_LOG` says otherwise. A second call does nothing.
pub fn start_logging_at(level: &str) {
    logging::start(level, logging::Form::Text);
}

/// A runtime for one program: one thread, timers and sockets.
///
/// # Errors
/// The operating system gives none.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(Exit::Bug, format!("no runtime: {e}")))
}
