//! A county's officer tries to see, and to touch, what is another county's: by every address there is.

use coldhearth::regulator::store::{
    People as _, Sights as _,
    sights::{AskedAt, Scope, Which},
};
use coldhearth::terms::LegalDay;

use crate::{
    browser::Browser,
    desk::{Desk, NOW, PASSWORD, alarm},
    door::ParseDivision as _,
};

/// Addresses that would show gw-99 of county 130422, however they are asked.
const THEIRS: [&str; 30] = [
    "/asset/gw-99/secret-kiln",
    "/asset/gw-99/secret-kiln?days=31",
    "/asset/gw-99/secret-kiln/power.csv",
    "/asset/gw-99/secret-kiln/certificate/order-9",
    "/asset/gw-03/secret-kiln",
    "/asset/gw-99/eaf-2",
    "/asset/gw-99%2Fsecret-kiln/x",
    "/log/gw-99/0000000000000063",
    "/log/gw-99/0000000000000063?from=0",
    "/fleet?in=130422",
    "/fleet?in=1304",
    "/fleet?in=",
    "/fleet?gateway=gw-99",
    "/fleet?lane=verified",
    "/fleet?a_div=130421&a_gw=gw-98&a_as=a",
    "/fleet?a_div=130422&a_gw=gw-98&a_as=a",
    "/fleet.csv?in=130422",
    "/fleet.csv?gateway=gw-99",
    "/audit?gateway=gw-99",
    "/alarms?part=all",
    "/alarms?in=130422",
    "/alarms?in=130422&part=all&kind=violation",
    "/alarms.csv?part=all",
    "/alarms.csv?in=130422&whole=1",
    "/alarms.csv?part=all&whole=1&in=13",
    "/alarm/a-2",
    "/alarm/a-2?before=9",
    "/?in=130422",
    "/?in=13&industry=Iron+and+steel",
    "/",
];

#[tokio::test]
async fn a_county_sees_its_own_and_nothing_of_the_next() {
    let desk = Desk::open("subtree");
    desk.alarms.all.lock().unwrap().extend([
        ("130421".parse_division(), alarm("a-1", "gw-03", "eaf-2")),
        ("130422".parse_division(), alarm("a-2", "gw-99", "secret-kiln")),
    ]);
    let nation = Browser::entered(desk.port, "wang", PASSWORD).await;
    for (page, what) in
        [("/fleet", "secret-kiln"), ("/asset/gw-99/secret-kiln", "secret-kiln"), ("/alarms", "gw-99")]
    {
        assert!(nation.get(page).await.body.contains(what), "{page}: it is there to be seen");
    }
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    assert!(county.get("/fleet").await.body.contains("eaf-2"), "its own is there");
    for page in THEIRS {
        let answer = county.get(page).await;
        let shown = answer.text();
        // What was typed into a field may stand in it.
        for secret in ["secret-kiln", "order-9", "0000000000000063", "130422"] {
            assert!(!shown.contains(secret), "{page} shows {secret}: {}", answer.status);
        }
        assert!([200, 400, 404].contains(&answer.status), "{page}: {}", answer.status);
    }
    for page in THEIRS.into_iter().filter(|page| page.starts_with("/asset") || page.starts_with("/log")) {
        assert_eq!(county.get(page).await.status, 404, "{page}: as one that is not there");
    }
    let none = county.get("/asset/gw-98/none").await;
    let theirs = county.get("/asset/gw-99/secret-kiln").await;
    let bare = |text: String| {
        text.replace("gw-98", "").replace("gw-99", "").replace("secret-kiln", "").replace("none", "")
    };
    assert_eq!(bare(none.text()), bare(theirs.text()), "and told from it by nothing");
}

#[tokio::test]
async fn a_county_touches_nothing_of_the_next_and_a_reader_nothing_at_all() {
    let desk = Desk::open("touch");
    desk.alarms.all.lock().unwrap().extend([
        ("130421".parse_division(), alarm("a-1", "gw-03", "eaf-2")),
        ("130422".parse_division(), alarm("a-2", "gw-99", "secret-kiln")),
    ]);
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    let token = county.get("/fleet").await.form_token();
    let decide = |id: &str, more: &str| format!("form={token}&id={id}&deed=acknowledge&why=seen{more}");
    assert_eq!(county.post("/alarms/decide", &decide("a-2", "")).await.status, 400);
    assert_eq!(
        county.post("/alarms/decide", &decide("a-1", "&back=//evil.example")).await.header("location"),
        "/alarms"
    );
    let who: Vec<String> =
        desk.alarms.decided.lock().unwrap().iter().map(|one| format!("{} {}", one.who, one.id)).collect();
    assert_eq!(who, ["li a-1"]);
    let reader = Browser::entered(desk.port, "zhao", PASSWORD).await;
    let page = reader.get("/alarms").await;
    assert!(
        page.body.contains("gw-99") && !page.body.contains("/alarms/decide"),
        "what may not be done is not offered"
    );
    let token = reader.get("/fleet").await.form_token();
    let body = format!("form={token}&id=a-2&deed=acknowledge&why=seen");
    assert_eq!(reader.post("/alarms/decide", &body).await.status, 403);
    assert_eq!(reader.get("/audit/seen").await.status, 403);
    assert_eq!(reader.get("/audit/seen.csv").await.status, 403);
}

