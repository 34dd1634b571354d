//! What a collector tells of itself, as Prometheus and whoever watches over it read it.

use std::collections::BTreeMap;

use coldhearth::host::{Clock as _, SystemClock};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{exposition, soon};

/// Asks a page; its status and what stands on it.
pub async fn asked(port: u16, path: &str) -> Option<(u16, String)> {
    let mut line = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    line.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.ok()?;
    let (head, page) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, page.to_owned()))
}

/// Asks for health until it has exactly these reasons; 200 means there is none.
pub async fn until_ails(port: u16, codes: &[&str]) {
    until_told(port, &format!("health with {codes:?}"), |told| told == codes).await;
}

/// Asks for health until this is among its reasons: what it entails may stand beside it or not yet.
pub async fn until_ails_of(port: u16, code: &str) {
    until_told(port, &format!("health with {code}"), |told| told.iter().any(|one| one == code)).await;
}

async fn until_told(port: u16, what: &str, is_it: impl Fn(&[String]) -> bool) {
    let clock = SystemClock::default();
    soon(what, async {
        loop {
            if let Some((status, page)) = asked(port, "/health").await {
                let health: Value = serde_json::from_str(&page).unwrap();
                let reasons = health["reasons"].as_array().unwrap();
                assert_eq!(
                    (status == 200, health["healthy"] == true),
                    (reasons.is_empty(), reasons.is_empty())
                );
                assert!(reasons.iter().all(|reason| !reason["text"].as_str().unwrap().is_empty()));
                let code = |reason: &Value| reason["code"].as_str().unwrap().to_owned();
                if is_it(&reasons.iter().map(code).collect::<Vec<_>>()) {
                    return;
                }
            }
            clock.sleep_until(clock.now().uptime_ms + 50).await;
        }
    })
    .await;
}

/// Every sample of a page that is as Prometheus wants it; none of a page that did not come.
pub fn samples(page: &str) -> BTreeMap<String, u64> {
    if page.is_empty() {
        return BTreeMap::new();
    }
    exposition::read(page).unwrap_or_else(|why| panic!("{why}\n{page}"))
}
