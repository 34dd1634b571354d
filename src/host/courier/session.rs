//! One connection, from the first packet to whatever ends it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::mpsc;

use super::{
    ANSWER_TIMEOUT_S, Broker, CONNECT_TIMEOUT_S, Delivery, Ends, Event, FAREWELL_TIMEOUT_S,
    SUBSCRIBE_TIMEOUT_S, Send, WINDOW,
    line::{Heard, Listener, Speaker},
    refused::Refused,
};

/// What a shared filter begins with.
const SHARED: &str = "$share/";

/// How a connection ended, and whether it ever began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) why: Refused,
    pub(super) greeted: bool,
    /// Whether the broker did its work: it answered a publish, or brought a message.
    pub(super) served: bool,
}

/// Tags on their way: handed to the library but not yet on the wire, and awaiting their PUBACK.
#[derive(Debug, Default)]
struct OnTheWay {
    /// Which connection this is.
    number: u64,
    queued: VecDeque<u64>,
    awaiting: BTreeMap<u16, u64>,
    /// Publishes the broker has answered and messages it has brought.
    answered: u64,
    greeted: bool,
    /// Subscriptions handed to the library but not yet on the wire, and those that await their answer.
    asked: VecDeque<Subscription>,
    unanswered: BTreeMap<u16, Subscription>,
    /// The program asked for the end, for good or to come back.
    leaving: Option<Refused>,
}

/// Whose a subscription is: the connection's own, or one that the program asked for besides.
#[derive(Clone, Copy, Debug)]
enum Subscription {
    Own,
    Besides {
        tag: u64,
        /// Every filter in it is shared: then a refusal is only told.
        is_shared: bool,
    },
}

impl Subscription {
    fn answered(self, granted: bool) -> Result<Event, Refused> {
        match (self, granted) {
            (Subscription::Own, true) => Ok(Event::Subscribed),
            (Subscription::Besides { tag, .. }, true)
            | (Subscription::Besides { tag, is_shared: true }, false) => Ok(Event::Granted { tag, granted }),
            (Subscription::Own | Subscription::Besides { .. }, false) => Err(Refused::TopicForbidden),
        }
    }
}

impl OnTheWay {
    fn is_subscribing(&self) -> bool {
        !self.asked.is_empty() || !self.unanswered.is_empty()
    }
}

type Shared = Arc<Mutex<OnTheWay>>;

