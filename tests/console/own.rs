//! The collector's own alarms and reports at the desk: a person's decision is signed into the desk's log, and nothing of another
//! county's is shown or touched.

use coldhearth::{
    evidence::Signer as _,
    regulator::{
        alarms::{Cause, Entry, Event, Kind, log::verify},
        store::{Alarms as _, AlarmsAsked},
    },
    terms::{place::Division, words},
};

use crate::{
    browser::Browser,
    desk::{Desk, PASSWORD, signer},
};

/// The alarm of the furnace that drew.
fn violation(desk: &Desk) -> String {
    let asked = AlarmsAsked { within: Division::NATION, kind: Some(Kind::Violation), after: None, most: 10 };
    let all = desk.store().alarms(&asked).unwrap();
    all.iter().find(|alarm| alarm.about.cause == Cause::Violation).expect("it is raised").id.to_string()
}

#[tokio::test]
async fn what_a_person_decides_is_signed_into_the_desks_log() {
    let desk = Desk::own("own");
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    let page = county.get("/alarms").await;
    assert!(page.text().contains("gw-03 / eaf-2"), "{}", page.text());
    let (id, token) = (violation(&desk), page.form_token());
    let decided = county
        .post("/alarms/decide", &format!("form={token}&id={id}&deed=acknowledge&why=sent+somebody"))
        .await;
    assert_eq!(decided.status, 303, "{}", decided.body);
    let again =
        county.post("/alarms/decide", &format!("form={token}&id={id}&deed=acknowledge&why=again")).await;
    assert_eq!(again.status, 400, "once is enough");
    let shelf = format!("form={token}&id={id}&deed=shelve&why=maintenance&hours=168");
    assert_eq!(county.post("/alarms/decide", &shelf).await.status, 303);
    let mut store = desk.store();
    let said: Vec<(Event, String)> = store
        .steps_after(0, 100)
        .unwrap()
        .iter()
        .filter_map(|kept| Entry::own(&kept.bytes).ok())
        .filter_map(|entry| Some((entry.step.event, entry.step.hand?.who)))
        .collect();
    assert_eq!(said, [(Event::Acknowledge, "li".to_owned()), (Event::Shelve, "li".to_owned())]);
    let checked = verify(&mut store, &signer().public_key()).unwrap();
    assert!(checked.wrong.is_empty() && checked.steps >= 3, "{checked:?}");
    assert!(
        county.get("/asset/gw-03/eaf-2").await.text().contains("maintenance"),
        "and stands with the equipment"
    );
}

#[tokio::test]
async fn what_stands_is_listed_whoever_has_acknowledged_it() {
    let desk = Desk::own("own-stands");
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    let (id, token) = (violation(&desk), county.get("/alarms").await.form_token());
    let decide = |more: &str| format!("form={token}&id={id}&why=w&{more}");
    assert_eq!(county.post("/alarms/decide", &decide("deed=acknowledge")).await.status, 303);
    let page = county.get("/alarms").await.text();
    assert!(page.contains("gw-03 / eaf-2") && !page.contains(words::K_NO_ALARM.en), "{page}");
    assert!(county.get("/alarms.csv").await.body.contains("gw-03 / eaf-2"));
    // However it is put aside, a violation that stands is not out of sight; and what is put aside is counted.
    assert_eq!(county.post("/alarms/decide", &decide("deed=shelve&hours=1")).await.status, 303);
    let page = county.get("/alarms").await.text();
    assert!(page.contains("gw-03 / eaf-2") && page.contains(words::K_ASIDE.en), "{page}");
}

#[tokio::test]
async fn a_county_is_shown_and_moves_no_alarm_of_the_next() {
    let desk = Desk::own("own-county");
    let id = violation(&desk);
    let next = Browser::entered(desk.port, "zhao", PASSWORD).await;
    for page in ["/alarms", "/alarms?all=1", "/alarms.csv?all=1", "/"] {
        assert!(!next.get(page).await.text().contains("eaf-2"), "{page}");
    }
    let token = next.get("/fleet").await.form_token();
    let body = format!("form={token}&id={id}&deed=acknowledge&why=w");
    assert_eq!(next.post("/alarms/decide", &body).await.status, 403, "a reader decides nothing");
}

#[tokio::test]
async fn reports_are_of_the_scope_and_of_no_more() {
    let desk = Desk::own("own-reports");
    let time = "from=2026-11-01&to=2026-11-30";
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    for kind in ["list", "completion", "findings", "coverage"] {
        for form in ["csv", "json", "html"] {
            let answer = county.get(&format!("/report/{kind}/{form}?{time}")).await;
            assert_eq!(answer.status, 200, "{kind} {form}");
            assert!(!answer.body.contains("secret-kiln") && !answer.body.contains("gw-99"), "{kind} {form}");
            let policy = answer.header("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'") && !policy.contains("script-src 'unsafe"),
                "{kind} {form}"
            );
        }
    }
    assert_eq!(county.get(&format!("/report/list/csv?{time}&in=130422")).await.status, 400);
    assert_eq!(county.get("/report/list/csv?from=yesterday").await.status, 400);
    let turned = county.get("/report/list/html?from=2027-01-01&to=2026-12-31").await;
    assert!(turned.status == 400 && turned.text().contains(words::K_DAYS_TURNED.en), "{turned:?}");
    for none in ["/report/nothing/csv", "/report/list/pdf", "/report/surcharge/csv"] {
        assert_eq!(county.get(none).await.status, 404, "{none}");
    }
}
