//! Who comes in, and what a form must carry.

use coldhearth::{
    regulator::store::People as _,
    terms::{Name, words},
};

use crate::{
    browser::Browser,
    desk::{Desk, PASSWORD, alarm},
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
