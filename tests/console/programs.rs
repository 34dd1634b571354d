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
    assert_eq!(collector.stop(), 0);
}
