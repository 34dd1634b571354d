//! The demo's own MQTT broker on free ports of 127.0.0.1: rumqttd, in memory. An occupied 1883 does no harm.

use std::net::TcpListener;

use coldhearth::host::{Exit, Failure};

/// Where the broker listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    /// MQTT 5.
    pub port: u16,
    /// MQTT 3.1.1, what `mosquitto_sub` speaks unless told otherwise.
    pub plain_port: u16,
}

/// Starts the broker on threads of its own; it ends with the process.
///
/// # Errors
/// No port is free, or the broker does not start.
pub(super) fn start() -> Result<Ports, Failure> {
    let ports = Ports { port: free_port()?, plain_port: free_port()? };
    let config: rumqttd::Config = toml::from_str(&config(ports)).map_err(|e| failed(&e))?;
    let mut broker = rumqttd::Broker::new(config);
    std::thread::Builder::new()
        .name("broker".into())
        .spawn(move || {
            if let Err(error) = broker.start() {
                tracing::error!(%error, "the demo's broker ended");
            }
        })
        .map_err(|e| failed(&e))?;
    Ok(ports)
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Bug, format!("the demo's broker cannot start: {error}"))
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16, Failure> {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(|e| failed(&e))
}

fn config(ports: Ports) -> String {
    let server = |version: &str, port: u16| {
        format!(
            r#"
[{version}.1]
name = "{version}"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[{version}.1.connections]
connection_timeout_ms = 60000
max_payload_size = 262144
max_inflight_count = 200
dynamic_filters = true
"#
        )
    };
    format!(
        "id = 0\n[router]\nid = 0\nmax_connections = 100\nmax_outgoing_packet_count = 200\n\
         max_segment_size = 10485760\nmax_segment_count = 10\n{}{}",
        server("v5", ports.port),
        server("v4", ports.plain_port)
    )
}
