//! What stands on the screens: the same in a file as on the page, complete in both languages, and never more than is known.

use std::sync::atomic::Ordering;

use coldhearth::{
    evidence::LogId,
    regulator::sight::Said,
    regulator::{
        lineage::Lineage,
        store::{
            Batch, Mentions as _, Registry as _, Sights as _, Store as _,
            sights::{AskedAt, Which},
        },
    },
    terms::{GatewayId, LegalDay, words},
};
use std::collections::BTreeSet;

use crate::{
    browser::Browser,
    desk::{Desk, NOW, PASSWORD, alarm, goldens, head, ours, people, sights_of},
    door::ParseDivision as _,
};

/// Rows of a file of ours: no cell here has a line end or a comma that is not quoted.
fn rows(csv: &str) -> Vec<Vec<String>> {
    let lines = csv.trim_start_matches('\u{feff}').lines();
    let cell = |cell: &str| cell.trim_matches('"').replace("\"\"", "\"");
    lines.map(|line| line.split(',').map(cell).collect()).collect()
}

#[tokio::test]
async fn a_file_says_what_its_page_says() {
    let desk = Desk::open("csv");
    desk.alarms.all.lock().unwrap().push(("130421".parse_division(), alarm("a-1", "gw-03", "eaf-2")));
    for language in ["en", "zh"] {
        let mut browser = Browser::entered(desk.port, "wang", PASSWORD).await;
        browser.language = language;
        for (page, file) in [
            ("/fleet", "/fleet.csv"),
            ("/fleet?lane=latched", "/fleet.csv?lane=latched"),
            ("/fleet?in=130422", "/fleet.csv?in=130422"),
            ("/alarms", "/alarms.csv"),
        ] {
            let (shown, file) = (browser.get(page).await.text(), browser.get(file).await);
            assert!(file.header("content-disposition").starts_with("attachment"), "{page}");
            let rows = rows(&file.body);
            assert!(rows.len() > 1, "{page}: {}", file.body);
            for cell in rows.iter().flatten() {
                assert!(shown.contains(cell.as_str()), "{page}: {cell} is not on the page");
            }
        }
        let latched = browser.get("/fleet.csv?lane=latched").await.body;
        assert!(
            latched.contains("eaf-2") && !latched.contains("secret-kiln"),
            "as the page: the filter holds"
        );
    }
}

#[tokio::test]
async fn an_industry_is_filtered_by_the_entries_of_its_clauses() {
    let desk = Desk::open_with("industry", |store| {
        people(store);
        ours(store);
        let (gateway, log) = (GatewayId::new("gw-07").unwrap(), LogId(7));
        let mut batch = Batch { sights: sights_of(gateway, log, "eaf-7", "drawing"), ..Batch::default() };
        for sight in &mut batch.sights {
            if let Said::Verdict(said) = &mut sight.said {
                said.entry = Some("guofa-2010-7 steel-electric-furnace-up-to-30t".into());
            }
        }
        batch.heads = vec![head(gateway, log, "130421", (7, coldhearth::terms::Digest::of(b"7")), NOW)];
        batch.turns = store.begin(&BTreeSet::from([(gateway, log)])).unwrap();
        store.commit(&batch).unwrap();
    });
    let browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    let steel = browser.get("/fleet.csv?industry=Iron+and+steel").await.body;
    assert!(steel.contains("eaf-7") && !steel.contains("eaf-2"), "{steel}");
    let page = browser.get("/fleet?industry=Iron+and+steel").await.body;
    assert!(page.contains("<option value=\"Iron and steel\" selected>"), "the choice stays chosen");
    for none in ["Textile", "Witchcraft"] {
        let none = browser.get(&format!("/fleet.csv?industry={none}")).await.body;
        assert_eq!(none.lines().count(), 1, "a head and nothing under it: {none}");
    }
}

