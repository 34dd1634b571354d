//! What is handed to whoever is asked for help holds what helps, and no secret: marked ones are put wherever a secret may
//! stand, and a few where none belongs, and the bundle's bytes are searched for them, as they are and encoded.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use coldhearth::{
    agent::{inside::ask, journal::DiskJournal},
    host::{Clock as _, SystemClock},
};
use serde_json::Value;
use support::{Folder, Works, free_port, soon};

/// Marked secrets, each with where it was put.
#[derive(Default)]
struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    /// A new one, to be put somewhere.
    fn put(&mut self, place: &str) -> String {
        let secret = format!("S3CRET{:02}{}", self.0.len(), "q7Zk");
        self.0.push((place.to_owned(), secret.clone().into_bytes()));
        secret
    }

    /// Bytes that are secret as they are.
    fn are(&mut self, place: &str, bytes: Vec<u8>) {
        self.0.push((place.to_owned(), bytes));
    }

    /// Every form in which one may leak: as it is, in hexadecimal, in base64 wherever it begins.
    fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
        let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![secret.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes()];
        for before in 0..3 {
            let text = STANDARD.encode([&vec![0; before][..], secret].concat());
            // What its neighbours change too is left out.
            let (from, to) = ([0, 2, 3][before], text.trim_end_matches('=').len() - 1);
            let inner = &text[from..to];
            forms.push(inner.replace('+', "-").replace('/', "_").into_bytes());
            forms.push(inner.as_bytes().to_vec());
        }
        forms
    }

    /// The places of those that are found.
    fn leaked(&self, bytes: &[u8]) -> Vec<&str> {
        let found = |secret: &[u8]| {
            Secrets::forms(secret)
                .iter()
                .any(|form| bytes.windows(form.len()).any(|window| window == &form[..]))
        };
        self.0.iter().filter(|(_, secret)| found(secret)).map(|(place, _)| place.as_str()).collect()
    }
}

#[test]
fn the_search_finds_what_is_there_in_any_form() {
    let mut secrets = Secrets::default();
    let secret = secrets.put("here");
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut leaks = vec![secret.clone(), hex.to_uppercase(), hex];
    leaks.extend((0..5).map(|before| STANDARD.encode(format!("{}{secret}xyz", "a".repeat(before)))));
    for leak in leaks {
        assert_eq!(secrets.leaked(format!("… {leak} …").as_bytes()), ["here"], "{leak}");
    }
    assert!(secrets.leaked(b"nothing of the kind").is_empty());
}

/// The files of a tar by their names, read by a program that is not ours.
fn unpacked(tar: &Path, folder: &Path) -> BTreeMap<String, String> {
    let into = folder.join("unpacked");
    fs::create_dir_all(&into).unwrap();
    let done = Command::new("tar").arg("-xf").arg(tar).arg("-C").arg(&into).status().unwrap();
    assert!(done.success());
    let files = fs::read_dir(into.join("coldhearth-support")).unwrap().map(|entry| entry.unwrap());
    files
        .map(|file| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap()))
        .collect()
}

fn written(path: PathBuf, text: &str) -> PathBuf {
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// The bytes of a private key in PEM.
fn key_bytes(pem: &str) -> Vec<u8> {
    STANDARD.decode(pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>()).unwrap()
}

fn json(files: &BTreeMap<String, String>, name: &str) -> Value {
    serde_json::from_str(&files[name]).unwrap_or_else(|e| panic!("{name}: {e}: {}", files[name]))
}

fn ended(out: &Output) -> (Option<i32>, String) {
    (
        out.status.code(),
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)),
    )
}

/// A gateway's configuration that holds, with secrets where they belong and a few where they do not.
fn configured(works: &Works, secrets: &mut Secrets) -> PathBuf {
    let config = works.configure(free_port());
    let password = format!("{}\n", secrets.put("the password's file"));
    let password = written(works.folder.0.join("mq.pass"), &password);
    let broker = format!(
        "[broker]\n# it was {}\nuser = \"{}\"\npassword_file = \"{}\"\n",
        secrets.put("a comment"),
        secrets.put("the user's name"),
        password.display()
    );
    let kind = "kind = \"electric_arc_furnace\"\n";
    let named = format!("{kind}name = \"{}\"\n", secrets.put("a free text"));
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[broker]\n", &broker).replace(kind, &named)).unwrap();
    config
}

