//! Lines that only tell: what is said arrives, whole and in its order, over TLS and at a broker that speaks 3.1.1 only.

use super::*;

/// Messages of one test; more than leave in one write.
const TOLD: u8 = 200;

/// Tells so many messages over this line, and hears them at the same broker.
async fn arrives(telling: Broker, hearing: Broker) {
    let mut subscriber = Subscriber::start_with(Broker { filters: vec!["live/#".into()], ..hearing }).await;
    let mut line = teller(telling);
    let connected = |event: &Event| matches!(event, Event::Connected { .. });
    event(&mut line, "a greeting", connected).await;
    for n in 0..TOLD {
        line.send.send(Send::Tell { topic: format!("live/{}", n % 3), payload: vec![n; 400] }).await.unwrap();
    }
    for n in 0..TOLD {
        let message =
            event(&mut subscriber.courier, "a message", |e| matches!(e, Event::Message { .. })).await;
        let Event::Message { topic, payload, retained: false, .. } = message else { panic!("{message:?}") };
        assert_eq!((topic, payload), (format!("live/{}", n % 3), vec![n; 400]));
    }
}

#[tokio::test]
async fn what_is_told_over_tls_arrives() {
    let folder = Folder::new("tls-tells");
    let ca = Authority::new(&folder.0, "ca");
    let server = ca.issue("127.0.0.1", NOW);
    let settings = format!("{}{}max_queued_messages 0\n", listens(&server), demands(&ca.file));
    let broker = Mosquitto::start_with(&folder.0, free_port(), &settings).await;
    let [ours, theirs] = ["gw-live", "watcher"].map(|name| files(&ca, Some(ca.issue(name, NOW))));
    arrives(dial(broker.port, Some(ours)), dial(broker.port, Some(theirs))).await;
}

#[tokio::test]
async fn what_is_told_to_a_broker_of_3_1_1_arrives() {
    let port = rumqttd::old().await;
    arrives(dial(port, None), dial(port, None)).await;
}
