//! Files that people bring to the desk: verified as offline, held against the rules in force, and nobody waits for another's.

use coldhearth::terms::words;

use crate::{
    browser::Browser,
    desk::{Desk, PASSWORD, goldens},
};

#[tokio::test]
async fn whoever_brings_a_file_slowly_keeps_nobody_else_from_it() {
    let desk = Desk::open("slow-upload");
    let (slow, other) = (
        Browser::entered(desk.port, "zhao", PASSWORD).await,
        Browser::entered(desk.port, "li", PASSWORD).await,
    );
    let token = slow.get("/audit").await.form_token();
    let _held = slow.begin_upload("/verify", &token).await;
    let good = goldens().into_iter().take(3).collect::<Vec<_>>().join(&b'\n');
    // Once it has been begun, the same person has to wait for it, and is told so.
    let again = crate::support::soon("its room", async {
        loop {
            let parts: [(&str, &[u8]); 2] = [("form", token.as_bytes()), ("records", &good)];
            let answer = slow.upload("/verify", &parts).await;
            if answer.status != 200 {
                return answer;
            }
        }
    })
    .await;
    assert_eq!((again.status, again.header("retry-after").as_str()), (503, "5"), "{}", again.body);
    let token = other.get("/audit").await.form_token();
    let parts: [(&str, &[u8]); 2] = [("form", token.as_bytes()), ("records", &good)];
    assert_eq!(other.upload("/verify", &parts).await.status, 200);
}

#[tokio::test]
async fn what_is_brought_is_verified_as_offline_and_one_altered_byte_is_found() {
    let desk = Desk::open("verify");
    let browser = Browser::entered(desk.port, "li", PASSWORD).await;
    let token = browser.get("/audit").await.form_token();
    let log: Vec<Vec<u8>> = goldens()
        .into_iter()
        .filter(|line| String::from_utf8_lossy(line).contains("\"log_id\":\"3f1c9a70e2b84d15\""))
        .take(10)
        .collect();
    let good = log.join(&b'\n');
    let parts = |records| -> [(&'static str, Vec<u8>); 2] {
        [("form", token.clone().into_bytes()), ("records", records)]
    };
    let ask = async |records: Vec<u8>| {
        let parts = parts(records);
        let parts: Vec<(&str, &[u8])> = parts.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        browser.upload("/verify", &parts).await
    };
    let answer = ask(good.clone()).await;
    let (authentic, yes, no) = (words::K_AUTHENTIC.en, words::K_YES.en, words::K_NO.en);
    let said = |text: &str| -> Vec<String> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
    };
    let after = |text: &str, label: &str| -> String {
        let lines = said(text);
        let at = lines.iter().position(|line| line == label).unwrap();
        lines[at + 1].clone()
    };
    assert_eq!(after(&answer.text(), authentic), yes, "{}", answer.text());
    let at = good.len() - 10;
    let mut bad = good;
    bad[at] ^= 1;
    assert_eq!(after(&ask(bad).await.text(), authentic), no);
    assert_eq!(ask(b"hello".to_vec()).await.status, 200);
    assert!(ask(b"hello".to_vec()).await.text().contains(words::K_NO_EVIDENCE_IN_IT.en));
}

#[tokio::test]
async fn another_version_of_the_rules_is_held_against_the_one_in_force() {
    let desk = Desk::open("rules");
    let browser = Browser::entered(desk.port, "li", PASSWORD).await;
    let token = browser.get("/audit").await.form_token();
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/catalogue/guofa-2010-7.toml");
    let shipped = std::fs::read_to_string(file).unwrap();
    let ask = async |text: &str| {
        browser.upload("/rules", &[("form", token.as_bytes()), ("catalogue", text.as_bytes())]).await
    };
    let same = ask(&shipped).await.text();
    assert!(same.contains(words::K_CHANGES.en) && !same.contains(words::K_IN_FORCE.en), "{same}");
    let later = ask(&shipped.replacen("deadline = 2010-12-31", "deadline = 2012-12-31", 2)).await.text();
    assert!(later.contains("2012-12-31") && later.contains("power-small-thermal-unit"), "{later}");
    let wrong = ask("hello").await;
    assert!(wrong.status == 200 && wrong.text().contains(words::K_NO_CATALOGUE.en), "{wrong:?}");
    let foreign = browser.upload("/rules", &[("form", b"x"), ("catalogue", shipped.as_bytes())]).await;
    assert_eq!(foreign.status, 400);
}
