//! The example broker of `config/mosquitto`, run as it is shipped: who may write and see what, and who may not.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking, and waits for one event among many"
)]

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use coldhearth::{
    evidence::{
        Kind, Occasion, Presence,
        live::LIVE_ROOT,
        share::{beat_topic, canary_topic},
    },
    host::{
        SystemClock,
        courier::{self, Broker, Courier, Event, Refused, Send, Will},
        credentials::{Identity, TlsFiles},
    },
    terms::Name,
};
use coldhearth_sim::fleet::{self, FleetOrders};
use support::{Folder, Mosquitto, Process, Subscriber, Works, free_port, public_key_of, soon};
use tokio::sync::watch;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/config/mosquitto");
/// The place of the works' gateway, which is its name; another of the same enterprise, and one of another county.
const OURS: &str = "13/04/21/91350100M000100Y43/gw-test";
const NEIGHBOUR: &str = "13/04/21/91350100M000100Y43/gw-2";
const ELSEWHERE: &str = "13/04/22/91420000737944946L/gw-3";

/// The example broker with certificates made by the script beside it.
struct Example {
    folder: Folder,
    broker: Mosquitto,
}

impl Example {
    async fn start(name: &str) -> Example {
        let folder = Folder::new(name);
        let example = |folder: &Folder, arguments: &[&str]| certificates(&folder.0.join("tls"), arguments);
        example(&folder, &["authority"]);
        example(&folder, &["broker", "127.0.0.1", "broker.example"]);
        let tls = folder.0.join("tls");
        fs::copy(format!("{SHIPPED}/acl"), tls.join("acl")).unwrap();
        let lies = folder.0.join("lies");
        fs::create_dir_all(&lies).unwrap();
        // Where the tests run as root, mosquitto does not: this stands for `chown mosquitto`.
        fs::set_permissions(tls.join("broker.key"), fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(&lies, fs::Permissions::from_mode(0o777)).unwrap();
        let port = free_port();
        let mut text = fs::read_to_string(format!("{SHIPPED}/mosquitto.conf")).unwrap();
        text = text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
        for (shipped, here, times) in [
            ("/etc/mosquitto/coldhearth", tls.display().to_string(), 4),
            ("/var/lib/mosquitto", lies.display().to_string(), 1),
            ("listener 8883", format!("listener {port} 127.0.0.1"), 1),
        ] {
            assert_eq!(text.matches(shipped).count(), times, "{shipped}");
            text = text.replace(shipped, &here);
        }
        let broker = Mosquitto::start_text(&folder.0, port, &text).await;
        Example { folder, broker }
    }

    /// A certificate for a name, in files called after a part of it.
    fn client(&self, name: &str) -> Identity {
        let file = name.replace('/', "-");
        let tls = self.folder.0.join("tls");
        let identity =
            Identity { certificate: tls.join(format!("{file}.crt")), key: tls.join(format!("{file}.key")) };
        if !identity.key.exists() {
            certificates(&tls, &["client", name, &file]);
        }
        identity
    }

    fn ca(&self) -> PathBuf {
        self.folder.0.join("tls/ca.pem")
    }

    fn dial(&self, name: &str) -> Broker {
        let tls = TlsFiles { ca: self.ca(), identity: Some(self.client(name)), server_name: None };
        Broker {
            client_id: format!("whatever-{name}"),
            tls: Some(tls),
            filters: vec!["coldhearth/v1/#".into(), "#".into()],
            ..Subscriber::broker(self.broker.port)
        }
    }

    /// What `coldhearth-regulator` is told of the broker, and of itself.
    fn options(&self, name: &str) -> Vec<String> {
        let Identity { certificate, key } = self.client(name);
        let path = |path: &Path| path.display().to_string();
        ["--broker", &format!("127.0.0.1:{}", self.broker.port), "--ca", &path(&self.ca())]
            .into_iter()
            .chain(["--certificate", &path(&certificate), "--key", &path(&key)])
            .map(str::to_owned)
            .collect()
    }
}

fn certificates(folder: &Path, arguments: &[&str]) {
    let script = format!("{SHIPPED}/certificates");
    let out = Command::new("bash").arg(script).arg(folder).args(arguments).output().unwrap();
    assert!(out.status.success(), "certificates {arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// A client that is there, with everything subscribed to.
struct Client {
    name: String,
    courier: Courier,
    tag: u64,
}

impl Client {
    async fn come(broker: Broker, name: &str) -> Client {
        let (courier, ends) = courier::pair();
        tokio::spawn(async move { courier::run(&SystemClock::default(), broker, ends).await });
        let mut client = Client { name: name.to_owned(), courier, tag: 0 };
        client.until("a granted subscription", |event| matches!(event, Event::Subscribed)).await;
        client
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Event {
        let name = self.name.clone();
        soon(&format!("{what} of {name}"), async {
            loop {
                let event = self.courier.events.recv().await.unwrap();
                assert!(!matches!(event, Event::Lost { .. }), "{name}: {event:?}");
                if wanted(&event) {
                    return event;
                }
            }
        })
        .await
    }

    /// Whether the broker lets this client write there.
    async fn may_write(&mut self, topic: &str) -> bool {
        self.tag += 1;
        let (tag, payload) = (self.tag, self.name.clone().into_bytes());
        let send = Send::Publish { tag, topic: topic.into(), payload, retain: false };
        self.courier.send.send(send).await.unwrap();
        let about = |event: &Event| match event {
            Event::Accepted { tag: of } | Event::Refused { tag: of, .. } => *of == tag,
            _ => false,
        };
        match self.until("the end of a publish", about).await {
            Event::Accepted { .. } | Event::Refused { why: Refused::NoSubscriber, .. } => true,
            Event::Refused { why: Refused::TopicForbidden, .. } => false,
            other => panic!("{}: {topic}: {other:?}", self.name),
        }
    }

    /// The topics of everything that comes, up to a payload that comes last.
    async fn topics_until(&mut self, last: &str) -> Vec<String> {
        let mut topics = Vec::new();
        loop {
            let event = self.until("the last message", |event| matches!(event, Event::Message { .. })).await;
            let Event::Message { topic, payload, .. } = event else { panic!() };
            if payload == last.as_bytes() {
                return topics;
            }
            topics.push(topic);
        }
    }
}

fn topic(place: &str, rest: &str) -> String {
    format!("coldhearth/v1/{place}/{rest}")
}

#[tokio::test]
async fn each_writes_under_itself_and_nothing_else() {
    let example = Example::start("acl-write").await;
    let own = ["_/attest", "eaf-1/state", "_/state", "eaf-1/alarm/violation", "_/head", "_/link", "_/answer"];
    let to_it = ["_/receipt", "_/act/permit-7"];
    let odd = ["_/attest/more", "eaf-1/attest", "eaf-1/alarm", "eaf-1/receipt", "_/act", "_", "eaf-1/link/x"];
    let all: Vec<&str> = own.iter().chain(&to_it).chain(&odd).copied().collect();
    for name in
        [OURS, "collector-1", "collector-2", "acts", "watch", "county-130421", "province-13", "stranger"]
    {
        let mut client = Client::come(example.dial(name), name).await;
        for place in [OURS, NEIGHBOUR, ELSEWHERE] {
            for rest in &all {
                let may = match name {
                    OURS => place == OURS && own.contains(rest),
                    "collector-1" | "collector-2" => *rest == "_/receipt",
                    "acts" => *rest == "_/act/permit-7",
                    _ => false,
                };
                let topic = topic(place, rest);
                assert_eq!(client.may_write(&topic).await, may, "{name} writes {topic}");
            }
        }
        let heads = client.may_write("coldhearth/v1/heads/0123456789abcdef").await;
        assert_eq!(heads, name.starts_with("collector"), "{name} writes heads");
        let told = client.may_write("coldhearth/v1/alarms/hebei-desk/violation").await;
        assert_eq!(told, name.starts_with("collector"), "{name} writes what receivers are told");
        let group = Name::new("east").unwrap();
        for among_collectors in [canary_topic(group, 1), beat_topic(group, 1)] {
            let may = client.may_write(&among_collectors).await;
            assert_eq!(may, name.starts_with("collector"), "{name} writes {among_collectors}");
        }
        for place in [OURS, NEIGHBOUR] {
            let may = client.may_write(&format!("{LIVE_ROOT}/{place}/m-1")).await;
            assert_eq!(may, name == OURS && place == OURS, "{name} tells scans of {place}");
        }
        for elsewhere in ["coldhearth/v1/_/attest", "coldhearth/v2/x", "x"] {
            assert!(!client.may_write(elsewhere).await, "{name} writes {elsewhere}");
        }
        // Whose name is no place may write where no place is: that is no topic of ours.
        assert!(name == OURS || Kind::of_topic(&topic(name, "_/attest")).is_none());
    }
}

#[tokio::test]
async fn each_sees_its_part_and_nothing_else() {
    let example = Example::start("acl-read").await;
    let places = [OURS, NEIGHBOUR, ELSEWHERE, "14/04/21/91350100M000100Y43/gw-9"];
    let readers =
        [OURS, NEIGHBOUR, "collector-1", "acts", "watch", "county-130421", "province-13", "stranger"];
    let mut clients = Vec::new();
    for name in readers.into_iter().filter(|name| *name != "stranger") {
        clients.push(Client::come(example.dial(name), name).await);
    }
    let mut expected: Vec<(String, bool)> = Vec::new();
    for place in places {
        let mut gateway = if let Some(at) = clients.iter().position(|client| client.name == place) {
            clients.remove(at)
        } else {
            Client::come(example.dial(place), place).await
        };
        let records = ["_/attest", "eaf-1/state", "eaf-1/alarm/violation", "_/head"];
        let records = records.map(|rest| topic(place, rest));
        for told in records.into_iter().chain([format!("{LIVE_ROOT}/{place}/m-1")]) {
            assert!(gateway.may_write(&told).await);
            expected.push((told, false));
        }
        if readers.contains(&place) {
            clients.push(gateway);
        }
    }
    let collector = clients.iter().position(|client| client.name == "collector-1").unwrap();
    let mut collector = clients.remove(collector);
    let acts = clients.iter().position(|client| client.name == "acts").unwrap();
    let mut acts = clients.remove(acts);
    for place in places {
        assert!(collector.may_write(&topic(place, "_/receipt")).await);
        assert!(acts.may_write(&topic(place, "_/act/a-1")).await);
        expected.extend([(topic(place, "_/receipt"), true), (topic(place, "_/act/a-1"), true)]);
    }
    // Everybody who may see anything sees something of our gateway's: what the authority writes last is the last.
    acts.courier
        .send
        .send(Send::Publish {
            tag: 0,
            topic: topic(OURS, "_/act/last"),
            payload: b"last".to_vec(),
            retain: false,
        })
        .await
        .unwrap();
    for mut client in clients.into_iter().filter(|client| client.name != NEIGHBOUR) {
        let seen = client.topics_until("last").await;
        let may = |(topic, to_a_gateway): &&(String, bool)| match client.name.as_str() {
            OURS => *to_a_gateway && topic.contains(OURS),
            "county-130421" => topic.contains("/v1/13/04/21/"),
            "province-13" => topic.contains("/v1/13/"),
            "watch" => true,
            other => panic!("{other}"),
        };
        let mut should: Vec<String> = expected.iter().filter(may).map(|(topic, _)| topic.clone()).collect();
        // Two filters that overlap bring everything once or twice, as the broker likes.
        let mut seen = seen;
        seen.sort();
        seen.dedup();
        should.sort();
        assert_eq!(seen, should, "{}", client.name);
    }
}

#[tokio::test]
async fn nobody_comes_in_without_a_certificate_or_under_anothers_name() {
    let example = Example::start("acl-names").await;
    let mut collector = Client::come(example.dial("collector-1"), "collector-1").await;
    // A gateway that calls itself like the collector, to take its session over.
    let thief = Broker { client_id: "collector-1".into(), ..example.dial(OURS) };
    let mut thief = Client::come(thief, OURS).await;
    assert!(collector.may_write(&topic(OURS, "_/receipt")).await, "the collector is still there");
    assert!(!thief.may_write(&topic(OURS, "_/receipt")).await, "a name at greeting is nothing");
    let nobody = Broker {
        tls: Some(TlsFiles { ca: example.ca(), identity: None, server_name: None }),
        ..example.dial(OURS)
    };
    let (mut courier, ends) = courier::pair();
    tokio::spawn(async move { courier::run(&SystemClock::default(), nobody, ends).await });
    let why = soon("a refusal", async {
        loop {
            match courier.events.recv().await.unwrap() {
                Event::Lost { why } => return why,
                Event::Connected { .. } => panic!("let in without a certificate"),
                _ => {}
            }
        }
    })
    .await;
    assert_eq!(why, Refused::CertificateMissing);
}

#[tokio::test]
async fn a_gateway_that_falls_silent_is_told_lost_under_itself_only() {
    let example = Example::start("acl-will").await;
    let mut county = Client::come(example.dial("county-130421"), "county-130421").await;
    let started = coldhearth::host::Clock::now(&SystemClock::default());
    let will = |place: &str| Will {
        topic: topic(place, "_/link"),
        payload: Presence::of(&started, Occasion::Lost).to_bytes(),
        delay_s: 1,
    };
    let (_courier, ends) = courier::pair();
    let mut courier = _courier;
    let (cut, way) = watch::channel(true);
    let honest = Broker { will: Some(will(OURS)), filters: Vec::new(), ..example.dial(OURS) };
    tokio::spawn(async move { courier::run_while(&SystemClock::default(), honest, ends, way).await });
    soon("a greeting", async {
        while !matches!(courier.events.recv().await, Some(Event::Connected { .. })) {}
    })
    .await;
    // A will over somebody else's grave: nobody hears it, whether the broker refuses the greeting or keeps silent.
    let (mut forger, ends) = courier::pair();
    let (cut_forger, way) = watch::channel(true);
    let forged = Broker { will: Some(will(OURS)), filters: Vec::new(), ..example.dial(NEIGHBOUR) };
    tokio::spawn(async move { courier::run_while(&SystemClock::default(), forged, ends, way).await });
    soon("an answer to a forged will", async {
        loop {
            match forger.events.recv().await {
                Some(Event::Connected { .. } | Event::Lost { .. }) => return,
                Some(_) => {}
                None => panic!("the courier ended"),
            }
        }
    })
    .await;
    cut_forger.send_replace(false);
    let marker = Client::come(example.dial("acts"), "acts").await;
    drop(marker);
    cut.send_replace(false);
    let first = county.until("the will", |event| matches!(event, Event::Message { .. })).await;
    let Event::Message { topic: told, payload, .. } = first else { panic!() };
    assert_eq!((Kind::of_topic(&told), told.as_str()), (Some(Kind::Link), topic(OURS, "_/link").as_str()));
    assert!(!Presence::from_bytes(&payload).unwrap().online);
    // The two wills say the same; only one of them may ever be told. What is retained is told to whoever comes.
    let mut late = Client::come(example.dial("watch"), "watch").await;
    let kept = late.until("what is retained", |event| matches!(event, Event::Message { .. })).await;
    assert!(matches!(kept, Event::Message { retained: true, .. }), "{kept:?}");
}

fn regulator(state: &Path, arguments: &[&str], more: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
    command.args(arguments).arg("--state").arg(state).args(more).stdin(Stdio::null());
    command
}

#[tokio::test]
async fn a_fleet_with_a_certificate_for_each_gateway_is_served_within_these_rules() {
    const GATEWAYS: u32 = 6;
    let example = Example::start("acl-fleet").await;
    let (state, tls) = (example.folder.0.join("authority"), example.folder.0.join("tls"));
    for line in fleet::places(7, GATEWAYS).unwrap().lines() {
        let (place, id) = line.split_once(' ').unwrap();
        certificates(&tls, &["client", place, id]);
    }
    let list = example.folder.0.join("list");
    fs::write(&list, fleet::enrolment(7, GATEWAYS).unwrap()).unwrap();
    let admit = ["gateway", "admit", list.to_str().unwrap()];
    assert!(regulator(&state, &admit, &[]).output().unwrap().status.success());
    regulator(&state, &["act", "sign", "-"], &[]).output().unwrap();
    let mut serve = regulator(&state, &["serve"], &example.options("collector-1"));
    let _serve = Process(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let orders = FleetOrders {
        gateways: GATEWAYS,
        seed: 7,
        broker: ("127.0.0.1".into(), example.broker.port),
        tls: Some(tls),
        authority: vec![state.join("authority.key.pub")],
        speed: 60,
        for_ms: 8_000,
        settle_ms: 120_000,
        outages: 2,
        restarts: 1,
        storms_ms: Vec::new(),
        kept_kib: fleet::KEPT_KIB,
    };
    let sent_out = tokio::task::spawn_blocking(move || fleet::run(&orders));
    let report = soon("the fleet's end", sent_out).await.unwrap().unwrap_or_else(|why| panic!("{why:?}"));
    assert!(report.holds() && report.records > u64::from(3 * GATEWAYS), "{report:?}");
}

#[tokio::test]
async fn the_real_programs_work_within_these_rules() {
    let example = Example::start("acl-programs").await;
    let works = Works::open("acl-works").await;
    let state = works.folder.0.join("authority");
    let regulator = |arguments: &[&str], more: &[String]| regulator(&state, arguments, more);
    regulator(&["act", "sign", "-"], &[]).output().unwrap();
    let config = works.configure(example.broker.port);
    let Identity { certificate, key } = example.client(OURS);
    let tls = format!(
        "port = {}\ntls = {{ ca = \"{}\", certificate = \"{}\", key = \"{}\" }}\n",
        example.broker.port,
        example.ca().display(),
        certificate.display(),
        key.display()
    );
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace(&format!("port = {}\n", example.broker.port), &tls);
    fs::write(&config, format!("{text}\n[authority]\nkeys = [\"authority/authority.key.pub\"]\n")).unwrap();
    let (fingerprint, public) = public_key_of(&works, &config);
    let add = ["gateway", "add", public.to_str().unwrap(), "--id", "gw-test", "--fingerprint", &fingerprint];
    assert!(regulator(&add, &[]).output().unwrap().status.success());
    let mut county = Client::come(example.dial("county-130421"), "county-130421").await;
    works.force(8_000_000);
    let agent = works.agent(&config);
    let log = fs::File::create(works.folder.0.join("serve.log")).unwrap();
    let mut serve = regulator(&["serve"], &example.options("collector-1"));
    let _serve = Process(serve.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    let mut missing = vec![Kind::Attest, Kind::State, Kind::Violation, Kind::Link, Kind::Receipt];
    while !missing.is_empty() {
        let event = county.until("every kind", |event| matches!(event, Event::Message { .. })).await;
        let Event::Message { topic, .. } = event else { panic!() };
        missing.retain(|kind| Kind::of_topic(&topic) != Some(*kind));
    }
    let mut ask = regulator(
        &["act", "ask", "eaf-1", "--gateway", "gw-test", "--wait", "20s"],
        &example.options("acts"),
    );
    let ask = tokio::task::spawn_blocking(move || ask.output().unwrap());
    let ask = soon("the end of `act ask`", ask).await.unwrap();
    assert_eq!(ask.status.code(), Some(0), "{}", String::from_utf8_lossy(&ask.stderr));
    assert_eq!(agent.stop(), 0, "{}", works.log());
}
