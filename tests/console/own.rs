//! The collector's own alarms and reports at the desk: a person's decision is signed into the desk's log, and nothing of another
//! county's is shown or touched.

use std::collections::BTreeSet;

use coldhearth::{
    evidence::{Signer as _, record::Unverified},
    regulator::{
        alarms::{AlarmId, Cause, Entry, Event, Kind, Priority, log::verify},
        store::{Alarms as _, AlarmsAsked},
    },
    terms::{Digest, place::Division, words},
};

use crate::{
    browser::Browser,
    desk::{Desk, PASSWORD, signer},
};

/// The alarm of the furnace that drew.
fn violation(desk: &Desk) -> String {
    let asked = AlarmsAsked { kind: Some(Kind::Violation), ..AlarmsAsked::all(Division::NATION, 10) };
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
    // Nobody above puts it aside for the county: he acknowledges it.
    let nation = Browser::entered(desk.port, "wang", PASSWORD).await;
    let above =
        format!("form={}&id={id}&deed=shelve&why=w&hours=1", nation.get("/alarms").await.form_token());
    let refused = nation.post("/alarms/decide", &above).await;
    assert!(
        refused.status == 400 && refused.text().contains(words::SHELVED_BY_ITS_OWN.en),
        "{}",
        refused.body
    );
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
    for page in ["/alarms", "/alarms?part=all", "/alarms.csv?part=all", "/alarms.csv?part=all&whole=1", "/"] {
        assert!(!next.get(page).await.text().contains("eaf-2"), "{page}");
    }
    for page in [format!("/alarm/{id}"), "/alarm/x".to_owned(), "/alarms?in=130421".to_owned()] {
        let answer = next.get(&page).await;
        assert!([400, 404].contains(&answer.status) && !answer.text().contains("eaf-2"), "{page}");
    }
    let token = next.get("/fleet").await.form_token();
    let body = format!("form={token}&id={id}&deed=acknowledge&why=w");
    assert_eq!(next.post("/alarms/decide", &body).await.status, 403, "a reader decides nothing");
}

/// The rows of a file of alarms, without its head.
fn rows(file: &str) -> Vec<&str> {
    file.lines().skip(1).collect()
}

#[tokio::test]
async fn alarms_are_filtered_by_kind_priority_part_and_division_and_counted() {
    let desk = Desk::own("own-filter");
    let nation = Browser::entered(desk.port, "wang", PASSWORD).await;
    let kept = desk.store().alarms(&AlarmsAsked::all(Division::NATION, 100)).unwrap();
    let found = async |query: &str| nation.get(&format!("/alarms.csv?whole=1&{query}")).await.body;
    assert!(kept.len() > 1 && rows(&found("part=all").await).len() == kept.len(), "{kept:?}");
    for kind in Kind::ALL {
        let told = found(&format!("part=all&kind={}", kind.word())).await;
        let expected: Vec<_> = kept.iter().filter(|alarm| alarm.about.cause.kind() == kind).collect();
        assert_eq!(rows(&told).len(), expected.len(), "{}", kind.word());
        assert!(expected.iter().all(|alarm| told.contains(&alarm.id.to_string())), "{}", kind.word());
    }
    for priority in Priority::ALL {
        let told = found(&format!("part=all&priority={}", priority.word())).await;
        let expected = kept.iter().filter(|alarm| alarm.about.cause.priority() == priority).count();
        assert_eq!(rows(&told).len(), expected, "{}", priority.word());
    }
    assert!(!found("part=all&in=130422").await.contains("eaf-2"));
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    let (id, token) = (violation(&desk), county.get("/fleet").await.form_token());
    let shelf = format!("form={token}&id={id}&deed=shelve&why=w&hours=1");
    assert_eq!(county.post("/alarms/decide", &shelf).await.status, 303);
    for (part, is_in) in
        [("shelved", true), ("open", false), ("listed", true), ("out_of_service", false), ("all", true)]
    {
        let page = nation.get(&format!("/alarms?part={part}")).await;
        assert_eq!(page.body.contains(&format!("/alarm/{id}\"")), is_in, "{part}");
        // What the choice promises is what is found, on the page and in the file.
        let promised = page.body.split(&format!("value=\"{part}\" selected>")).nth(1).unwrap();
        let promised = promised.split('<').next().unwrap();
        let told = rows(&found(&format!("part={part}")).await).len();
        assert!(promised.ends_with(&format!("({told})")), "{part}: {promised}, {told}");
    }
    assert_eq!(nation.get("/alarms?kind=fire").await.status, 400);
}