#[tokio::test]
async fn both_languages_are_whole_and_neither_leaks_into_the_other() {
    let desk = Desk::open("languages");
    desk.alarms.all.lock().unwrap().push(("130421".parse_division(), alarm("a-1", "gw-03", "eaf-2")));
    let mut browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    for page in
        ["/", "/fleet", "/asset/gw-03/eaf-2", "/alarms", "/audit", "/audit/seen", "/no-such-page", "/login"]
    {
        browser.language = "zh";
        let chinese = browser.get(page).await;
        browser.language = "en";
        let english = browser.get(page).await;
        assert!(
            chinese.body.contains("<html lang=\"zh-CN\">") && english.body.contains("<html lang=\"en\">"),
            "{page}"
        );
        let (zh, en) = (chinese.text(), english.text());
        // A sentence of one language on the other's page; short labels may be a part of another word.
        for words in words::CONSOLE.iter().filter(|words| words.zh != words.en) {
            assert!(
                !en.contains(words.zh) || words.zh.chars().count() < 4,
                "{page} in English says {}",
                words.zh
            );
            let is_line = zh.lines().any(|line| line.trim() == words.en);
            assert!(!is_line || words.en.len() < 4, "{page} in Chinese says {}", words.en);
        }
    }
}

#[tokio::test]
async fn the_sentences_of_safety_stand_where_they_belong() {
    let desk = Desk::open("sentences");
    let browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    let dead = browser.get("/asset/gw-99/secret-kiln").await.text();
    assert!(dead.contains(words::NOT_A_TEST_FOR_DEAD.en), "{dead}");
    let today = browser.get("/").await.text();
    assert!(today.contains(words::NOT_A_TEST_FOR_DEAD.en));
    assert!(today.contains(words::K_FLOOD.en), "eleven alarms in ten minutes are a flood");
    let latched = browser.get("/asset/gw-03/eaf-2").await.text();
    assert!(latched.contains(words::LATCHED.en) && latched.contains(words::K_RESET_BY_ACT.en));
}

#[tokio::test]
async fn silence_takes_the_place_of_whatever_was_said_last() {
    let desk = Desk::open("silence");
    let browser = Browser::entered(desk.port, "zhao", PASSWORD).await;
    // The page itself has a legend, in which every word stands.
    assert!(browser.get("/fleet.csv").await.body.contains(words::K_DEAD.en));
    desk.clock.wall_unix_ms.store(NOW + 3_600_000, Ordering::Relaxed);
    let listed = browser.get("/fleet.csv").await.body;
    assert!(listed.contains(words::K_SILENT.en) && !listed.contains(words::K_DEAD.en), "{listed}");
    let page = browser.get("/fleet").await.body;
    assert!(page.contains("badge unproven"), "{page}");
    let asset = browser.get("/asset/gw-99/secret-kiln").await.text();
    assert!(asset.contains(words::K_SILENT_MEANS.en) && asset.contains(words::VOLTAGE_MAY_BE_PRESENT.en));
    let unproven = browser.get("/fleet.csv?lane=unproven").await.body;
    assert!(unproven.contains("secret-kiln"));
    assert!(!browser.get("/fleet.csv?lane=verified").await.body.contains("secret-kiln"));
}

/// A gateway that was heard now, and that attested one furnace last so long ago.
fn attested(store: &mut dyn coldhearth::regulator::store::Store, asset: &str, ago_ms: i64) {
    let (gateway, log) = (GatewayId::new("gw-07").unwrap(), LogId(7));
    let mut batch = Batch { sights: sights_of(gateway, log, asset, "drawing"), ..Batch::default() };
    batch.sights.iter_mut().for_each(|sight| sight.received_unix_ms = NOW - ago_ms);
    batch.heads = vec![head(gateway, log, "130421", (7, coldhearth::terms::Digest::of(b"7")), NOW)];
    batch.turns = store.begin(&BTreeSet::from([(gateway, log)])).unwrap();
    store.commit(&batch).unwrap();
}