fn locked<T>(shared: &Shared, change: impl FnOnce(&mut OnTheWay) -> T) -> T {
    change(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Carries over one line until it ends, or until `renewed` ends and we take leave to come back.
pub(super) async fn carry(
    broker: &Broker,
    ((speaker, listener), number): ((Speaker, Listener), u64),
    ends: &mut Ends,
    renewed: impl Future<Output = ()>,
) -> Ending {
    let shared = Shared::new(Mutex::new(OnTheWay { number, ..OnTheWay::default() }));
    let Ends { sends, events, only_tells: _ } = ends;
    let renewal = async {
        renewed.await;
        speaker.disconnect().await;
        std::future::pending().await
    };
    // `poll` must not be cancelled midway, so each part is one future for the whole session. What is handed over goes first:
    // then the other half has it on the wire with this very turn.
    let why = tokio::select! {
        biased;
        why = forward(&speaker, sends, &shared) => why,
        why = receive(broker, &speaker, listener, &shared, events) => why,
        why = renewal => why,
        why = stalled(&shared) => why,
    };
    let (greeted, served) = locked(&shared, |way| (way.greeted, way.answered > 0));
    Ending { why, greeted, served }
}

/// Ends when publishes await their answer and none comes: a broker that answers pings and nothing else is no broker.
async fn stalled(shared: &Shared) -> Refused {
    let mut before = (false, 0);
    loop {
        let patience = Duration::from_secs(ANSWER_TIMEOUT_S);
        let _elapsed = tokio::time::timeout(patience, std::future::pending::<()>()).await;
        let now = locked(shared, |way| (!way.awaiting.is_empty(), way.answered));
        if before.0 && now == before {
            return Refused::Silent;
        }
        before = now;
    }
}

async fn forward(speaker: &Speaker, sends: &mut mpsc::Receiver<Send>, shared: &Shared) -> Refused {
    let mut leaving = Refused::Left;
    while let Some(send) = sends.recv().await {
        match send {
            Send::Publish { tag, topic, payload, retain } => {
                locked(shared, |way| way.queued.push_back(tag));
                if let Err(why) = speaker.publish(topic, retain, payload).await {
                    return why;
                }
            }
            Send::Tell { topic, payload } => {
                if let Err(why) = speaker.tell(topic, payload).await {
                    return why;
                }
            }
            Send::Took(taken) => {
                let number = locked(shared, |way| way.number);
                for delivery in taken.iter().filter(|delivery| delivery.line == number) {
                    if let Err(why) = speaker.took(delivery.pkid).await {
                        return why;
                    }
                }
            }
            Send::Subscribe { tag, filters } => {
                let is_shared = filters.iter().all(|filter| filter.starts_with(SHARED));
                let subscription = Subscription::Besides { tag, is_shared };
                locked(shared, |way| way.asked.push_back(subscription));
                if let Err(why) = speaker.subscribe(&filters).await {
                    return why;
                }
            }
            Send::Unsubscribe(filters) => {
                for filter in &filters {
                    if let Err(why) = speaker.unsubscribe(filter).await {
                        return why;
                    }
                }
            }
            Send::Again => {
                leaving = Refused::Again;
                break;
            }
            Send::Stop => break,
        }
    }
    locked(shared, |way| way.leaving = Some(leaving));
    // The other half still runs: it sends what is queued and sees the disconnection through.
    speaker.disconnect().await;
    std::future::pending().await
}

async fn receive(
    broker: &Broker,
    speaker: &Speaker,
    mut listener: Listener,
    shared: &Shared,
    events: &mpsc::Sender<Event>,
) -> Refused {
    // Writes of the library have no timeout of their own.
    let patience = Duration::from_secs(u64::from(broker.keepalive_s) * 2 + CONNECT_TIMEOUT_S);
    // Nor have its subscriptions: one that is never answered would look like a quiet plant for ever.
    let patience_of_subscriber = Duration::from_secs(SUBSCRIBE_TIMEOUT_S);
    loop {
        let subscribing = locked(shared, |way| way.is_subscribing());
        let patience = if subscribing { patience_of_subscriber } else { patience };
        let heard = match tokio::time::timeout(patience, listener.next()).await {
            Err(_) => return Refused::Silent,
            // A peer that took the connection but not our greeting is not one that broke.
            Ok(Err(Refused::Broken)) if !locked(shared, |way| way.greeted) => return Refused::Dropped,
            Ok(Err(why)) => return why,
            Ok(Ok(heard)) => heard,
        };
        let told = match on_heard(broker, speaker, shared, heard).await {
            Ok(told) => told,
            Err(Refused::Again) => return farewell(listener).await,
            Err(why) => return why,
        };
        if let Some(told) = told
            && events.send(told).await.is_err()
        {
            return Refused::Left;
        }
    }
}

/// Waits until the broker has read our last words and hangs up: whoever hangs up on what a broker still has to say makes it
/// lose what it was told, and it would bring again what was taken.
async fn farewell(mut listener: Listener) -> Refused {
    let hung_up = async { while listener.next().await.is_ok() {} };
    let _hung_up_or_not = tokio::time::timeout(Duration::from_secs(FAREWELL_TIMEOUT_S), hung_up).await;
    Refused::Again
}

async fn on_heard(
    broker: &Broker,
    speaker: &Speaker,
    shared: &Shared,
    heard: Heard,
) -> Result<Option<Event>, Refused> {
    match heard {
        // Another keep-alive is the library's own affair.
        Heard::Greeted { in_flight, max_packet_bytes, sharing, keepalive_s: _ } => {
            locked(shared, |way| way.greeted = true);
            if !broker.filters.is_empty() {
                locked(shared, |way| way.asked.push_back(Subscription::Own));
                speaker.subscribe(&broker.filters).await?;
            }
            // Well below the table, so that a packet identifier never comes round while its first use is still awaited.
            let window = WINDOW.min(in_flight / 4 * 3).max(1);
            Ok(Some(Event::Connected { window, max_packet_bytes, sharing }))
        }
        Heard::Asked(pkid) => {
            locked(shared, |way| {
                if let Some(subscription) = way.asked.pop_front() {
                    way.unanswered.insert(pkid, subscription);
                }
            });
            Ok(None)
        }
        Heard::Subscribed { pkid, granted } => {
            let subscription = locked(shared, |way| way.unanswered.remove(&pkid));
            subscription.map(|subscription| subscription.answered(granted)).transpose()
        }
        Heard::Sent(pkid) => {
            locked(shared, |way| {
                if let Some(tag) = way.queued.pop_front() {
                    way.awaiting.insert(pkid, tag);
                }
            });
            Ok(None)
        }
        Heard::Acknowledged(pkid, refused) => {
            let tag = locked(shared, |way| {
                way.answered += 1;
                way.awaiting.remove(&pkid)
            });
            Ok(tag.map(|tag| match refused {
                None => Event::Accepted { tag },
                Some(why) => Event::Refused { tag, why },
            }))
        }
        Heard::Message { topic, payload, retained, pkid } => {
            let line = locked(shared, |way| {
                way.answered += 1;
                way.number
            });
            let delivery = (broker.keeps_s.is_some() && pkid > 0).then_some(Delivery { line, pkid });
            Ok(Some(Event::Message { topic, payload, retained, delivery }))
        }
        Heard::Left => Err(locked(shared, |way| way.leaving).unwrap_or(Refused::Renewed)),
        Heard::Nothing => Ok(None),
    }
}
