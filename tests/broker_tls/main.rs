//! Encryption, identity and refusals against real brokers: mosquitto with an authority made for the test, and one
//! that speaks MQTT 3.1.1 only.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;
mod tells;
mod unfit_files;

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Arc,
};

use coldhearth::{
    agent::{self, config},
    host::{
        Clock, SystemClock,
        clock::Wait,
        courier::{self, Broker, Courier, Event, FILES_CHECK_MS, Refused, Send},
        credentials::{Identity, Part, TlsFiles},
    },
    judge::State,
    terms::Stamp,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use support::{Folder, Mosquitto, Subscriber, Works, audit, free_port, rumqttd, says, soon};

/// An authority, its certificate in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    file: PathBuf,
}

/// Years in which a certificate is valid.
type Years = (i32, i32);
const NOW: Years = (2020, 2090);

impl Authority {
    fn new(folder: &Path, name: &str) -> Authority {
        Authority::named(folder, name, name)
    }

    /// An authority whose file is not called as the authority itself.
    fn named(folder: &Path, file: &str, name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = folder.join(format!("{file}.pem"));
        std::fs::write(&file, issuer.pem()).unwrap();
        Authority { issuer, folder: folder.to_path_buf(), file }
    }

    /// A certificate for a name or address, in files of that name.
    fn issue(&self, name: &str, years: Years) -> Identity {
        self.issue_to(name, name, years)
    }

    fn issue_to(&self, file: &str, name: &str, (from, to): Years) -> Identity {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let identity = Identity {
            certificate: self.folder.join(format!("{file}.crt")),
            key: self.folder.join(format!("{file}.key")),
        };
        std::fs::write(&identity.certificate, certificate.pem()).unwrap();
        std::fs::write(&identity.key, key.serialize_pem()).unwrap();
        identity
    }
}

/// Settings of a TLS listener.
fn listens(identity: &Identity) -> String {
    format!("certfile {}\nkeyfile {}\n", identity.certificate.display(), identity.key.display())
}

/// Settings of a listener that lets in only whom this file's authorities vouch for, and tells their names in its log.
fn demands(clients: &Path) -> String {
    format!("cafile {}\nrequire_certificate true\nuse_identity_as_username true\n", clients.display())
}

fn files(ca: &Authority, identity: Option<Identity>) -> TlsFiles {
    TlsFiles { ca: ca.file.clone(), identity, server_name: None }
}

fn dial(port: u16, tls: Option<TlsFiles>) -> Broker {
    Broker { tls, ..Subscriber::broker(port) }
}

fn started(broker: Broker, clock: Arc<dyn Clock>) -> Courier {
    let (courier, ends) = courier::pair();
    tokio::spawn(async move { courier::run(&*clock, broker, ends).await });
    courier
}

fn life() -> Arc<dyn Clock> {
    Arc::new(SystemClock::default())
}

/// The first thing that both kinds of lines tell of a broker, and they must agree: that it is there, or why not.
async fn first_word(broker: Broker) -> Result<(), Refused> {
    let client_id = format!("{}-live", broker.client_id);
    let of_teller = first_word_of(teller(Broker { client_id, ..broker.clone() })).await;
    let first = first_word_of(started(broker, life())).await;
    assert_eq!(of_teller, first, "of a line that only tells");
    first
}

/// A line that only tells.
fn teller(broker: Broker) -> Courier {
    let (courier, ends) = courier::pair_that_tells(16);
    tokio::spawn(async move { courier::run(&SystemClock::default(), broker, ends).await });
    courier
}

async fn first_word_of(mut courier: Courier) -> Result<(), Refused> {
    soon("a word of the broker", async {
        loop {
            match courier.events.recv().await {
                Some(Event::Connected { .. }) => return Ok(()),
                Some(Event::Lost { why }) => return Err(why),
                Some(_) => {}
                None => panic!("the courier ended"),
            }
        }
    })
    .await
}

async fn published(courier: &mut Courier, topic: &str) -> Result<(), Refused> {
    let send = Send::Publish { tag: 7, topic: topic.into(), payload: b"x".to_vec(), retain: false };
    courier.send.send(send).await.unwrap();
    soon("the end of a publish", async {
        loop {
            match courier.events.recv().await {
                Some(Event::Accepted { tag: 7 }) => return Ok(()),
                Some(Event::Refused { tag: 7, why } | Event::Lost { why }) => return Err(why),
                Some(_) => {}
                None => panic!("the courier ended"),
            }
        }
    })
    .await
}