#[tokio::test]
async fn equipment_that_was_taken_out_of_the_configuration_is_unproven_though_its_gateway_speaks() {
    let desk = Desk::open_with("unattested", |store| {
        people(store);
        attested(store, "kept", 1_000);
        attested(store, "taken-out", 2 * 3_600_000);
    });
    let browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    let listed = |lane: &'static str| browser.get(lane);
    let unproven = listed("/fleet.csv?lane=unproven").await.body;
    assert!(unproven.contains("taken-out") && !unproven.contains("kept"), "{unproven}");
    assert!(unproven.contains(words::K_UNATTESTED.en), "{unproven}");
    for lane in ["/fleet.csv?lane=drawing", "/fleet.csv?lane=verified"] {
        let listed = listed(lane).await.body;
        assert!(listed.contains("kept") && !listed.contains("taken-out"), "{lane}: {listed}");
    }
    let numbers = desk
        .store()
        .numbers(
            &coldhearth::regulator::store::sights::Scope::NATION,
            Which::default(),
            AskedAt { today: LegalDay::of_unix_ms(NOW), silent_before_unix_ms: NOW - 900_000 },
        )
        .unwrap();
    assert_eq!((numbers.assets, numbers.verified, numbers.drawing, numbers.unproven), (2, 1, 1, 1));
    let case = browser.get("/asset/gw-07/taken-out").await.text();
    assert!(case.contains(words::K_UNATTESTED_MEANS.en) && case.contains(words::K_ATTESTED.en), "{case}");
}

#[tokio::test]
async fn what_was_not_read_yet_is_not_told_as_nothing() {
    let desk = Desk::open("reading");
    // As after a copy was put back: nothing that is listed is there, and all that it is made of is.
    desk.store().unindex().unwrap();
    let mut browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    for language in ["en", "zh"] {
        browser.language = language;
        let say = |words: words::Words| if language == "en" { words.en } else { words.zh };
        for page in ["/", "/fleet", "/alarms", "/audit"] {
            assert!(browser.get(page).await.text().contains(say(words::K_READING)), "{page}");
        }
        let today = browser.get("/").await;
        assert!(!today.body.contains("data-live"), "no number: {}", today.body);
        for none in [words::K_NONE_LATCHED, words::K_NO_DEADLINE, words::K_OF_ALL] {
            assert!(!today.text().contains(say(none)), "{}", none.en);
        }
        assert!(!browser.get("/fleet").await.text().contains(say(words::K_NOTHING_FOUND)));
        for none in ["/asset/gw-03/eaf-2", "/fleet.csv", "/fleet.csv?whole=1", "/asset/gw-03/eaf-2/power.csv"]
        {
            assert_eq!(browser.get(none).await.status, 503, "{none}");
        }
    }
    let lineage = Lineage::shipped().unwrap();
    let mut store = desk.store();
    while lineage.index(&mut store, None, NOW).unwrap().is_some() {}
    let today = browser.get("/").await;
    assert!(today.body.contains("data-live") && today.text().contains("eaf-2"), "{}", today.body);
    assert!(!today.text().contains(words::K_READING.zh));
    assert_eq!(browser.get("/asset/gw-03/eaf-2").await.status, 200);
}

#[tokio::test]
async fn a_page_of_a_file_says_where_the_next_one_is() {
    let desk = Desk::open_with("linked", |store| {
        people(store);
        crate::sizes::fill(store, 50);
    });
    let browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    let first = browser.get("/fleet.csv").await;
    let link = first.header("link");
    let next = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\"")).expect("a link");
    let second = browser.get(next).await;
    assert_eq!(second.header("link"), "");
    assert_eq!(rows(&first.body).len() + rows(&second.body).len(), 52, "each with its head");
    assert_eq!(browser.get("/fleet.csv?whole=1").await.header("link"), "");
}

#[tokio::test]
async fn figures_say_until_when_they_are_told_and_that_there_may_be_more() {
    let desk = Desk::open("as-of");
    let browser = Browser::entered(desk.port, "li", PASSWORD).await;
    let page = browser.get("/asset/gw-03/eaf-2?days=1").await.text();
    let (least, untold) = (words::K_AT_LEAST.en, words::K_STEPS_UNTOLD.en);
    assert!(page.contains(&format!("{}: {least} ", words::K_ENERGY.en)) && page.contains(untold), "{page}");
    assert!(page.contains(words::K_LATCHED_SINCE.en) && !page.contains(words::VIOLATION.en), "{page}");
    let overdue = |page: &str| page.lines().any(|line| line.contains("kWh (as of 20"));
    assert!(overdue(&page), "{page}");
    assert!(overdue(&browser.get("/").await.text()));
}

