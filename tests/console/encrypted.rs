//! With a certificate of its own the console may be elsewhere than on this machine, and its cookies travel encrypted only.

use std::{net::SocketAddr, path::Path, sync::Arc};

use coldhearth::{host::credentials::Identity, regulator::config::ConsoleAt, regulator::console};
use rcgen::{CertificateParams, KeyPair};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

use crate::{
    browser::{Answer, Browser},
    desk::{Desk, PASSWORD, ours, people},
    support::{Folder, free_port, soon},
};

/// A certificate of this machine's, in files, and how somebody dials who trusts it.
fn identity(folder: &Path) -> (Identity, TlsConnector) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let identity = Identity { certificate: folder.join("console.pem"), key: folder.join("console.key") };
    std::fs::write(&identity.certificate, certificate.pem()).unwrap();
    std::fs::write(&identity.key, key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (identity, TlsConnector::from(Arc::new(config)))
}

#[tokio::test]
async fn a_certificate_of_its_own_encrypts_and_whoever_greets_slowly_keeps_nobody_out() {
    let folder = Folder::new("console-identity");
    let (identity, dial) = identity(&folder.0);
    let listen = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let at = ConsoleAt { listen, identity: Some(identity), is_behind_tls: false, names: Vec::new() };
    let _desk = Desk::at("encrypted", &at, |store| {
        people(store);
        ours(store);
    });
    let plain = async |text: &str| {
        let mut line = Browser::at(listen.port()).line().await;
        line.write_all(text.as_bytes()).await.unwrap();
        line
    };
    // It says nothing, and holds its line.
    let silent = plain("").await;
    let mut unencrypted = plain("GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut said = Vec::new();
    let _reset = soon("an end", unencrypted.read_to_end(&mut said)).await;
    assert!(!String::from_utf8_lossy(&said).contains("HTTP/"), "nothing is shown unencrypted");
    let line = TcpStream::connect(listen).await.unwrap();
    let mut line = dial.connect(ServerName::try_from("localhost").unwrap(), line).await.unwrap();
    let body = format!("name=li&password={}", PASSWORD.replace(' ', "+"));
    let request = format!(
        "POST /login HTTP/1.1\r\nHost: localhost\r\nOrigin: https://localhost\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    line.write_all(request.as_bytes()).await.unwrap();
    let mut said = Vec::new();
    let _without_farewell = soon("an answer", line.read_to_end(&mut said)).await;
    let answer = Answer::of(&said);
    assert_eq!(answer.status, 303, "{answer:?}");
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-coldhearth=") && cookie.contains("; Secure"), "{cookie}");
    assert!(cookie.contains("; Path=/") && !cookie.contains("Domain"), "{cookie}");
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    drop(silent);
}

#[tokio::test]
async fn elsewhere_than_on_this_machine_nothing_is_shown_without_one() {
    let at = ConsoleAt::plain(([0, 0, 0, 0], free_port()).into());
    let refused = console::listen(&at).await.err().expect("passwords would travel unencrypted");
    assert!(refused.to_string().contains("unencrypted"), "{refused}");
}
