//! Who comes in, and what a form must carry.

use coldhearth::{
    regulator::{
        config::ConsoleAt,
        store::{People as _, sights::Scope},
    },
    terms::{Name, words},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    browser::Browser,
    desk::{Desk, PASSWORD, alarm, ours, people},
    support::{free_port, soon},
};

/// Every page that is read.
pub(crate) const PAGES: [&str; 13] = [
    "/",
    "/fleet",
    "/fleet.csv",
    "/asset/gw-03/eaf-2",
    "/asset/gw-03/eaf-2/power.csv",
    "/asset/gw-03/eaf-2/certificate/order-1",
    "/alarms",
    "/alarms.csv",
    "/inspections",
    "/audit",
    "/audit/seen",
    "/log/gw-03/3f1c9a70e2b84d15",
    "/live",
];
/// Every form that changes something.
const FORMS: [&str; 8] = [
    "/saved",
    "/saved/forget",
    "/alarms/decide",
    "/inspections",
    "/inspections/report",
    "/rules",
    "/verify",
    "/logout",
];

#[tokio::test]
async fn nothing_is_shown_to_whoever_is_not_in() {
    let desk = Desk::open("outside");
    let browser = Browser::at(desk.port);
    for page in PAGES.into_iter().chain(["/no-such-page", "/report/x/csv", "/audit/seen.csv"]) {
        let answer = browser.get(page).await;
        assert_eq!((answer.status, answer.header("location").as_str()), (303, "/login"), "{page}");
        assert!(!answer.body.contains("eaf-2"), "{page}");
    }
    for form in FORMS {
        assert_eq!(browser.post(form, "name=x").await.status, 401, "{form}");
    }
    for open in ["/login", "/style.css", "/live.js"] {
        assert_eq!(browser.get(open).await.status, 200, "{open}");
    }
}

#[tokio::test]
async fn a_password_lets_in_and_five_wrong_ones_make_wait() {
    let desk = Desk::open("login");
    let mut browser = Browser::at(desk.port);
    for _ in 0..5 {
        assert_eq!(browser.enter("li", "not the password").await.status, 401);
    }
    assert_eq!(browser.enter("li", PASSWORD).await.status, 401, "the right one is not even looked at now");
    assert_eq!(browser.enter("nobody", PASSWORD).await.status, 401);
    assert_eq!(browser.enter("wang", PASSWORD).await.status, 303, "nobody else waits for it");
    let page = browser.get("/").await;
    assert_eq!(page.status, 200);
    let left = browser.post("/logout", &format!("form={}", page.form_token())).await;
    assert_eq!((left.status, left.header("location").as_str()), (303, "/login"));
    let out = browser.get("/").await;
    assert_eq!((out.status, out.header("location").as_str()), (303, "/login?over"), "whoever has its token");
    let told = browser.get("/login?over").await.text();
    assert!(told.contains(words::K_SESSION_OVER.en), "and is told why: {told}");
}

#[tokio::test]
async fn whoever_asks_at_once_is_looked_at_no_more_often_and_the_overseer_reads_that_it_was_tried() {
    let desk = Desk::open("at-once");
    let port = desk.port;
    let guesses: Vec<_> = (0..20)
        .map(|number| {
            tokio::spawn(
                async move { Browser::at(port).enter("zhao", &format!("guess {number}")).await.status },
            )
        })
        .collect();
    for guess in guesses {
        assert!([401, 503].contains(&guess.await.unwrap()));
    }
    let saw = desk.store().who_saw(&Scope::NATION, u64::MAX, 100).unwrap();
    let tried: Vec<String> =
        saw.iter().map(|(_, saw)| format!("{} {} {}", saw.person, saw.what, saw.status)).collect();
    assert_eq!(tried, ["zhao POST /login 127.0.0.1 401"; 5], "five were looked at, and each is written down");
}