#[tokio::test]
async fn a_log_of_elsewhere_is_not_called_forged() {
    let desk = Desk::open("elsewhere");
    let browser = Browser::entered(desk.port, "zhao", PASSWORD).await;
    let token = browser.get("/audit").await.form_token();
    let log: Vec<Vec<u8>> = goldens()
        .into_iter()
        .filter(|line| String::from_utf8_lossy(line).contains("\"log_id\":\"3f1c9a70e2b84d15\""))
        .take(10)
        .collect();
    let good = log.join(&b'\n');
    let page = browser.upload("/verify", &[("form", token.as_bytes()), ("records", &good)]).await.text();
    assert!(page.contains(words::K_CANNOT_TELL.en) && page.contains(words::K_ANCHOR_STRANGE.en), "{page}");
    assert!(!page.contains(words::K_ANCHOR_TRUSTED.en), "{page}");
}

#[tokio::test]
async fn the_story_names_each_record_by_its_hash_and_the_chart_hatches_what_was_not_seen() {
    let desk = Desk::open("story");
    let browser = Browser::entered(desk.port, "li", PASSWORD).await;
    let page = browser.get("/asset/gw-03/eaf-2?days=1").await;
    let records = goldens();
    let verdict =
        records.iter().find(|line| String::from_utf8_lossy(line).contains("\"type\":\"verdict\"")).unwrap();
    let hash = coldhearth::evidence::record::Unverified::read(verdict).unwrap().hash().to_string();
    assert!(page.body.contains(&hash), "{hash}");
    assert!(
        page.body.contains("class=\"gap\"") && page.body.contains("<svg"),
        "most of the day was not seen"
    );
    let csv = browser.get("/asset/gw-03/eaf-2/power.csv?days=1").await.body;
    let told = rows(&csv).iter().skip(1).filter(|row| !row[1].is_empty()).count();
    assert!(told >= 1 && told < rows(&csv).len() - 50, "what is not told is empty, and never nought: {csv}");
    assert!(page.text().contains("2号"), "what stands on the nameplate is shown");
}

#[tokio::test]
async fn what_a_line_has_delayed_by_a_day_is_no_evidence_of_now() {
    let desk = Desk::open_with("delayed", |store| {
        people(store);
        attested(store, "kept", 1_000);
        let (gateway, log) = (GatewayId::new("gw-07").unwrap(), LogId(7));
        let mut batch = Batch { sights: sights_of(gateway, log, "delayed", "energised"), ..Batch::default() };
        batch.sights.iter_mut().for_each(|sight| sight.wall_unix_ms = NOW - 25 * 3_600_000);
        batch.turns = store.begin(&BTreeSet::from([(gateway, log)])).unwrap();
        store.commit(&batch).unwrap();
    });
    let browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    let unproven = browser.get("/fleet.csv?lane=unproven").await.body;
    assert!(unproven.contains("delayed") && unproven.contains(words::K_UNATTESTED.en), "{unproven}");
    assert!(!unproven.contains("kept") && !unproven.contains(words::K_ENERGISED.en), "{unproven}");
    let case = browser.get("/asset/gw-07/delayed").await.text();
    assert!(case.contains(words::K_UNATTESTED_MEANS.en) && case.contains("25 hours ago"), "{case}");
}

#[tokio::test]
async fn why_a_record_is_not_believed_is_said_in_the_readers_language() {
    let desk = Desk::open("unbelieved");
    let mut browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    let token = browser.get("/audit").await.form_token();
    let lines: Vec<Vec<u8>> = goldens().into_iter().take(2).collect();
    let altered =
        String::from_utf8(lines.join(&b'\n')).unwrap().replacen("\"boot_count\":2", "\"boot_count\":3", 1);
    for (language, text) in [("zh", words::K_BAD_SIGNATURE.zh), ("en", words::K_BAD_SIGNATURE.en)] {
        browser.language = language;
        let parts = [("form", token.as_bytes()), ("records", altered.as_bytes())];
        let page = browser.upload("/verify", &parts).await.text();
        assert!(page.contains(text), "{page}");
    }
}