async fn event(courier: &mut Courier, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
    soon(what, async {
        loop {
            let event = courier.events.recv().await.unwrap();
            if wanted(&event) {
                return event;
            }
        }
    })
    .await
}

/// Waits until the broker's log says this.
async fn logged(folder: &Path, what: &str) {
    let clock = SystemClock::default();
    soon(what, async {
        while !std::fs::read_to_string(folder.join("mosquitto.log")).unwrap_or_default().contains(what) {
            clock.sleep_until(clock.now().uptime_ms + 20).await;
        }
    })
    .await;
}

/// A clock that runs faster than life, so that a minute between two looks at a file is no minute of the test.
struct Fast {
    life: SystemClock,
    origin_ms: u64,
}

/// Times life.
const SPEED: u64 = 60;

impl Fast {
    fn new() -> Arc<Fast> {
        let life = SystemClock::default();
        let origin_ms = life.now().uptime_ms;
        Arc::new(Fast { life, origin_ms })
    }
}

impl Clock for Fast {
    fn now(&self) -> Stamp {
        let life = self.life.now();
        // Wall and uptime run alike, or it would be a clock that is set all the time.
        let ahead_ms = (life.uptime_ms - self.origin_ms) * (SPEED - 1);
        Stamp {
            uptime_ms: life.uptime_ms + ahead_ms,
            wall_unix_ms: life.wall_unix_ms + ahead_ms.cast_signed(),
            ..life
        }
    }

    fn sleep_until(&self, uptime_ms: u64) -> Wait<'_> {
        let ahead_ms = uptime_ms.saturating_sub(self.origin_ms).div_ceil(SPEED);
        self.life.sleep_until(self.origin_ms + ahead_ms)
    }

    fn set_boot(&self, boot: u32) {
        self.life.set_boot(boot);
    }
}

/// The configuration of the works' agent, with TLS.
fn configure(works: &Works, port: u16, tls: &str) -> PathBuf {
    let path = works.configure(port);
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace(&format!("port = {port}\n"), &format!("port = {port}\ntls = {{ {tls} }}\n"));
    std::fs::write(&path, text).unwrap();
    // A broker of another user reads those that it shows; our own is ours alone.
    if let Some(key) = tls.split_once("key = \"").and_then(|(_, rest)| rest.split('"').next()) {
        let file = path.with_file_name(key);
        let _absent = std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600));
    }
    path
}

#[tokio::test]
async fn records_flow_when_each_side_proves_who_it_is() {
    let works = Works::open("tls").await;
    let folder = &works.folder.0;
    let ca = Authority::new(folder, "ca");
    let (server, watcher) = (ca.issue("127.0.0.1", NOW), ca.issue("watcher", NOW));
    ca.issue("gw-test", NOW);
    let port = free_port();
    let _broker =
        Mosquitto::start_with(folder, port, &format!("{}{}", listens(&server), demands(&ca.file))).await;
    let mut subscriber = Subscriber::start_with(dial(port, Some(files(&ca, Some(watcher.clone()))))).await;
    works.force(8_000_000);
    let agent = works.agent(&configure(
        &works,
        port,
        r#"ca = "ca.pem", certificate = "gw-test.crt", key = "gw-test.key""#,
    ));
    let key = works.key().await;
    let drawing = |record: &_| says(record, "eaf-1-feeder", State::Drawing);
    let lines = subscriber.attestations_until(&key, drawing).await;
    let report = audit(&key, &lines);
    assert!(report.authentic && report.complete, "{report:?}\n{}", works.log());
    logged(folder, "u'gw-test'").await;
    let watch = watch(&[
        "--broker",
        &format!("127.0.0.1:{port}"),
        "--ca",
        &ca.file.display().to_string(),
        "--certificate",
        &watcher.certificate.display().to_string(),
        "--key",
        &watcher.key.display().to_string(),
        "--until-violation",
        "50s",
    ])
    .await;
    assert_eq!(watch.status.code(), Some(0), "{watch:?}");
    assert_eq!(agent.stop(), 0);
}

