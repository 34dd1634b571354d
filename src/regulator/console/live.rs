//! The numbers of each scope as they change, by server-sent events. They are counted once for all who look at the same scope,
//! and for nobody when nobody looks.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header::RETRY_AFTER},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::stream;
use serde_json::json;
use tokio::sync::watch;

use super::{
    Console, SAW_KEPT_DAYS, asks,
    badge::silent_before,
    chart::DAY_MS,
    door::Viewer,
    seats::{Own, Seat, Seats},
};
use crate::{
    regulator::store::{
        Answered, Part, StoreFault,
        sights::{AskedAt, Numbers, Scope, Which},
    },
    terms::{LegalDay, Name},
};

/// Time between two counts, in milliseconds, at least.
pub(super) const TICK_MS: u64 = 2_000;
/// And at most, whatever is counted.
pub(super) const TICK_MOST_MS: u64 = 60_000;
/// As long as a round of counting took, so many times as long there is none: it takes a twentieth of one core.
const PAUSES: u64 = 20;
/// Streams at once. When all are taken, whoever has most gives up the oldest for one who has fewer.
pub(super) const MOST_STREAMS: usize = 500;
/// After which time a stream that was refused may be asked for again, in seconds.
const AGAIN_S: &str = "30";
/// How long one stream lasts, in milliseconds; a browser asks again, and is looked at again.
pub(super) const STREAM_MS: u64 = 10 * 60 * 1_000;
/// How often is looked whether a stream's person is still in, in milliseconds.
pub(super) const CHECK_MS: u64 = 2_000;
/// Time after which a silent stream says that it is there, in seconds.
const KEPT_ALIVE_S: u64 = 20;

/// Who looks at which scope.
pub(super) struct Live {
    scopes: Mutex<BTreeMap<Scope, watch::Sender<Option<Counted>>>>,
    streams: Seats<Name>,
}

impl Default for Live {
    fn default() -> Live {
        Live { scopes: Mutex::default(), streams: Seats::new(MOST_STREAMS, Own::Stays) }
    }
}

/// What is counted of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counted {
    numbers: Numbers,
    /// Alarms that nobody has acknowledged, and all; none where no alarms are kept.
    alarms: Option<(u64, u64)>,
}

impl Live {
    fn look(&self, scope: &Scope) -> watch::Receiver<Option<Counted>> {
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        let told = scopes.entry(scope.clone()).or_insert_with(|| watch::channel(None).0);
        let mut seen = told.subscribe();
        seen.mark_changed();
        seen
    }

    /// The scopes that somebody looks at; the others are forgotten.
    fn looked_at(&self) -> Vec<Scope> {
        let mut scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        scopes.retain(|_, told| told.receiver_count() > 0);
        scopes.keys().cloned().collect()
    }

    fn tell(&self, scope: &Scope, counted: Counted) {
        let scopes = self.scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = scopes.get(scope) {
            told.send_if_modified(|before| before.replace(counted) != Some(counted));
        }
    }
}

/// When something is asked.
pub(super) fn asked_at(now_unix_ms: i64) -> AskedAt {
    AskedAt { today: LegalDay::of_unix_ms(now_unix_ms), silent_before_unix_ms: silent_before(now_unix_ms) }
}

/// Counts for whoever looks, and keeps each day's numbers, until the program ends.
pub(super) async fn tell(console: Arc<Console>) {
    let mut kept: Option<LegalDay> = None;
    loop {
        let now = console.clock.now();
        let at = asked_at(now.wall_unix_ms);
        if kept != Some(at.today) && keep_day(&console, at, now.wall_unix_ms).await {
            kept = Some(at.today);
        }
        // What was not looked through is no number: whoever looks is told so by the page.
        let is_whole = console.readers.ask(|books| books.store.unindexed_logs()).await;
        let looked_at = if is_whole.is_ok_and(|reading| reading.is_none()) {
            console.live.looked_at()
        } else {
            Vec::new()
        };
        for scope in looked_at {
            let (of, alarms) = (scope.clone(), console.joined.alarms.clone());
            let ask = console.readers.ask(move |books| {
                let counts = alarms.map(|alarms| alarms.counts(books, &of)).transpose()?;
                let alarms = counts.map(|counts| {
                    [Part::Open, Part::All].map(|part| asks::found(&counts, None, None, part)).into()
                });
                Ok(Counted { numbers: books.store.numbers(&of, Which::default(), at)?, alarms })
            });
            match ask.await {
                Ok(counted) => console.live.tell(&scope, counted),
                // The pages say so to whoever asks for one.
                Err(fault) => tracing::debug!(%fault, "nothing can be counted"),
            }
        }
        let took_ms = console.clock.now().uptime_ms.saturating_sub(now.uptime_ms);
        let pause_ms = TICK_MS.max(took_ms.saturating_mul(PAUSES)).min(TICK_MOST_MS);
        console.clock.sleep_until(now.uptime_ms + pause_ms).await;
    }
}