#[tokio::test]
async fn whoever_guesses_with_a_name_that_there_is_keeps_nobody_else_from_the_door() {
    let desk = Desk::open("named-crowd");
    let port = desk.port;
    let crowd: Vec<_> = (0..60)
        .map(|_| {
            tokio::spawn(async move {
                for _ in 0..3 {
                    let status = Browser::at(port).enter("li", "a password of somebody").await.status;
                    assert!([401, 503].contains(&status), "{status}");
                }
            })
        })
        .collect();
    for _ in 0..3 {
        assert_eq!(Browser::at(port).enter("wang", PASSWORD).await.status, 303);
    }
    for one in crowd {
        one.await.unwrap();
    }
}

#[tokio::test]
async fn behind_a_proxy_whoever_guesses_elsewhere_keeps_nobody_out() {
    let at = ConsoleAt { is_behind_tls: true, ..ConsoleAt::plain(([127, 0, 0, 1], free_port()).into()) };
    let desk = Desk::at("proxy", &at, |store| people(store));
    let browser = Browser::at(desk.port);
    let form = |password: &str| format!("name=wang&password={}", password.replace(' ', "+"));
    for _ in 0..6 {
        assert_eq!(browser.post_from("8.8.8.1", "/login", &form("not the password")).await.status, 401);
    }
    assert_eq!(browser.post_from("8.8.8.1", "/login", &form(PASSWORD)).await.status, 401);
    assert_eq!(browser.post_from("8.8.8.2", "/login", &form(PASSWORD)).await.status, 303);
    let saw = desk.store().who_saw(&Scope::NATION, u64::MAX, 100).unwrap();
    let guessed = saw.iter().filter(|(_, saw)| saw.what == "POST /login 8.8.8.1").count();
    assert_eq!(guessed, 5, "from where it was is written down: {saw:?}");
}

#[tokio::test]
async fn a_crowd_of_names_that_nobody_has_keeps_no_person_from_the_door() {
    let desk = Desk::open("crowd");
    let port = desk.port;
    let crowd: Vec<_> = (0..60)
        .map(|number| {
            tokio::spawn(async move {
                for time in 0..3 {
                    let name = format!("nobody-{number}-{time}");
                    assert_eq!(Browser::at(port).enter(&name, "a password of somebody").await.status, 401);
                }
            })
        })
        .collect();
    for _ in 0..3 {
        assert_eq!(Browser::at(port).enter("wang", PASSWORD).await.status, 303);
    }
    for one in crowd {
        one.await.unwrap();
    }
}