/// Runs `coldhearth-regulator watch` to its end, off this thread.
async fn watch(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
    command.arg("watch").args(arguments).env("LANG", "C").stdin(Stdio::null());
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap());
    soon("the watch's end", ended).await.unwrap()
}

#[tokio::test]
async fn a_broker_whose_certificate_is_not_right_is_refused_with_the_reason() {
    let folder = Folder::new("tls-broker");
    let ca = Authority::new(&folder.0, "ca");
    let namesake = Authority::named(&folder.0, "namesake", "ca");
    let stranger = Authority::new(&folder.0, "stranger");
    let brokers = [
        ("good", "127.0.0.1", NOW),
        ("old", "127.0.0.1", (2019, 2020)),
        ("new", "127.0.0.1", (2089, 2090)),
        ("other", "broker.example", NOW),
    ];
    let mut running = Vec::new();
    for (file, name, years) in brokers {
        let identity = ca.issue_to(file, name, years);
        running.push(Mosquitto::start_with(&folder.0, free_port(), &listens(&identity)).await);
    }
    let [good, old, new, other] = [0, 1, 2, 3].map(|at: usize| running[at].port);
    let with = |ca: &Authority| Some(files(ca, None));
    assert_eq!(first_word(dial(good, with(&ca))).await, Ok(()));
    assert_eq!(first_word(dial(good, with(&stranger))).await, Err(Refused::AuthorityUnknown));
    assert_eq!(first_word(dial(good, with(&namesake))).await, Err(Refused::AuthorityUnknown));
    assert_eq!(first_word(dial(old, with(&ca))).await, Err(Refused::BrokerExpired));
    assert_eq!(first_word(dial(new, with(&ca))).await, Err(Refused::BrokerNotYetValid));
    assert_eq!(first_word(dial(other, with(&ca))).await, Err(Refused::WrongName));
    let named = TlsFiles { server_name: Some("broker.example".into()), ..files(&ca, None) };
    assert_eq!(first_word(dial(other, Some(named.clone()))).await, Ok(()));
    assert_eq!(first_word(dial(good, Some(named))).await, Err(Refused::WrongName));
    let plain = Mosquitto::start(&folder.0).await;
    assert_eq!(first_word(dial(plain.port, with(&ca))).await, Err(Refused::NotTls));
    assert_eq!(first_word(dial(good, None)).await, Err(Refused::Dropped), "no TLS where TLS is spoken");
    assert_eq!(first_word(dial(free_port(), with(&ca))).await, Err(Refused::Unreachable));
}

#[tokio::test]
async fn a_broker_that_has_something_against_our_certificate_is_understood() {
    let folder = Folder::new("tls-client");
    let ca = Authority::new(&folder.0, "ca");
    let stranger = Authority::new(&folder.0, "stranger");
    let server = ca.issue("127.0.0.1", NOW);
    let settings = format!("{}{}", listens(&server), demands(&ca.file));
    let broker = Mosquitto::start_with(&folder.0, free_port(), &settings).await;
    let with = |identity| dial(broker.port, Some(files(&ca, identity)));
    assert_eq!(first_word(with(Some(ca.issue("gw", NOW)))).await, Ok(()));
    assert_eq!(first_word(with(None)).await, Err(Refused::CertificateMissing));
    let foreign = first_word(with(Some(stranger.issue("foreign", NOW)))).await;
    assert_eq!(foreign, Err(Refused::CertificateUntrusted));
    let expired = first_word(with(Some(ca.issue("expired", (2019, 2020))))).await;
    assert_eq!(expired, Err(Refused::CertificateExpired));
}

