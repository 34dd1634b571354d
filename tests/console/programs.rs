//! The programs themselves: people are let in by the command line, and `serve` shows what came over a real broker.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use coldhearth::regulator::store::{SqliteStore, Store as _};

use crate::{
    browser::Browser,
    desk::PASSWORD,
    support::{
        Folder, Mosquitto,
        authority::{Authority, Publisher},
        free_port, soon,
        voice::{NOW, Voice, beat, gateway, key_of},
    },
};

/// Runs `coldhearth-regulator user …` with a password on its standard input.
pub(crate) fn user(authority: &Authority, arguments: &[&str], password: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
    command.arg("user").args(arguments).arg("--config").arg(&authority.config);
    let mut running =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Whoever wants no password may have ended.
    let _unread = writeln!(running.stdin.take().unwrap(), "{password}");
    let out = running.wait_with_output().unwrap();
    let said = [out.stdout, out.stderr].concat();
    (out.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn people_are_let_in_listed_changed_and_removed() {
    let authority = Authority::new("console-people", 1, "");
    let (code, said) =
        user(&authority, &["add", "li", "--role", "officer", "--division", "130421"], PASSWORD);
    assert_eq!((code, said.as_str()), (0, "li: may come in as officer, division 130421\n"));
    let (code, said) = user(&authority, &["add", "li"], PASSWORD);
    assert!(code == 1 && said.contains("there is somebody of that name"), "{code} {said}");
    let (code, said) = user(&authority, &["add", "wang"], "too short");
    assert!(code != 0 && said.contains("12 characters"), "{code} {said}");
    let (code, said) = user(&authority, &["add", "odd", "--division", "160421"], PASSWORD);
    assert!(code == 2 && said.contains("there are 11, 12, 13, 14, 15, 36, 46"), "{code} {said}");
    for wrong in [["--role", "king"], ["--division", "1304x"], ["--division", "13042"]] {
        let (code, said) = user(&authority, &["add", "zhao", wrong[0], wrong[1]], PASSWORD);
        assert!(code == 2 && !said.contains("panicked"), "{code} {said}");
    }
    let (code, listed) = user(&authority, &["list"], "");
    assert!(
        code == 0
            && listed.starts_with("li  officer  division 130421  changed ")
            && !listed.contains("argon2")
    );
    assert_eq!(user(&authority, &["password", "li"], "another twelve or more").0, 0);
    assert_eq!(user(&authority, &["password", "wang"], "another twelve or more").0, 1);
    assert_eq!(user(&authority, &["remove", "li"], "").0, 0);
    assert_eq!(user(&authority, &["remove", "li"], "").0, 1);
    assert_eq!(user(&authority, &["list"], "").1, "");
}

#[test]
fn a_store_is_nobody_elses_and_an_empty_division_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let authority = Authority::new("console-private", 1, "");
    let state = authority.folder.0.join("state");
    assert_eq!(user(&authority, &["add", "li"], PASSWORD).0, 0);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state.join("store.db")), 0o600);
    let mut store = SqliteStore::open(&state).unwrap();
    for beside in ["store.db-wal", "store.db-shm"] {
        assert_eq!(mode(&state.join(beside)), 0o600, "{beside}");
    }
    crate::desk::ours(&mut store);
    let (code, said) = user(&authority, &["add", "odd", "--division", "130499"], PASSWORD);
    assert!(
        code == 0 && said.contains("no plant is known yet in division 130499; the nearest are in 130421"),
        "{said}"
    );
    let (code, said) = user(&authority, &["add", "even", "--division", "1304"], PASSWORD);
    assert!(code == 0 && !said.contains("warning"), "{said}");
}

#[test]
fn a_signature_is_not_written_over_what_is_there() {
    let authority = Authority::new("console-sign", 1, "");
    assert_eq!(user(&authority, &["add", "li"], PASSWORD).0, 0);
    let file = authority.folder.0.join("list.sig");
    std::fs::write(&file, "a key").unwrap();
    let sign = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        command.args(["report", "list", "--from", "2026-01-01", "--to", "2027-01-01", "--sign"]).arg(&file);
        command.args(more).arg("--config").arg(&authority.config).output().unwrap()
    };
    let refused = sign(&[]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("--replace"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "a key");
    assert!(sign(&["--replace"]).status.success());
    assert_ne!(std::fs::read_to_string(&file).unwrap(), "a key");
}

#[tokio::test]
async fn what_came_over_the_broker_stands_on_the_screen() {
    let folder = Folder::new("console-serve");
    let broker = Mosquitto::start(&folder.0).await;
    let port = free_port();
    let authority =
        Authority::new("console-serve", broker.port, &format!("[console]\nlisten = \"127.0.0.1:{port}\"\n"));
    let state = authority.folder.0.join("state");
    SqliteStore::open(&state).unwrap().admit(gateway(), &key_of(7), NOW).unwrap();
    assert_eq!(user(&authority, &["add", "wang", "--role", "overseer"], PASSWORD).0, 0);
    let collector = authority.serve();
    authority.said("connected to the broker").await;
    authority.said("the console is open").await;
    let mut voice = Voice::new(5, 0, 7);
    let lines = [voice.genesis(7, None), voice.say(&beat())];
    Publisher::start(broker.port).await.publish(&lines).await;
    let browser = Browser::entered(port, "wang", PASSWORD).await;
    soon("the gateway's log on the screen", async {
        loop {
            let page = browser.get("/audit?gateway=gw-03").await;
            if page.text().contains("0000000000000005") {
                return;
            }
        }
    })
    .await;
    let log = browser.get("/log/gw-03/0000000000000005").await;
    assert_eq!(log.body.lines().count(), 2, "taken along as it came");
    assert_eq!(log.body.lines().next().unwrap().as_bytes(), lines[0]);
    for letters in [8_000, 20_000, 60_000] {
        let long = browser.get(&format!("/{}", "a".repeat(letters))).await;
        assert_eq!(long.status, 404, "a head of {letters} bytes is read and answered");
    }
    assert_eq!(collector.stop(), 0);
}
