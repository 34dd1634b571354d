//! The authority's desk in a browser: five screens over what the collector keeps.
//!
//! Pages are made here and need nothing but themselves: they are read without a script, printed on A4, and ask nobody else for
//! anything. Whatever is listed is asked of the store by the scope of whoever looks, and whatever was looked at is written down
//! before it is shown. The console opens no latch and signs no act: what it can change is an alarm's acknowledgement.

mod ask;
pub mod asks;
mod badge;
mod chart;
mod csv;
mod door;
mod encrypted;
mod frame;
mod live;
mod own;
pub mod password;
mod readers;
mod screen;
mod session;
mod story;
mod upload;

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use tokio::{net::TcpListener, sync::Semaphore};

pub use self::{
    asks::Joined,
    own::{OwnAlarms, OwnReports},
    readers::{Books, READERS},
    upload::MAX_UPLOAD_BYTES,
};
use self::{encrypted::Encrypted, live::Live, readers::Readers, session::Sessions};
use crate::{
    catalogue::Rules,
    host::{
        Clock, credentials,
        exit::{Exit, Failure},
    },
    regulator::config::ConsoleAt,
};

/// Longest form that is read, in bytes.
pub const MAX_FORM_BYTES: usize = 16 * 1_024;
/// Passwords that are looked at at once: each takes 19 MiB and some hundredths of a second.
pub const HASHES_AT_ONCE: usize = 2;
/// Days for which it is known who saw what.
pub const SAW_KEPT_DAYS: i64 = 730;

/// The console of a collector.
pub struct Console {
    clock: Arc<dyn Clock>,
    readers: Readers,
    sessions: Mutex<Sessions>,
    hashing: Semaphore,
    live: Live,
    rules: Rules,
    joined: Joined,
    /// Cookies are for encrypted lines only.
    is_encrypted: bool,
}

impl Console {
    /// Hires its threads, one for each of these books.
    ///
    /// # Errors
    /// No threads can be had.
    pub fn open(
        clock: Arc<dyn Clock>,
        books: Vec<Books>,
        joined: Joined,
        at: &ConsoleAt,
    ) -> Result<Arc<Console>, Failure> {
        let rules = Rules::shipped().map_err(|flaws| {
            Failure::new(Exit::Bug, flaws.first().map_or_else(String::new, ToString::to_string))
        })?;
        Ok(Arc::new(Console {
            clock,
            readers: Readers::hire(books)?,
            sessions: Mutex::new(Sessions::default()),
            hashing: Semaphore::new(HASHES_AT_ONCE),
            live: Live::default(),
            rules,
            joined,
            is_encrypted: at.identity.is_some() || at.is_behind_tls,
        }))
    }

    /// Every page it has.
    pub fn router(self: &Arc<Console>) -> Router {
        let inside = Router::new()
            .route("/", get(screen::today::show))
            .route("/fleet", get(screen::fleet::show))
            .route("/fleet.csv", get(screen::fleet::csv))
            .route("/saved", post(screen::fleet::save))
            .route("/saved/forget", post(screen::fleet::forget))
            .route("/asset/{gateway}/{asset}", get(screen::asset::show))
            .route("/asset/{gateway}/{asset}/power.csv", get(screen::asset::csv))
            .route("/asset/{gateway}/{asset}/certificate/{order}", get(screen::papers::certificate))
            .route("/alarms", get(screen::alarms::show))
            .route("/alarms.csv", get(screen::alarms::csv))
            .route("/alarms/decide", post(screen::alarms::decide))
            .route("/audit", get(screen::audit::show))
            .route("/log/{gateway}/{log}", get(screen::audit::part))
            .route("/audit/seen", get(screen::seen::show))
            .route("/audit/seen.csv", get(screen::seen::csv))
            .route("/report/{kind}/{form}", get(screen::papers::report))
            .route("/live", get(live::stream))
            .route("/logout", post(door::leave))
            .layer(DefaultBodyLimit::max(MAX_FORM_BYTES));
        let inside = inside
            .route("/verify", post(upload::verify).layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES)))
            .fallback(screen::nothing)
            .layer(middleware::from_fn_with_state(self.clone(), door::guard));
        let outside = Router::new()
            .route("/login", get(door::show).post(door::enter))
            .route("/language", get(door::language))
            .route("/style.css", get(frame::style))
            .route("/live.js", get(frame::script))
            .layer(DefaultBodyLimit::max(MAX_FORM_BYTES));
        outside.merge(inside).layer(middleware::from_fn(frame::sealed)).with_state(self.clone())
    }
}

/// A listener that is open.
pub enum Listening {
    /// For this machine only, or for the proxy on it.
    Plain(TcpListener),
    /// With a certificate of its own.
    Encrypted(Encrypted),
}

/// Opens the console's listener.
///
/// # Errors
/// The address is taken, or the certificate cannot be used.
pub async fn listen(at: &ConsoleAt) -> Result<Listening, Failure> {
    if at.identity.is_none() && !at.listen.ip().is_loopback() {
        let why =
            format!("{}: passwords would travel unencrypted; name 127.0.0.1, or a certificate", at.listen);
        return Err(Failure::new(Exit::Config, why));
    }
    let failed =
        |e: std::io::Error| Failure::new(Exit::Permission, format!("{}: {e}; name a free port", at.listen));
    let listener = TcpListener::bind(at.listen).await.map_err(failed)?;
    let Some(identity) = &at.identity else { return Ok(Listening::Plain(listener)) };
    let config = credentials::serving(identity).map_err(|unfit| {
        let lines: Vec<String> = unfit.iter().map(ToString::to_string).collect();
        Failure::new(Exit::Config, lines.join("\n"))
    })?;
    Ok(Listening::Encrypted(Encrypted::over(listener, config).map_err(failed)?))
}

/// Answers until it is let go of, and its address with it.
pub async fn show(listening: Listening, console: Arc<Console>) {
    let router = console.router();
    let serving = async {
        match listening {
            Listening::Plain(listener) => axum::serve(listener, router).await,
            Listening::Encrypted(listener) => axum::serve(listener, router).await,
        }
    };
    let ended = tokio::select! {
        ended = serving => ended,
        () = live::tell(console) => Ok(()),
    };
    // It ends only with its listener, and a collector works without its console.
    if let Err(error) = ended {
        tracing::error!(%error, "the console has ended");
    }
}
