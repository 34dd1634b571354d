//! TCP connections that notice when the other side is gone.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs as _},
    time::Duration,
};

use rustix::net::sockopt;
use tokio::net::TcpStream;

use crate::agent::endpoint::Peer;

/// Silence after which the kernel asks whether the other side is still there, in seconds.
pub const KEEPALIVE_IDLE_S: u64 = 10;
/// Time between two such questions, in seconds.
pub const KEEPALIVE_INTERVAL_S: u64 = 5;
/// Questions without an answer after which the connection is dead.
pub const KEEPALIVE_PROBES: u32 = 3;
/// How long what was sent may stay unacknowledged, in milliseconds.
pub const USER_TIMEOUT_MS: u32 = 15_000;

/// Connects to the first address of a host that takes us.
pub(super) async fn connect(peer: &Peer) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses(peer).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                watch(&stream)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// An address needs no look-up; a name is looked up off this thread, so that no other bus waits for it.
async fn addresses(peer: &Peer) -> io::Result<Vec<SocketAddr>> {
    let (host, port) = (peer.host.clone(), peer.port);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    tokio::task::spawn_blocking(move || Ok((host.as_str(), port).to_socket_addrs()?.collect())).await?
}

/// A peer that vanished without a word would otherwise be waited for until somebody restarts us.
fn watch(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sockopt::set_tcp_keepidle(stream, Duration::from_secs(KEEPALIVE_IDLE_S))?;
    sockopt::set_tcp_keepintvl(stream, Duration::from_secs(KEEPALIVE_INTERVAL_S))?;
    sockopt::set_tcp_keepcnt(stream, KEEPALIVE_PROBES)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_user_timeout(stream, USER_TIMEOUT_MS)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_written_address_is_not_looked_up_and_a_name_is() {
        let at = |host: &str| Peer { host: host.into(), port: 502 };
        for (host, socket) in [("127.0.0.1", "127.0.0.1:502"), ("fe80::1", "[fe80::1]:502")] {
            assert_eq!(addresses(&at(host)).await.unwrap(), [socket.parse().unwrap()]);
        }
        let found = addresses(&at("localhost")).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
    }

    #[tokio::test]
    async fn every_socket_is_watched_by_the_kernel() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = connect(&Peer { host: "localhost".into(), port }).await.unwrap();
        assert!(sockopt::socket_keepalive(&stream).unwrap() && stream.nodelay().unwrap());
        assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), USER_TIMEOUT_MS);
        assert_eq!(sockopt::tcp_keepcnt(&stream).unwrap(), KEEPALIVE_PROBES);
        assert_eq!(sockopt::tcp_keepidle(&stream).unwrap(), Duration::from_secs(KEEPALIVE_IDLE_S));
    }
}
