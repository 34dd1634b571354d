//! The socket to a broker, and TLS over it, where the library does not open them itself.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, pki_types::ServerName},
};

use super::{Broker, fault, refused::Refused};

/// A socket that sends what it is given at once.
///
/// # Errors
/// Nobody is there.
pub(super) async fn tcp(broker: &Broker) -> Result<TcpStream, Refused> {
    let tcp = TcpStream::connect((broker.host.as_str(), broker.port)).await;
    let tcp = tcp.map_err(|e| fault::of_io(&e))?;
    tcp.set_nodelay(true).map_err(|e| fault::of_io(&e))?;
    Ok(tcp)
}

/// TLS over such a socket.
///
/// # Errors
/// What either side has against the other.
pub(super) async fn tls(broker: &Broker, config: Arc<ClientConfig>) -> Result<TlsStream<TcpStream>, Refused> {
    let tcp = tcp(broker).await?;
    let host = ServerName::try_from(broker.host.clone()).map_err(|_| Refused::WrongName)?;
    TlsConnector::from(config).connect(host, tcp).await.map_err(|e| fault::of_handshake(&e))
}
