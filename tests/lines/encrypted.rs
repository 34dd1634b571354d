//! A way to a meter inside TLS, with certificates on both ends.

use super::*;

/// An authority of a test, and what it vouches for.
struct Authority {
    folder: PathBuf,
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(folder: &Path, name: &str) -> Authority {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let file = folder.join(format!("{name}.crt"));
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Authority { folder: folder.to_owned(), issuer: Issuer::new(params, key), file }
    }

    fn issue(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let file = |end: &str| self.folder.join(format!("{name}.{end}"));
        let identity = Identity { certificate: file("pem"), key: file("key") };
        std::fs::write(&identity.certificate, certificate.pem()).unwrap();
        std::fs::write(&identity.key, key.serialize_pem()).unwrap();
        std::fs::set_permissions(&identity.key, std::fs::Permissions::from_mode(0o600)).unwrap();
        identity
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.file).unwrap()).unwrap();
        roots
    }
}

/// Modbus inside TLS before the plant's own port, for clients that this authority vouches for.
async fn secured(authority: &Authority, behind: u16) -> u16 {
    let provider = Arc::new(ring::default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(authority.roots()), provider.clone()).build();
    let Identity { certificate, key } = authority.issue("localhost");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(clients.unwrap())
        .with_single_cert(
            vec![CertificateDer::from_pem_file(certificate).unwrap()],
            PrivateKeyDer::from_pem_file(key).unwrap(),
        )
        .unwrap();
    let (acceptor, listener) =
        (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut near) = acceptor.accept(stream).await else { return };
                let mut far = TcpStream::connect(("127.0.0.1", behind)).await.unwrap();
                let _ended = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    port
}

#[tokio::test]
async fn inside_tls_both_ends_show_certificates() {
    let works = Works::open("modbus-tls").await;
    works.force(POWER_W);
    let (ours, others) = (Authority::new(&works.folder.0, "ours"), Authority::new(&works.folder.0, "others"));
    let port = secured(&ours, works.modbus_port).await;
    let endpoint = endpoint(&format!("tls://localhost:{port}"));
    let files = |ca: &Authority, identity: Option<Identity>| {
        let tls = TlsFiles { ca: ca.file.clone(), identity, server_name: None };
        Terms { tls: Some(tls), ..terms() }
    };
    let good = files(&ours, Some(ours.issue("gateway")));
    let mut samples = poll(&endpoint, &good, Manners::default());
    until(&mut samples, "a reading inside TLS", is_reading).await;
    let first_word = async |terms: &Terms| {
        let mut client = match dialler(&endpoint, terms).dial().await {
            Ok(client) => client,
            Err(error) => return Hindrance::of(&error),
        };
        client.set_slave(Slave(1));
        // In TLS 1.3 a refusal comes with the first answer.
        let error =
            soon("a refusal", client.call(Request::ReadHoldingRegisters(19_000, 2))).await.unwrap_err();
        assert_eq!(bus::fault(&error), Fault::Refused);
        match error {
            tokio_modbus::Error::Transport(error) => Hindrance::of(&error),
            tokio_modbus::Error::Protocol(error) => panic!("{error}"),
        }
    };
    assert_eq!(first_word(&files(&ours, None)).await, Some(Hindrance::CertificateRefused));
    let stranger = files(&ours, Some(others.issue("stranger")));
    assert_eq!(first_word(&stranger).await, Some(Hindrance::CertificateRefused));
    let wrong = files(&others, Some(ours.issue("gateway-2")));
    assert_eq!(first_word(&wrong).await, Some(Hindrance::PeerNotBelieved));
}