/// What of a gateway's bundle is of help.
fn helps(files: &BTreeMap<String, String>) {
    let configuration = &files["configuration.txt"];
    for line in [
        "gateway.id = gw-test",
        "broker.host = 127.0.0.1",
        "meter[0].ct = 400/5",
        "meter[1].poll_ms = 100",
        "broker.keepalive_s = 61",
    ] {
        assert!(configuration.lines().any(|shown| shown == line), "{line}\n{configuration}");
    }
    assert!(!configuration.contains("user") && !configuration.contains("password"), "{configuration}");
    assert_eq!(json(files, "versions.json")["coldhearth"], env!("CARGO_PKG_VERSION"));
    assert_eq!(json(files, "status.json")["gateway"], "gw-test");
    let records = json(files, "records.json");
    let first = &records["heads"][0];
    assert_eq!((&first["type"], &records["is_sound"]), (&"genesis".into(), &true.into()), "{records}");
    let store = json(files, "store.json");
    let named = |name: &str| store["files"].as_array().unwrap().iter().any(|file| file["name"] == name);
    assert!(named("journal.db") && store["free_bytes"].as_u64().unwrap() > 0, "{store}");
}

#[tokio::test]
async fn a_gateways_bundle_holds_what_helps_and_no_secret() {
    let works = Works::open("bundle").await;
    let mut secrets = Secrets::default();
    let config = configured(&works, &mut secrets);
    let credentials = Folder::new("bundle-credentials");
    written(credentials.0.join("token"), &secrets.put("a credential of the service manager"));
    let agent = works.agent(&config);
    let clock = SystemClock::default();
    let socket = works.folder.0.join("state/status.sock");
    soon("a running agent", async {
        while ask(&socket).await.is_err() {
            clock.sleep_until(clock.now().uptime_ms + 50).await;
        }
    })
    .await;
    // The first key stands in a file until the first rotation; the journal holds the one that signs now.
    let key = fs::read_to_string(works.folder.0.join("state/gateway.key"));
    key.into_iter().for_each(|pem| secrets.are("the gateway's key", key_bytes(&pem)));
    let journal = works.folder.0.join("state/journal.db");
    let kept = DiskJournal::open_to_read(&journal).unwrap().key().unwrap();
    kept.into_iter().for_each(|(_, pem)| secrets.are("the journal's key", key_bytes(&pem)));
    let out = works.folder.0.join("out.tar");
    let bundle = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
        command.arg("support-bundle").arg(&out).arg("--config").arg(&config).stdin(Stdio::null());
        command.env("CREDENTIALS_DIRECTORY", &credentials.0);
        command
    };
    let mut told = bundle();
    told.env("COLDHEARTH__BROKER__KEEPALIVE_S", "61").env("SOME_TOKEN", secrets.put("the environment"));
    assert_eq!(ended(&told.output().unwrap()).0, Some(0));
    assert!(secrets.0.len() >= 7, "a key was among them: {:?}", secrets.0);
    assert_eq!(secrets.leaked(&fs::read(&out).unwrap()), [""; 0]);
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    helps(&unpacked(&out, &works.folder.0));
    assert_eq!(agent.stop(), 0);
    let (code, said) = ended(&bundle().output().unwrap());
    assert_eq!(code, Some(77), "not over a file that is there: {said}");
}