/// Ends the sessions of whoever was removed or has another password since, as long as somebody is told something.
pub(super) async fn look_after(console: Arc<Console>) {
    loop {
        console.clock.sleep_until(console.clock.now().uptime_ms + CHECK_MS).await;
        if console.live.streams.are_empty() {
            continue;
        }
        let names = console.sessions.lock().unwrap_or_else(PoisonError::into_inner).names();
        let ask = console.readers.ask(move |books| {
            let person = |name| Ok((name, books.store.person(name)?.map(|person| person.changed_unix_ms)));
            names.into_iter().map(person).collect::<Answered<Vec<_>>>()
        });
        // While the database is away nothing new is told to anybody.
        let Ok(people) = ask.await else { continue };
        let mut sessions = console.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        people.into_iter().for_each(|(name, changed)| sessions.end_unless(name, changed));
    }
}

/// Keeps the day's numbers, and forgets who saw what too long ago.
async fn keep_day(console: &Console, at: AskedAt, now_unix_ms: i64) -> bool {
    let before = now_unix_ms - SAW_KEPT_DAYS * DAY_MS;
    let kept = console.readers.ask(move |books| {
        if books.store.unindexed_logs()?.is_some() {
            return Err(StoreFault::Away("the records are being looked through".to_owned()));
        }
        books.store.keep_tally(at)?;
        books.store.forget_saw(before)
    });
    kept.await.is_ok()
}

/// `GET /live`
pub(super) async fn stream(
    State(console): State<Arc<Console>>,
    Extension(viewer): Extension<Viewer>,
) -> Response {
    let Some(seat) = console.live.streams.one_more(viewer.name) else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, AGAIN_S)]).into_response();
    };
    let looking = Looking {
        seen: console.live.look(&viewer.scope),
        ends_ms: console.clock.now().uptime_ms + STREAM_MS,
        viewer,
        console,
        seat,
    };
    let events = stream::unfold(looking, next);
    let alive = KeepAlive::new().interval(Duration::from_secs(KEPT_ALIVE_S));
    Sse::new(events).keep_alive(alive).into_response()
}

/// Somebody who looks.
struct Looking {
    seen: watch::Receiver<Option<Counted>>,
    console: Arc<Console>,
    viewer: Viewer,
    ends_ms: u64,
    /// Whoever holds it has a stream.
    seat: Seat<Name>,
}

async fn next(mut looking: Looking) -> Option<(Result<Event, Infallible>, Looking)> {
    let Looking { seen, console, viewer, ends_ms, seat } = &mut looking;
    loop {
        let now_ms = console.clock.now().uptime_ms;
        if now_ms >= *ends_ms || !viewer.is_in(console, now_ms) {
            return None;
        }
        tokio::select! {
            changed = seen.changed() => {
                changed.ok()?;
                break;
            }
            () = seat.is_given_up() => return None,
            () = console.clock.sleep_until((*ends_ms).min(now_ms + CHECK_MS)) => {}
        }
    }
    let counted = *seen.borrow_and_update();
    let event = counted.map_or_else(|| Event::default().comment("counting"), |counted| said(&counted));
    Some((Ok(event), looking))
}

fn said(counted: &Counted) -> Event {
    let Numbers { assets, due, verified, drawing, unproven, latched } = counted.numbers;
    let mut data = json!({
        "assets": assets, "due": due, "verified": verified, "drawing": drawing, "unproven": unproven, "latched": latched,
    });
    if let (Some((open, all)), Some(data)) = (counted.alarms, data.as_object_mut()) {
        data.insert("open".to_owned(), json!(open));
        data.insert("alarms".to_owned(), json!(all));
    }
    Event::default().event("numbers").data(data.to_string())
}
