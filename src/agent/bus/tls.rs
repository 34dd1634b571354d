//! Modbus inside TLS (Modbus/TCP Security): the whole frame of Modbus TCP, header included, in a connection whose
//! both ends show certificates.
//!
//! In TLS 1.3 a server may refuse our certificate after the handshake has succeeded for us; its objection comes with
//! the first read, which is the first answer, and [`super::fault`] knows it.

use std::io;

use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream, rustls::pki_types::ServerName};

use super::tcp;
use crate::{
    agent::endpoint::Peer,
    host::credentials::{self, TlsFiles},
};

/// Connects, with the certificates as they are on disk at this moment.
pub(super) async fn connect(peer: &Peer, files: &TlsFiles) -> io::Result<TlsStream<TcpStream>> {
    let files = files.clone();
    let credentials = tokio::task::spawn_blocking(move || credentials::load(&files)).await?;
    let unfit = |unfit: Vec<credentials::Unfit>| {
        let told = unfit.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        io::Error::new(io::ErrorKind::InvalidInput, told)
    };
    let config = credentials.map_err(unfit)?.config;
    let name = ServerName::try_from(peer.host.clone()).map_err(io::Error::other)?;
    let stream = tcp::connect(peer).await?;
    TlsConnector::from(config).connect(name, stream).await
}