#[tokio::test]
async fn an_alarm_is_told_with_its_steps_and_leads_to_its_record() {
    let desk = Desk::own("own-one");
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    let (id, token) = (violation(&desk), county.get("/alarms").await.form_token());
    let decide = format!("form={token}&id={id}&deed=acknowledge&why=sent+somebody");
    assert_eq!(county.post("/alarms/decide", &decide).await.status, 303);
    let page = county.get(&format!("/alarm/{id}")).await;
    let kept = desk.store().steps_of(AlarmId::from_hex(&id).unwrap(), u64::MAX, 9).unwrap();
    assert!(kept.len() >= 2);
    for step in &kept {
        assert!(page.body.contains(&step.hash.to_string()), "step {}", step.number);
    }
    for said in ["li: sent somebody", words::STEP_ACKNOWLEDGE.en, words::STEP_RAISE.en, "gw-03 / eaf-2"] {
        assert!(page.text().contains(said), "{said}");
    }
    // Its record leads to the place of it in what happened, and that to the record itself.
    let at = page.body.split("/asset/gw-03/eaf-2#r-").nth(1).expect("a record").split('"').next().unwrap();
    let case = county.get("/asset/gw-03/eaf-2").await.body;
    let there = case.split(&format!("id=\"r-{at}\"")).nth(1).expect("the record stands in what happened");
    let file = there.split("href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let record = county.get(&file).await.body;
    assert_eq!(record.lines().count(), 1, "{file}: {record}");
    let read = Unverified::read(record.trim_end().as_bytes()).unwrap();
    assert_eq!(read.hash().to_string(), at);
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

const COUNTY: &str = r#"
division = "130421"
version = 1
order = "县发〔2026〕3号"
[[target]]
entry = "steel-electric-furnace-up-to-30t"
amount = 2
[[equipment]]
uscc = "91350100M000100Y43"
asset = "eaf-2"
entry = "steel-electric-furnace-up-to-30t"
deadline = "2011-12-31"
"#;
const NEXT: &str = r#"
division = "130422"
version = 1
order = "县发〔2026〕4号"
[[target]]
entry = "steel-electric-furnace-up-to-30t"
amount = 7
"#;

#[tokio::test]
async fn reports_that_rest_on_files_take_them_with_the_form_and_are_of_the_scope() {
    let desk = Desk::own("own-files");
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    let page = county.get("/audit").await;
    for kind in ["periodic", "owed", "surcharge", "list"] {
        assert!(page.body.contains(&format!("action=\"/report/{kind}/html\"")), "{kind}");
    }
    let token = page.form_token();
    let ask = async |report: &str, files: &[(&str, &[u8])]| {
        let lines = [("form", token.as_str()), ("from", "2026-11-01"), ("to", "2026-11-30")];
        let mut parts: Vec<(&str, &[u8])> =
            lines.iter().map(|(name, line)| (*name, line.as_bytes())).collect();
        parts.extend(files);
        county.upload(&format!("/report/{report}"), &parts).await
    };
    let pages: [(&str, &[u8]); 2] = [("pages", COUNTY.as_bytes()), ("pages", NEXT.as_bytes())];
    let periodic = ask("periodic/json", &pages).await;
    assert_eq!(periodic.status, 200, "{periodic:?}");
    let told: serde_json::Value = serde_json::from_str(&periodic.body).unwrap();
    let rows: Vec<_> = told["rows"].as_array().unwrap().iter().map(|row| &row["division"]).collect();
    assert_eq!(rows, ["130421"], "{}", periodic.body);
    let files: BTreeSet<_> = told["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["sha256"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, BTreeSet::from([COUNTY, NEXT].map(|text| Digest::of(text.as_bytes()).to_string())));
    assert!(told["wrong"].to_string().contains("1 more must be listed"), "{}", periodic.body);
    let printed = ask("periodic/html", &pages).await.text();
    assert!(printed.contains(words::FILES_WRONG.en) && !printed.contains(">130422</td>"), "{printed}");
    let prices = "[[price]]\ndocument = \"发改价格〔2010〕978号\"\nfrom = 2010-06-01\nyuan_per_kwh = 0.3\n";
    let surcharge = ask("surcharge/csv", &[("prices", prices.as_bytes())]).await;
    assert!(surcharge.status == 200 && surcharge.body.contains("rate_yuan_per_kwh"), "{surcharge:?}");
    assert!(!surcharge.body.contains("130422"), "{}", surcharge.body);
    let schedule = "[[owed]]\ndivision = \"130421\"\nreports = [\"periodic\"]\ndue_days = 1\n\
                    [[owed]]\ndivision = \"130422\"\nreports = [\"list\"]\ndue_days = 1\n";
    let owed = ask("owed/json", &[("schedule", schedule.as_bytes())]).await;
    assert!(owed.status == 200 && owed.body.contains("130421") && !owed.body.contains("130422"), "{owed:?}");
    let names = "[[enterprise]]\nuscc = \"91350100M000100Y43\"\nzh = \"某某钢铁\"\ndocument = \"登记\"\n";
    let list = ask("list/json", &[("names", names.as_bytes())]).await;
    assert!(list.status == 200 && list.body.contains("某某钢铁"), "{list:?}");
    // What cannot be read is told with its place, and no report is made.
    let wrong = ask("surcharge/html", &[("prices", b"[[price]]\nfrom = 2010-06-01\n")]).await.text();
    assert!(wrong.contains(words::K_FILES_UNREAD.en) && wrong.contains("`document` is missing"), "{wrong}");
    // No file, no token, no other division, no other kind.
    assert_eq!(ask("surcharge/json", &[]).await.status, 400);
    let foreign = [("prices", prices.as_bytes()), ("form", token.as_bytes())];
    assert_eq!(county.upload("/report/surcharge/json", &foreign).await.status, 400);
    assert_eq!(ask("surcharge/json", &[("prices", prices.as_bytes()), ("in", b"130422")]).await.status, 400);
    assert_eq!(ask("nothing/json", &[("prices", prices.as_bytes())]).await.status, 404);
}