#[tokio::test]
async fn access_rules_and_logins_are_told_apart() {
    let works = Folder::new("tls-acl");
    let passwords = works.0.join("passwords");
    let made =
        Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(["gw", "right"]).status();
    assert!(made.unwrap().success());
    let allow = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&passwords, allow).unwrap();
    std::fs::write(works.0.join("acl"), "user gw\ntopic write coldhearth/v1/mine\ntopic read #\n").unwrap();
    let settings =
        format!("password_file {}\nacl_file {}\n", passwords.display(), works.0.join("acl").display());
    let broker = Mosquitto::start_with(&works.0, free_port(), &settings).await;
    let with = |password: &str| {
        let login = Some(("gw".to_owned(), password.to_owned()));
        Broker { login, ..Subscriber::broker(broker.port) }
    };
    assert_eq!(first_word(with("wrong")).await, Err(Refused::NotAuthorised));
    let mut courier = started(with("right"), life());
    event(&mut courier, "a granted subscription", |event| matches!(event, Event::Subscribed)).await;
    assert_eq!(published(&mut courier, "coldhearth/v1/mine").await, Ok(()));
    assert_eq!(published(&mut courier, "coldhearth/v1/theirs").await, Err(Refused::TopicForbidden));
    assert_eq!(published(&mut courier, "coldhearth/v1/mine").await, Ok(()), "the connection stays");
    let password = works.0.join("password");
    for (text, exit) in [("right\n", 75), ("wrong\n", 69)] {
        std::fs::write(&password, text).unwrap();
        let address = format!("127.0.0.1:{}", broker.port);
        let file = password.display().to_string();
        let arguments =
            ["--broker", &address, "--user", "gw", "--password-file", &file, "--until-violation", "300ms"];
        let ended = watch(&arguments).await;
        assert_eq!(ended.status.code(), Some(exit), "{ended:?}");
    }
}

#[tokio::test]
async fn new_certificate_files_are_proven_before_the_old_connection_goes() {
    let folder = Folder::new("tls-renewal");
    let (old, new) = (Authority::new(&folder.0, "old"), Authority::new(&folder.0, "new"));
    let stranger = Authority::new(&folder.0, "stranger");
    let server = old.issue("127.0.0.1", NOW);
    let both = folder.0.join("both.pem");
    std::fs::write(&both, old.issuer.pem() + &new.issuer.pem()).unwrap();
    let port = free_port();
    let settings = format!("{}{}", listens(&server), demands(&both));
    let mut broker = Mosquitto::start_with(&folder.0, port, &settings).await;
    let identity = old.issue_to("gw", "gw-old", NOW);
    let clock = Fast::new();
    let mut courier = started(dial(port, Some(files(&old, Some(identity.clone())))), clock.clone());
    event(&mut courier, "a granted subscription", |event| matches!(event, Event::Subscribed)).await;
    logged(&folder.0, "u'gw-old'").await;
    // A key that came before its certificate: looked at, refused, and the connection stays.
    let next = new.issue_to("next", "gw-new", NOW);
    std::fs::copy(&next.key, &identity.key).unwrap();
    clock.sleep_until(clock.now().uptime_ms + 3 * FILES_CHECK_MS).await;
    assert_eq!(published(&mut courier, "coldhearth/v1/x").await, Ok(()));
    // Two files that fit each other, but the broker does not trust them: it is asked, and the connection stays.
    let foreign = stranger.issue_to("foreign", "gw-foreign", NOW);
    std::fs::copy(&foreign.key, &identity.key).unwrap();
    std::fs::copy(&foreign.certificate, &identity.certificate).unwrap();
    logged(&folder.0, "certificate verify failed").await;
    assert_eq!(published(&mut courier, "coldhearth/v1/x").await, Ok(()));
    std::fs::copy(&next.key, &identity.key).unwrap();
    std::fs::copy(&next.certificate, &identity.certificate).unwrap();
    let lost = event(&mut courier, "the leave-taking", |event| matches!(event, Event::Lost { .. })).await;
    assert!(matches!(lost, Event::Lost { why: Refused::Renewed }), "{lost:?}");
    event(&mut courier, "a granted subscription", |event| matches!(event, Event::Subscribed)).await;
    logged(&folder.0, "u'gw-new'").await;
    assert_eq!(published(&mut courier, "coldhearth/v1/x").await, Ok(()));
    // The connection breaks while the files on disk are wrong: what the broker took before still serves.
    for (key, certificate) in [(&foreign.key, &foreign.certificate), (&next.key, &next.key)] {
        broker.stop();
        event(&mut courier, "the loss", |event| matches!(event, Event::Lost { .. })).await;
        std::fs::copy(key, &identity.key).unwrap();
        std::fs::copy(certificate, &identity.certificate).unwrap();
        broker = Mosquitto::start_with(&folder.0, port, &settings).await;
        event(&mut courier, "a granted subscription", |event| matches!(event, Event::Subscribed)).await;
        logged(&folder.0, "u'gw-new'").await;
    }
}

