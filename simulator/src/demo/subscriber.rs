//! A subscriber of its own: keeps every attestation as it came and believes nothing yet.

use std::sync::{Arc, Mutex, PoisonError};

use coldhearth::{
    evidence::{Kind, topic},
    host::{
        Exit, Failure,
        courier::{self, Broker, Courier, Event},
    },
};
use tokio::sync::watch;

use super::{clock::FastClock, screen::Screen};

/// Everything that came on `attest`, in the order it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscriber {
    lines: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// How many different records have come.
#[derive(Debug)]
pub(super) struct Received(watch::Receiver<u64>);

impl Received {
    /// Waits until so many records have come.
    pub(super) async fn wait(mut self, records: u64) {
        // The sender lives as long as the subscriber's task; if it is gone, nothing more comes.
        let _ended = self.0.wait_for(|count| *count >= records).await;
    }
}

impl Subscriber {
    /// Subscribes; returns once the broker has granted it, so that nothing is missed.
    ///
    /// # Errors
    /// The broker cannot be reached.
    pub(super) async fn start(
        clock: Arc<FastClock>,
        port: u16,
        screen: Arc<Screen>,
    ) -> Result<(Subscriber, Received), Failure> {
        let subscriber = Subscriber::default();
        let (mut courier, ends) = courier::pair();
        let broker = Broker {
            host: "127.0.0.1".into(),
            port,
            client_id: "demo-subscriber".into(),
            login: None,
            tls: None,
            keepalive_s: 30,
            will: None,
            filters: [Kind::Attest, Kind::Violation]
                .map(|kind| format!("{}/+/+/+/+/+/+/{}", topic::ROOT, kind.word()))
                .to_vec(),
            keeps_s: None,
        };
        tokio::spawn(async move { courier::run(&*clock, broker, ends).await });
        loop {
            match courier.events.recv().await {
                Some(Event::Subscribed) => break,
                None => return Err(Failure::new(Exit::Unreachable, "the demo's broker does not answer")),
                Some(Event::Connected { .. } | Event::Lost { .. } | Event::Message { .. }) => {}
                Some(
                    Event::Granted { .. }
                    | Event::Accepted { .. }
                    | Event::Refused { .. }
                    | Event::Expiring { .. },
                ) => {}
            }
        }
        let (count, received) = watch::channel(0);
        let kept = subscriber.lines.clone();
        let mut alarm = None;
        tokio::spawn(async move {
            // The courier ends when its sender is dropped, so this task holds both.
            let Courier { send: _held, mut events } = courier;
            while let Some(event) = events.recv().await {
                if let Event::Message { topic, payload, .. } = event {
                    if Kind::of_topic(&topic) == Some(Kind::Violation) {
                        // A word without bytes takes an alarm of before back.
                        if payload.is_empty() {
                            continue;
                        }
                        alarm.get_or_insert_with(|| tell_alarm(&screen, &topic, &payload));
                        continue;
                    }
                    let mut lines = kept.lock().unwrap_or_else(PoisonError::into_inner);
                    if !lines.contains(&payload) {
                        lines.push(payload);
                        count.send_modify(|count| *count += 1);
                    }
                }
            }
        });
        Ok((subscriber, Received(received)))
    }

    /// What has come so far.
    pub(super) fn lines(&self) -> Vec<Vec<u8>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Shows the first alarm exactly as it came; the summary says whether its record verified.
fn tell_alarm(screen: &Screen, topic: &str, payload: &[u8]) {
    screen.subscriber(&format!("the alarm as it came, {} bytes on {topic}:", payload.len()));
    screen.subscriber(&String::from_utf8_lossy(payload));
}