#[tokio::test]
async fn a_name_that_leads_here_from_elsewhere_is_not_answered() {
    let at = ConsoleAt {
        names: vec!["desk.example".to_owned()],
        ..ConsoleAt::plain(([127, 0, 0, 1], free_port()).into())
    };
    let desk = Desk::at("host", &at, |store| {
        people(store);
        ours(store);
    });
    for (host, status) in [
        ("evil.example", "421"),
        ("127.0.0.1", "200"),
        ("localhost:1", "200"),
        ("desk.example", "200"),
        ("", "421"),
    ] {
        let mut line = Browser::at(desk.port).line().await;
        let asked = format!("GET /login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        line.write_all(asked.as_bytes()).await.unwrap();
        let mut said = String::new();
        soon("an answer", line.read_to_string(&mut said)).await.unwrap();
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {said}");
    }
}

#[tokio::test]
async fn whoever_is_out_is_told_nothing_more() {
    let desk = Desk::open("no-more");
    for how in ["removed", "left"] {
        let browser = Browser::entered(desk.port, "wang", PASSWORD).await;
        let token = browser.get("/fleet").await.form_token();
        let heard = browser
            .until_its_end("/live", async {
                if how == "left" {
                    browser.post("/logout", &format!("form={token}")).await;
                } else {
                    let wang = Name::new("wang").unwrap();
                    let mut store = desk.store();
                    let before = store.person(wang).unwrap().unwrap();
                    assert!(
                        store.change_password(wang, &before.password, before.changed_unix_ms + 1).unwrap()
                    );
                }
            })
            .await;
        assert!(heard.contains("200 OK"), "{how}: {heard}");
    }
}

#[tokio::test]
async fn a_language_leads_nowhere_else() {
    let desk = Desk::open("back");
    for (back, to) in
        [("/fleet", "/fleet"), ("/%09/evil.example", "/"), ("//evil.example", "/"), ("/%5Cevil.example", "/")]
    {
        let answer = Browser::at(desk.port).get(&format!("/language?to=en&back={back}")).await;
        assert_eq!((answer.status, answer.header("location").as_str()), (303, to), "{back}");
    }
}

#[tokio::test]
async fn no_form_is_taken_that_is_not_of_this_session() {
    let desk = Desk::open("forms");
    desk.alarms.all.lock().unwrap().push(("130421".parse_division(), alarm("a-1", "gw-03", "eaf-2")));
    let mut browser = Browser::entered(desk.port, "li", PASSWORD).await;
    let token = browser.get("/fleet").await.form_token();
    let other = Browser::entered(desk.port, "li", PASSWORD).await.get("/fleet").await.form_token();
    assert_ne!(token, other);
    for form in ["", "form=", &format!("form={other}")] {
        for address in FORMS.into_iter().filter(|form| !["/verify", "/rules"].contains(form)) {
            let body = format!("{form}&name=n&query=&id=a-1&deed=acknowledge&why=w");
            assert_eq!(browser.post(address, &body).await.status, 400, "{address} {form}");
        }
        let value = form.split_once('=').map_or("", |(_, value)| value);
        let parts: [(&str, &[u8]); 2] = [("form", value.as_bytes()), ("records", b"{}")];
        assert_eq!(browser.upload("/verify", &parts).await.status, 400, "{form}");
    }
    let late: [(&str, &[u8]); 2] = [("records", b"{}"), ("form", token.as_bytes())];
    assert_eq!(browser.upload("/verify", &late).await.status, 400, "a file is not read before the token");
    let good = format!("form={token}&id=a-1&deed=acknowledge&why=seen");
    browser.origin = Some("https://evil.example".into());
    assert_eq!(browser.post("/alarms/decide", &good).await.status, 400, "from elsewhere");
    assert!(desk.alarms.decided.lock().unwrap().is_empty());
    browser.origin = None;
    assert_eq!(browser.post("/alarms/decide", &good).await.status, 303);
    assert_eq!(desk.alarms.decided.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn whoever_was_removed_or_has_another_password_is_out_at_once() {
    let desk = Desk::open("removed");
    let browser = Browser::entered(desk.port, "li", PASSWORD).await;
    assert_eq!(browser.get("/").await.status, 200);
    let li = Name::new("li").unwrap();
    assert!(desk.store().change_password(li, "$argon2id$another", 2).unwrap());
    assert_eq!(browser.get("/").await.status, 303);
    let browser = Browser::entered(desk.port, "zhao", PASSWORD).await;
    assert!(desk.store().remove_person(Name::new("zhao").unwrap()).unwrap());
    assert_eq!(browser.get("/fleet").await.status, 303);
}

#[tokio::test]
async fn every_answer_lets_nobody_else_have_a_hand_in_it() {
    let desk = Desk::open("headers");
    let browser = Browser::entered(desk.port, "li", PASSWORD).await;
    for page in
        ["/", "/fleet", "/alarms", "/audit", "/asset/gw-03/eaf-2", "/no-such-page", "/login", "/style.css"]
    {
        let answer = browser.get(page).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{page}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("form-action 'self'"), "{page}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{page}");
        assert_eq!(answer.header("cache-control"), "no-store", "{page}");
        for foreign in ["http://", "https://", "style=\"", "onclick", "javascript:", "@import"] {
            assert!(!answer.body.contains(foreign), "{page}: {foreign}");
        }
    }
}

/// A division by its digits.
pub(crate) trait ParseDivision {
    fn parse_division(&self) -> coldhearth::terms::place::Division;
}

impl ParseDivision for str {
    fn parse_division(&self) -> coldhearth::terms::place::Division {
        coldhearth::terms::place::Division::parse(self).unwrap()
    }
}