#[tokio::test]
async fn a_look_on_site_is_asked_for_reported_and_the_next_countys_is_neither() {
    let desk = Desk::open("inspections");
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    let token = county.get("/fleet").await.form_token();
    let ask = |gateway: &str, asset: &str| {
        format!("form={token}&gateway={gateway}&asset={asset}&why=smoke+at+night&back=/asset/gw-03/eaf-2")
    };
    let asked = county.post("/inspections", &ask("gw-03", "eaf-2")).await;
    assert_eq!((asked.status, asked.header("location").as_str()), (303, "/asset/gw-03/eaf-2"));
    assert!(county.get("/asset/gw-03/eaf-2").await.text().contains("smoke at night"));
    assert!(county.get("/inspections").await.text().contains("smoke at night"));
    assert_eq!(county.post("/inspections", &ask("gw-99", "secret-kiln")).await.status, 404);
    for _ in 0..4 {
        assert_eq!(county.post("/inspections", &ask("gw-03", "eaf-2")).await.status, 303);
    }
    assert_eq!(county.post("/inspections", &ask("gw-03", "eaf-2")).await.status, 400, "five are enough");
    let next = Browser::entered(desk.port, "zhao", PASSWORD).await;
    assert!(!next.get("/inspections?all=1").await.text().contains("smoke"));
    let of_next = next.get("/fleet").await.form_token();
    let report = async |who: &Browser, token: &str| {
        let photo: &[u8] = b"\xff\xd8 a photograph";
        let parts = [
            ("form", token.as_bytes()),
            ("number", &b"1"[..]),
            ("why", &b"cold furnace"[..]),
            ("photos", photo),
        ];
        who.upload("/inspections/report", &parts).await.status
    };
    assert_eq!(report(&next, &of_next).await, 403, "a reader");
    assert_eq!(report(&county, &of_next).await, 400, "of another session");
    assert_eq!(report(&county, &token).await, 303);
    assert_eq!(report(&county, &token).await, 404, "once");
    let told = county.get("/inspections?all=1").await.text();
    assert!(told.contains("cold furnace") && told.contains("li: smoke at night"), "{told}");
    let hash = coldhearth::terms::Digest::of(b"\xff\xd8 a photograph").to_string();
    assert!(told.contains(&hash), "what was photographed can be held against it: {told}");
    assert!(!county.get("/inspections").await.text().contains("cold furnace"));
}

#[tokio::test]
async fn a_saved_filter_widens_nothing_and_is_ones_own() {
    let desk = Desk::open("saved");
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    let token = county.get("/fleet").await.form_token();
    let wide = format!("form={token}&name=wide&query=in%3D130422");
    assert_eq!(county.post("/saved", &wide).await.status, 400);
    let own = format!("form={token}&name=mine&query=lane%3Dlatched");
    assert_eq!(county.post("/saved", &own).await.header("location"), "/fleet?in=130421&lane=latched");
    assert!(county.get("/fleet").await.body.contains("mine"));
    let nation = Browser::entered(desk.port, "wang", PASSWORD).await;
    assert!(!nation.get("/fleet").await.body.contains(">mine<"));
}

#[tokio::test]
async fn who_saw_what_is_written_down_and_the_overseer_reads_it() {
    let desk = Desk::open("saw");
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    county.get("/asset/gw-03/eaf-2?days=1").await;
    county.get("/asset/gw-99/secret-kiln").await;
    let saw = desk.store().who_saw(&Scope::NATION, u64::MAX, 10).unwrap();
    let said: Vec<String> =
        saw.iter().map(|(_, saw)| format!("{} {} {}", saw.person, saw.what, saw.status)).collect();
    assert_eq!(
        said,
        ["li GET /asset/gw-99/secret-kiln 404", "li GET /asset/gw-03/eaf-2?days=1 200", "li POST /login 303"]
    );
    let nation = Browser::entered(desk.port, "wang", PASSWORD).await;
    let page = nation.get("/audit/seen").await;
    assert!(page.text().contains("GET /asset/gw-99/secret-kiln"), "that somebody tried is seen, too");
    // An overseer of one county reads nothing of those who may see more.
    let of_county = desk.store().who_saw(&Scope::parse("130422").unwrap(), u64::MAX, 10).unwrap();
    assert!(of_county.is_empty());
}

#[tokio::test]
async fn a_list_of_the_store_ends_where_its_scope_ends() {
    let desk = Desk::open("store");
    let mut store = desk.store();
    let at = AskedAt { today: LegalDay::of_unix_ms(NOW), silent_before_unix_ms: NOW - 900_000 };
    for (scope, assets, latched) in
        [("130421", 1, 1), ("130422", 1, 0), ("1304", 2, 1), ("14", 0, 0), ("", 2, 1)]
    {
        let scope = Scope::parse(scope).unwrap();
        let numbers = store.numbers(&scope, Which::default(), at).unwrap();
        assert_eq!((numbers.assets, numbers.latched), (assets, latched), "{scope}");
        assert_eq!(store.latched(&scope, Which::default(), 10).unwrap().len() as u64, latched, "{scope}");
    }
}
