//! The authority's desk in a browser: five screens over what the collector keeps.
//!
//! Pages are made here and need nothing but themselves: they are read without a script, printed on A4, and ask nobody else for
//! anything. Whatever is listed is asked of the store by the scope of whoever looks, and whatever was looked at is written down
//! before it is shown. The console opens no latch and signs no act: what it can change is an alarm's acknowledgement,
//! and what it can ask for is a look on site.

mod ask;
pub mod asks;
mod badge;
mod changes;
mod chart;
mod csv;
mod door;
mod flow;
mod frame;
mod hop;
pub mod lines;
mod live;
mod own;
mod own_reports;
pub mod password;
mod readers;
mod screen;
mod seats;
mod session;
mod stamped;
mod story;
mod turned;
mod upload;

use std::sync::{Arc, Mutex, atomic::AtomicU64};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_rustls::TlsAcceptor;

pub use self::{
    asks::Joined,
    own::OwnAlarms,
    own_reports::OwnReports,
    readers::{Books, READERS},
    turned::TurnedAway,
    upload::MAX_UPLOAD_BYTES,
};
use self::{door::Host, lines::Limits, live::Live, readers::Readers, session::Sessions, upload::Coming};
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
/// Passwords that are looked at at once: each takes 19 MiB and some hundredths of a second of one processor.
pub const HASHES_AT_ONCE: usize = 1;
/// People whose passwords may wait to be looked at; whoever comes then is asked to come again.
pub const MOST_AT_DOOR: usize = 32;
/// Names that nobody has and whose passwords may wait to be looked at; those of more are not.
pub const MOST_STRANGERS: usize = 4;
/// Uploads that come in at once, one of each person, each held in memory.
pub const UPLOADS_COMING: usize = 8;
/// Uploads that are verified at once, each of which is held in memory twice; the next ones wait.
pub const UPLOADS_AT_ONCE: usize = 1;
/// Whoever is asked to come again is asked to after so many seconds.
pub const COME_AGAIN_S: u64 = 5;
/// Reports that are made at once, so that a reader stays free for pages; the next ones wait.
pub const REPORTS_AT_ONCE: usize = READERS - 1;
/// Days for which it is known who saw what.
pub const SAW_KEPT_DAYS: i64 = 730;

/// The console of a collector.
pub struct Console {
    clock: Arc<dyn Clock>,
    readers: Readers,
    sessions: Mutex<Sessions>,
    hashing: Semaphore,
    /// Those who wait before it: people, and names that nobody has.
    door: Semaphore,
    strangers: Semaphore,
    /// How long it took to look at the last one, in milliseconds.
    hashed_ms: AtomicU64,
    turned_away: TurnedAway,
    coming: Coming,
    uploads: Semaphore,
    /// Reports that are made.
    reports: Semaphore,
    live: Live,
    host: Host,
    rules: Rules,
    joined: Joined,
    /// Cookies are for encrypted lines only.
    is_encrypted: bool,
    /// A proxy on this machine speaks for whoever asks.
    is_behind_proxy: bool,
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
            door: Semaphore::new(MOST_AT_DOOR),
            strangers: Semaphore::new(MOST_STRANGERS),
            hashed_ms: AtomicU64::default(),
            turned_away: TurnedAway::default(),
            coming: Coming::default(),
            uploads: Semaphore::new(UPLOADS_AT_ONCE),
            reports: Semaphore::new(REPORTS_AT_ONCE),
            live: Live::default(),
            host: Host::of(at),
            rules,
            joined,
            is_encrypted: at.identity.is_some() || at.is_behind_tls,
            is_behind_proxy: at.is_behind_tls,
        }))
    }

    /// Who was not let in, for whoever counts that besides.
    pub fn turned_away(&self) -> TurnedAway {
        self.turned_away.clone()
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
            .route("/alarm/{id}", get(screen::alarm::show))
            .route("/inspections", get(screen::inspections::show).post(screen::inspections::ask))
            .route("/audit", get(screen::audit::show))
            .route("/log/{gateway}/{log}", get(screen::audit::records))
            .route("/audit/keys", get(screen::keys::show))
            .route("/audit/seen", get(screen::seen::show))
            .route("/audit/seen.csv", get(screen::seen::csv))
            .route("/report/{kind}/{form}", get(screen::papers::report))
            .route("/live", get(live::stream))
            .route("/logout", post(door::leave))
            .layer(middleware::from_fn_with_state(Limits::NAMED, lines::whole));
        let inside = inside
            .route(
                "/inspections/report",
                post(screen::inspections::report).layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES)),
            )
            .route("/verify", post(upload::verify).layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES)))
            .route("/rules", post(screen::rules::compare).layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES)))
            .route(
                "/report/{kind}/{form}",
                post(screen::papers::report_of_files).layer(DefaultBodyLimit::max(MAX_UPLOAD_BYTES)),
            )
            .fallback(screen::nothing)
            .layer(middleware::from_fn_with_state(self.clone(), door::guard));
        let outside = Router::new()
            .route("/login", get(door::show).post(door::enter))
            .route("/language", get(door::language))
            .route("/style.css", get(frame::style))
            .route("/live.js", get(frame::script))
            .layer(middleware::from_fn_with_state(Limits::NAMED, lines::whole));
        outside
            .merge(inside)
            .layer(middleware::from_fn_with_state(self.clone(), door::addressed))
            .layer(middleware::from_fn(frame::sealed))
            .with_state(self.clone())
    }
}

/// A listener that is open.
pub struct Listening {
    listener: TcpListener,
    /// With a certificate of its own; without, it is for this machine only, or for the proxy on it.
    encrypting: Option<TlsAcceptor>,
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
    let encrypting = at.identity.as_ref().map(|identity| {
        credentials::serving(identity).map(TlsAcceptor::from).map_err(|unfit| {
            let lines: Vec<String> = unfit.iter().map(ToString::to_string).collect();
            Failure::new(Exit::Config, lines.join("\n"))
        })
    });
    let encrypting = encrypting.transpose()?;
    let failed =
        |e: std::io::Error| Failure::new(Exit::Permission, format!("{}: {e}; name a free port", at.listen));
    let listener = TcpListener::bind(at.listen).await.map_err(failed)?;
    Ok(Listening { listener, encrypting })
}

/// Answers until it is let go of, and its address and every line with it. A collector works without its console.
pub async fn show(listening: Listening, console: Arc<Console>) {
    let Listening { listener, encrypting } = listening;
    tokio::select! {
        () = lines::serve(listener, encrypting, console.router(), Limits::NAMED) => {}
        () = live::tell(console.clone()) => {}
        () = live::look_after(console) => {}
    }
}