#[tokio::test]
async fn an_agent_goes_on_with_a_renewed_certificate_and_loses_no_record() {
    let works = Works::open("tls-agent-renewal").await;
    let folder = &works.folder.0;
    let (old, new) = (Authority::new(folder, "old"), Authority::new(folder, "new"));
    let server = old.issue("127.0.0.1", NOW);
    let both = folder.join("both.pem");
    std::fs::write(&both, old.issuer.pem() + &new.issuer.pem()).unwrap();
    let port = free_port();
    let settings = format!("{}{}", listens(&server), demands(&both));
    let _broker = Mosquitto::start_with(folder, port, &settings).await;
    let identity = old.issue_to("gw", "gw-old", NOW);
    let watcher = old.issue("watcher", NOW);
    let mut subscriber = Subscriber::start_with(dial(port, Some(files(&old, Some(watcher))))).await;
    let path = configure(&works, port, r#"ca = "old.pem", certificate = "gw.crt", key = "gw.key""#);
    let text = std::fs::read_to_string(&path).unwrap();
    // The agent's clock runs faster than life, its meters do not.
    let text =
        text.replace("poll_ms = 100", "poll_ms = 6_000").replace("timeout_ms = 500", "timeout_ms = 30_000");
    std::fs::write(&path, text).unwrap();
    works.force(5_000);
    let (stopper, stop) = tokio::sync::watch::channel(false);
    let agent = tokio::spawn(agent::run(Fast::new(), config::load(&path).unwrap(), false, stop));
    let key = works.key().await;
    let mut lines =
        subscriber.attestations_until(&key, |record| says(record, "eaf-1-feeder", State::Energised)).await;
    logged(folder, "u'gw-old'").await;
    let next = new.issue_to("next", "gw-new", NOW);
    std::fs::copy(&next.key, &identity.key).unwrap();
    std::fs::copy(&next.certificate, &identity.certificate).unwrap();
    logged(folder, "u'gw-new'").await;
    works.force(8_000_000);
    lines.extend(
        subscriber.attestations_until(&key, |record| says(record, "eaf-1-feeder", State::Drawing)).await,
    );
    let report = audit(&key, &lines);
    assert!(report.authentic && report.complete, "{report:?}");
    stopper.send_replace(true);
    soon("the agent's end", agent).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_certificate_about_to_expire_is_told_once_to_the_program() {
    let folder = Folder::new("tls-expiring");
    let ca = Authority::new(&folder.0, "ca");
    let server = ca.issue("127.0.0.1", NOW);
    let broker = Mosquitto::start_with(&folder.0, free_port(), &listens(&server)).await;
    // mosquitto asks for no certificate here, so an expired one does not keep us out.
    let identity = ca.issue("gw", (2019, 2020));
    let mut courier = started(dial(broker.port, Some(files(&ca, Some(identity)))), Fast::new());
    let told = event(&mut courier, "a warning", |event| matches!(event, Event::Expiring { .. })).await;
    assert!(matches!(told, Event::Expiring { what: Part::Certificate, days } if days < 0), "{told:?}");
    let next = event(&mut courier, "a connection", |_| true).await;
    assert!(matches!(next, Event::Connected { .. }), "the authority has time left: {next:?}");
}

#[tokio::test]
async fn a_broker_that_knows_only_3_1_1_is_spoken_to_in_3_1_1() {
    let works = Works::open("old-broker").await;
    let port = rumqttd::old().await;
    assert_eq!(first_word(Subscriber::broker(port)).await, Ok(()), "finding the version is no refusal");
    let mut subscriber = Subscriber::start(port).await;
    works.force(8_000_000);
    let agent = works.agent(&works.configure(port));
    let key = works.key().await;
    let drawing = |record: &_| says(record, "eaf-1-feeder", State::Drawing);
    let lines = subscriber.attestations_until(&key, drawing).await;
    let report = audit(&key, &lines);
    assert!(report.authentic && report.complete, "{report:?}\n{}", works.log());
    assert!(!works.log().contains("broker lost"), "finding the version is no loss: {}", works.log());
    assert_eq!(agent.stop(), 0);
}