#[tokio::test]
async fn today_says_how_old_it_is_and_is_filtered_by_a_deadline() {
    let desk = Desk::open("ages");
    let browser = Browser::entered(desk.port, "wang", PASSWORD).await;
    let told = |text: &str| text.lines().find(|line| line.contains(words::K_AGE.en)).unwrap().to_owned();
    let today = browser.get("/").await.text();
    assert!(
        told(&today).contains("1 second ago") && told(&today).contains(words::K_SILENT_OF.en),
        "{}",
        told(&today)
    );
    desk.clock.wall_unix_ms.store(NOW + 3 * 3_600_000, Ordering::Relaxed);
    let later = browser.get("/").await.text();
    assert!(told(&later).contains("3 hours ago") && later.contains(words::K_LONGEST_SILENT.en), "{later}");
    let due = |by: &'static str| browser.get(by);
    let (before, after) = (due("/?due_by=2009-12-31").await.text(), due("/?due_by=2030-12-31").await.text());
    assert!(before.contains(words::K_NONE_LATCHED.en) && after.contains("eaf-2"), "{before}");
}

#[tokio::test]
async fn keys_and_revocations_are_listed_each_to_whom_they_concern() {
    let desk = Desk::open("registry");
    let (never, key) = (GatewayId::new("gw-never").unwrap(), crate::support::voice::key_of(5));
    let mut store = desk.store();
    assert!(store.admit(never, &key, NOW).unwrap());
    let shown = async |who: &str, page: &str| {
        Browser::entered(desk.port, who, PASSWORD).await.get(page).await.text().contains(&key.fingerprint())
    };
    assert!(shown("wang", "/audit/keys").await && !shown("li", "/audit/keys").await);
    assert!(!shown("wang", "/audit/keys?revoked=1").await);
    store.say_where(never, "130421".parse_division()).unwrap();
    assert!(shown("li", "/audit/keys").await && !shown("zhao", "/audit/keys").await);
    assert!(shown("li", "/audit?gateway=gw-never").await && !shown("zhao", "/audit?gateway=gw-never").await);
    assert!(Browser::entered(desk.port, "li", PASSWORD).await.get("/").await.text().contains("gw-never"));
    store.revoke(never, key.id(), NOW).unwrap();
    assert!(shown("wang", "/audit/keys?revoked=1").await);
}

#[tokio::test]
async fn numbers_come_without_asking_again() {
    let desk = Desk::open("live");
    let browser = Browser::entered(desk.port, "zhao", PASSWORD).await;
    let mut store = desk.store();
    browser
        .hear("/live", "\"assets\":2", async {
            let gateway = GatewayId::new("gw-98").unwrap();
            let log = LogId(98);
            let mut batch =
                Batch { sights: sights_of(gateway, log, "kiln-2", "drawing"), ..Batch::default() };
            let place = (7, coldhearth::terms::Digest::of(b"8"));
            batch.heads = vec![head(gateway, log, "130422", place, NOW)];
            batch.turns = store.begin(&BTreeSet::from([(gateway, log)])).unwrap();
            store.commit(&batch).unwrap();
        })
        .await;
}

#[tokio::test]
async fn a_gateway_that_was_never_heard_has_its_key_in_the_registry_of_the_nation() {
    let desk = Desk::open("never-heard");
    let never = GatewayId::new("gw-never").unwrap();
    assert!(desk.store().admit(never, &crate::support::voice::key_of(5), NOW).unwrap());
    let fingerprint = crate::support::voice::key_of(5).fingerprint();
    let shown = async |name: &str| {
        let page = Browser::entered(desk.port, name, PASSWORD).await.get("/audit?gateway=gw-never").await;
        (page.text().contains(&fingerprint), page.text().contains(words::CAUSE_NEVER_HEARD.en))
    };
    assert_eq!(shown("wang").await, (true, true));
    assert_eq!(shown("li").await, (false, false), "nobody knows whose it is");
}