#[test]
fn a_bundle_is_made_of_a_configuration_that_does_not_hold_too_and_shows_nothing_of_what_does_not_belong_there()
 {
    let folder = Folder::new("bundle-bad");
    let mut secrets = Secrets::default();
    let text = format!(
        "[gateway]\nid = \"gw\"\nstate_dir = \"state\"\n{} = 1\n[broker]\nhost = \"gw:{}@mq.example/{}?token={}\"\n\
         password = \"{}\"\npin = {}\nclient = {{ secret = \"{}\" }}\n\
         [[bus]]\nid = \"hall\"\nendpoint = \"tcp://admin:{}@10.1.4.7:502/x?token={}#{}\"\n\
         [[bus]]\nid = \"line\"\nendpoint = \"rtu:///dev/ttyUSB0?baud=9600&key={}\"\n",
        secrets.put("a key's name"),
        secrets.put("before an @"),
        secrets.put("a path"),
        secrets.put("a query"),
        secrets.put("a password that belongs into a file"),
        "471147114711",
        secrets.put("a table that nobody knows"),
        secrets.put("an endpoint's password"),
        secrets.put("an endpoint's token"),
        secrets.put("an endpoint's fragment"),
        secrets.put("a setting that is none"),
    );
    secrets.are("a pin", b"471147114711".to_vec());
    let file = folder.0.join("agent.toml");
    let bundle = |name: &str, variable: (&str, &str)| {
        let out = folder.0.join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth"));
        command.arg("support-bundle").arg(&out).arg("--config").arg(&file).env(variable.0, variable.1);
        assert_eq!(ended(&command.output().unwrap()).0, Some(0));
        fs::read(out).unwrap()
    };
    fs::write(&file, &text).unwrap();
    let variable = secrets.put("a variable");
    let bytes = bundle("unknown.tar", ("COLDHEARTH__BROKER__TOKEN", &variable));
    assert_eq!(secrets.leaked(&bytes), [""; 0]);
    let shown = String::from_utf8_lossy(&bytes);
    for line in ["rtu:///dev/ttyUSB0?baud=9600\n", "gateway.id = gw\n", "agent.toml:"] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    // A line that is no TOML at all is named by its place, and not quoted.
    fs::write(&file, format!("[broker]\npassword = {}\n", secrets.put("a syntax mistake"))).unwrap();
    let bytes = bundle("syntax.tar", ("A", "b"));
    assert_eq!(secrets.leaked(&bytes), [""; 0]);
    assert!(String::from_utf8_lossy(&bytes).contains("agent.toml:2:"), "{}", String::from_utf8_lossy(&bytes));
}

#[test]
fn an_authoritys_bundle_holds_what_helps_and_no_secret() {
    let folder = Folder::new("bundle-authority");
    let mut secrets = Secrets::default();
    let state = folder.0.join("state");
    fs::create_dir_all(&state).unwrap();
    let password = written(folder.0.join("db.pass"), &secrets.put("the database's password"));
    written(state.join("authority.key"), &secrets.put("the authority's key"));
    let group = secrets.put("the group's name").to_lowercase();
    secrets.are("the group's name, as it may be written", group.clone().into_bytes());
    let file = folder.0.join("regulator.toml");
    let text = format!(
        "# {}\n[authority]\nstate_dir = \"state\"\n[broker]\nhost = \"127.0.0.1\"\nuser = \"{}\"\npassword_file = \"{}\"\n\
         [store]\nkind = \"postgres\"\nsocket = \"/run/postgresql\"\ndatabase = \"coldhearth\"\nuser = \"{}\"\n\
         password_file = \"{}\"\n[share]\ngroup = \"{group}\"\nworker = 1\nworkers = 3\n[metrics]\nlisten = \"127.0.0.1:{}\"\n",
        secrets.put("a comment"),
        secrets.put("the broker's user"),
        password.display(),
        secrets.put("the database's user"),
        password.display(),
        free_port()
    );
    fs::write(&file, text).unwrap();
    let out = folder.0.join("out.tar");
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
    let told = command.arg("support-bundle").arg(&out).arg("--config").arg(&file).output().unwrap();
    assert_eq!(ended(&told).0, Some(0), "{told:?}");
    assert_eq!(secrets.leaked(&fs::read(&out).unwrap()), [""; 0]);
    let files = unpacked(&out, &folder.0);
    for line in ["store.database = coldhearth", "share.workers = 3", "broker.host = 127.0.0.1"] {
        assert!(files["configuration.txt"].lines().any(|shown| shown == line), "{line}\n{files:#?}");
    }
    assert!(files["health.txt"].contains("no collector is running there"), "{files:#?}");
    assert!(
        files["store.json"].contains("authority.key"),
        "its name and size, not what is in it: {files:#?}"
    );
}
