//! rumqttd inside the test, with which it ends: a second broker that shares, and one that knows MQTT 3.1.1 alone.

use coldhearth::host::{Clock as _, SystemClock};

use super::{free_port, soon};

/// A broker of MQTT 5.
pub async fn start() -> u16 {
    listening("v5").await
}

/// A broker that knows MQTT 3.1.1 and nothing newer; mosquitto cannot be held to that.
pub async fn old() -> u16 {
    listening("v4").await
}

async fn listening(version: &str) -> u16 {
    let port = free_port();
    let config = format!(
        "id = 0\n[router]\nid = 0\nmax_connections = 100\nmax_outgoing_packet_count = 200\n\
         max_segment_size = 10485760\nmax_segment_count = 10\n\
         [{version}.1]\nname = \"one\"\nlisten = \"127.0.0.1:{port}\"\nnext_connection_delay_ms = 1\n\
         [{version}.1.connections]\nconnection_timeout_ms = 60000\nmax_payload_size = 262144\n\
         max_inflight_count = 200\ndynamic_filters = true\n"
    );
    let config: rumqttd::Config = toml::from_str(&config).unwrap();
    let mut broker = rumqttd::Broker::new(config);
    std::thread::spawn(move || {
        if let Err(error) = broker.start() {
            panic!("{error}");
        }
    });
    soon("the broker's listener", async {
        let clock = SystemClock::default();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            clock.sleep_until(clock.now().uptime_ms + 20).await;
        }
    })
    .await;
    port
}