#[tokio::test]
async fn gateways_that_were_never_heard_are_counted_and_named_today_for_the_nation() {
    let desk = Desk::open("unheard");
    let mut store = desk.store();
    for (gateway, seed) in [("gw-never", 5), ("gw-never", 6), ("gw-gone", 7)] {
        let gateway = GatewayId::new(gateway).unwrap();
        assert!(store.admit(gateway, &crate::support::voice::key_of(seed), NOW).unwrap());
    }
    let gone = GatewayId::new("gw-gone").unwrap();
    assert!(store.revoke(gone, crate::support::voice::key_of(7).id(), NOW).unwrap());
    let nation = Browser::entered(desk.port, "wang", PASSWORD).await.get("/").await;
    let told = format!("{}: 1 .", words::K_NEVER_HEARD.en);
    let line = nation.text().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(line.contains(&told) && nation.body.contains("/audit?gateway=gw-never"), "{line}");
    assert!(!nation.body.contains("gw-gone"), "whoever was revoked is not waited for");
    let county = Browser::entered(desk.port, "li", PASSWORD).await.get("/").await;
    assert!(!county.text().contains(words::K_NEVER_HEARD.en), "nobody knows whose it is");
}

#[tokio::test]
async fn a_new_alarm_reaches_whoever_looks_and_a_person_has_not_all_the_streams() {
    let desk = Desk::open("live-alarms");
    let county = Browser::entered(desk.port, "li", PASSWORD).await;
    county
        .hear("/live", "\"open\":1", async {
            let all = &mut *desk.alarms.all.lock().unwrap();
            all.push(("130421".parse_division(), alarm("a-1", "gw-03", "eaf-2")));
        })
        .await;
    let page = county.get("/alarms").await.body;
    assert!(page.contains("data-live=\"open\">1<") && page.contains("role=\"status\""), "{page}");
    for screen in ["/", "/fleet", "/asset/gw-03/eaf-2", "/alarms"] {
        let page = county.get(screen).await;
        assert!(page.body.contains("id=\"fresh\" hidden"), "{screen} says when it is not of now any more");
        assert!(
            page.text().contains(words::K_ASKED_AT.en),
            "{screen} says when it was made, without a script"
        );
    }
}

#[tokio::test]
async fn the_days_numbers_are_of_a_division_and_an_industry_where_somebody_asks() {
    let desk = Desk::open("today-filter");
    let nation = Browser::entered(desk.port, "wang", PASSWORD).await;
    let whole = nation.get("/").await;
    assert!(whole.body.contains("data-live=\"assets\">2<"), "{}", whole.body);
    let county = nation.get("/?in=130421").await;
    assert!(county.body.contains("<span>1</span>"), "of one county, as of now: {}", county.body);
    assert!(county.text().contains("eaf-2") && county.body.contains("/fleet?in=130421&amp;lane=due"));
    let next = nation.get("/?in=130422").await;
    assert!(!next.text().contains("eaf-2") && next.text().contains(words::K_NONE_LATCHED.en));
    let none = nation.get("/?industry=Textile").await;
    assert!(none.body.contains("<span>0</span>") && none.text().contains(words::K_TODAY_ALL.en));
    assert_eq!(Browser::entered(desk.port, "li", PASSWORD).await.get("/?in=130422").await.status, 400);
}

#[tokio::test]
async fn the_trend_is_against_the_numbers_of_that_day_and_unknown_where_they_were_not_kept() {
    let desk = Desk::open_with("trend", |store| {
        people(store);
        crate::desk::theirs(store);
    });
    let browser = Browser::entered(desk.port, "zhao", PASSWORD).await;
    assert!(browser.get("/").await.text().contains(words::K_NO_TREND.en));
    let week_ago = LegalDay::of_unix_ms(NOW - 7 * 86_400_000);
    let at = AskedAt { today: week_ago, silent_before_unix_ms: NOW - 900_000 };
    assert!(desk.store().keep_tally(at).unwrap() && !desk.store().keep_tally(at).unwrap(), "once a day");
    let today = browser.get("/").await.text();
    assert!(!today.contains(words::K_NO_TREND.en) && today.contains(words::K_IN_A_WEEK.en));
}
