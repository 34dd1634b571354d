//! The page of a certificate: what stands on it, in both languages, and how many sheets it takes.

use std::{path::Path, process::Command};

use coldhearth::{evidence::Certificate, judge::VoltagePoint};
use serde_json::{Map, Value, json};

use super::checked::short;
use crate::support::{
    Folder,
    cut::{DAY_MS, Log, METER, authority, claim, maintained, order},
    handed::{keys, sealed, witnessed},
};

#[test]
fn the_page_is_bilingual_says_what_keeps_people_alive_and_runs_and_fetches_nothing() {
    let mut log = Log::begin(authority());
    log.commission(VoltagePoint::Load);
    log.act("order", &order("<script>alert(1)</script> & \"国发〔2010〕7号\""));
    // The meter was wired otherwise since.
    log.commission(VoltagePoint::Bus);
    log.act("claim", &claim());
    log.dead_for(8 * DAY_MS);
    log.reading(7);
    let bytes = sealed(&witnessed(&log.lines).facts(&keys()).unwrap());
    let page = Certificate::open(&bytes, &keys()).unwrap().page();
    for sentence in [
        "No voltage observed remotely. Not a test for dead. Test, earth and lock before touching.",
        "远程未观测到电压。这不是验电。触碰前必须验电、接地、上锁。",
        "Never switch off cooling, purge, drainage or detection to clear this state.",
        "Never open a CT secondary; short it at the test block, authorised person only.",
        "This record is not permission to energise.",
        // Where the voltage is taken at the bus, what cannot be seen.
        "neither voltage nor back-feed behind the breaker is seen",
        "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;国发〔2010〕7号&quot;",
        "coldhearth verify records.jsonl",
        "1000 Wh，±5000 ppm",
        "the authority itself entered the supplier&#39;s reading: no second party signed",
    ] {
        assert!(page.contains(sentence), "{sentence}\n{page}");
    }
    for foreign in ["<script", "http", "src=", "href", "url(", "@import", "javascript:", "onload"] {
        let inside = page.replace("http-equiv", "");
        assert!(!inside.contains(foreign), "{foreign}");
    }
}

/// The page without its marks of language.
fn plain(facts: &Map<String, Value>) -> String {
    let page = Certificate::open(&sealed(facts), &keys()).unwrap().page();
    page.replace("<span class=\"en\">", "").replace("</span>", "")
}

/// The row of the page that begins with this heading.
fn row<'p>(page: &'p str, heading: &str) -> &'p str {
    let from = page.find(heading).unwrap_or_else(|| panic!("{heading}: {page}"));
    page[from..].split("</tr>").next().unwrap()
}

#[test]
fn a_figure_that_the_signed_object_does_not_have_is_a_dash_and_never_nothing() {
    let mut facts = witnessed(&short().lines).facts(&keys()).unwrap();
    for name in ["hold", "asked", "earlier_ms", "steps_left_out", "readings_left_out", "darks_left_out"] {
        facts.remove(name).unwrap();
    }
    let page = plain(&facts);
    for (heading, told) in [
        ("<th>无电持续", "– – –：– h"),
        ("<th>无电持续", "– h，– %，– ×"),
        ("<th>未见时段", "– × ，– min"),
        ("<th>未见时段", "，– h，"),
        ("第一见证", "– Wh（"),
        ("<th>经过", "earlier ones besides: –"),
        ("第二见证", "earlier ones besides: –"),
    ] {
        assert!(row(&page, heading).contains(told), "{told}: {}", row(&page, heading));
    }
    for heading in ["<th>无电持续", "<th>未见时段"] {
        let row = row(&page, heading).replace("0 h", "0h");
        assert!(!row.contains(" 0.0 ") && !row.contains("：0") && !row.contains(" 0 "), "{row}");
    }
}

#[test]
fn the_page_has_every_point_with_its_warnings_and_every_hash_whole() {
    let mut facts = witnessed(&short().lines).facts(&keys()).unwrap();
    let paper = facts["legal_basis_sha256"].as_str().unwrap().to_owned();
    assert!(plain(&facts).contains(&format!("<code>{paper}</code>")), "whole");
    let hashes = ["order_sha256", "as_of_sha256"].map(|name| facts[name].as_str().unwrap().to_owned());
    let steps =
        facts["steps"].as_array().unwrap().iter().map(|step| step["sha256"].as_str().unwrap().to_owned());
    let hashes: Vec<String> = hashes.into_iter().chain(steps).collect();
    let page = plain(&facts);
    assert!(hashes.iter().all(|hash| hash.len() == 64 && page.contains(hash.as_str())), "{page}");
    let one = facts["points"][0].clone();
    let points: Vec<Value> = (1..=6)
        .map(|number| {
            let mut point = one.clone();
            point["meter"] = format!("feeder-{number}").into();
            let warned = if number == 5 { "bus" } else { "load" };
            (point["voltage_point"], point["powered_by"]) =
                (warned.into(), format!("feeder-{}", 6 * (number / 6)).into());
            point
        })
        .collect();
    facts.insert("points".into(), points.into());
    let page = plain(&facts);
    for told in [
        "no cut is verified by it feeder-5<br>",
        "a cut silences it feeder-6<br>",
        "feeder-1，feeder-2，feeder-3，feeder-4，feeder-6<br>",
    ] {
        assert!(page.contains(told), "{told}\n{page}");
    }
}

#[test]
fn the_page_says_who_named_the_suppliers_meter_and_what_the_meter_upstream_cannot_see() {
    let mut facts = witnessed(&short().lines).facts(&keys()).unwrap();
    assert_eq!(facts["points"][0]["utility_meter_ordered"], true);
    let page = plain(&facts);
    assert!(page.contains(&format!("as the order names it: {METER} – 31-0042<br>")), "{page}");
    assert!(!page.contains("could have passed unseen by the meter upstream"));
    let read = witnessed(&maintained(authority(), VoltagePoint::Load).lines).facts(&keys()).unwrap();
    assert_eq!(read["points"][0]["utility_meter_ordered"], false);
    let by_reading = format!("as its first reading names it and the order does not: {METER} – 31-0042<br>");
    assert!(plain(&read).contains(&by_reading), "{}", plain(&read));
    (facts["hold"]["carrier"], facts["hold"]["blind_wh"]) = ("upstream".into(), 4_711.into());
    facts["points"][0]["upstream"] = "incomer-1".into();
    let page = plain(&facts);
    for told in ["unseen by the meter upstream, at most: 4711 Wh", "meter upstream: incomer-1"] {
        assert!(page.contains(told), "{told}\n{page}");
    }
}

/// A page of so many points, with texts of so many characters.
fn long(points: usize, characters: usize) -> Map<String, Value> {
    let log = maintained(authority(), VoltagePoint::Load);
    let mut facts = witnessed(&log.lines).facts(&keys()).unwrap();
    let text = "第三炼钢车间三十五千伏进线开关柜".chars().cycle().take(characters).collect::<String>();
    for name in ["tracking_id", "legal_basis", "single_line", "seal_no"] {
        facts.insert(name.into(), text.as_str().into());
    }
    for name in ["performed_by", "ticket_no", "tester", "locks"] {
        facts["claim"][name] = text.as_str().into();
    }
    for (name, text) in [("feeder", text.as_str()), ("breaker", &text), ("voltage_point", "bus")] {
        facts["points"][0][name] = text.into();
    }
    let one = facts["points"][0].clone();
    facts.insert("points".into(), vec![one; points].into());
    facts
}

/// The longest page there can be: every list full, every text as long as it may be.
fn crowded() -> Vec<u8> {
    let mut facts = long(1, 400);
    let point = &mut facts["points"][0];
    (point["powered_by"], point["upstream"]) = (METER.into(), METER.into());
    point["powers_gateway"] = true.into();
    facts["second_feeds"] = "unknown".into();
    facts["claimed_too_early"] = true.into();
    facts.insert("required".into(), json!({ "on_site_test": true, "photos": false, "seal": false }));
    facts["asked_less_than_usual"] = true.into();
    facts.insert("continues_log".into(), "3f1c9a70e2b84d15".into());
    facts.insert("continues_seq".into(), 9_999_999.into());
    facts.insert("readings_signed_by".into(), "supplier".into());
    facts.insert("supplier_kid".into(), "3f1c9a70e2b84d15".into());
    facts["gaps"][0]["dark"] = "last_gasp".into();
    let from = facts["gaps"][0]["from_unix_ms"].clone();
    let dark = json!({ "meter": METER, "from_unix_ms": from, "to_unix_ms": from, "ended": "last_gasp", "energy_wh": 0 });
    facts.insert("darks".into(), vec![dark; 8].into());
    for (name, most) in [("steps", 24), ("readings", 12), ("gaps", 8), ("points", 8)] {
        let one = facts[name][0].clone();
        facts.insert(name.into(), vec![one; most].into());
    }
    sealed(&facts)
}

/// Prints a page in headless Chromium and tells how many sheets it takes; a picture of it is left beside.
fn sheets(folder: &Path, bytes: &[u8]) -> usize {
    let page = Certificate::open(bytes, &keys()).unwrap().page();
    let file = folder.join("page.html");
    std::fs::write(&file, page).unwrap();
    let run = |what: &str| {
        let out = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-pdf-header-footer",
                "--window-size=794,1123",
            ])
            .args([what, &format!("file://{}", file.display())])
            .output()
            .unwrap_or_else(|e| panic!("chromium: {e}; install the package chromium"));
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    };
    let pdf = folder.join("page.pdf");
    run(&format!("--print-to-pdf={}", pdf.display()));
    run(&format!("--screenshot={}", folder.join("page.png").display()));
    let bytes = std::fs::read(pdf).unwrap();
    let pages = bytes.windows(12).filter(|at| at.starts_with(b"/Type /Page") && at[11] != b's').count();
    assert!(pages > 0, "no page in what was printed");
    pages
}

#[test]
#[ignore = "wants Chromium; tests/all runs it"]
fn it_prints_on_one_sheet_of_a4_and_on_two_when_every_list_is_full() {
    let folder = Folder::new("sheets");
    let log = maintained(authority(), VoltagePoint::Load);
    let usual = sealed(&witnessed(&log.lines).facts(&keys()).unwrap());
    assert_eq!(sheets(&folder.0, &usual), 1);
    if let Some(kept) = std::env::var_os("COLDHEARTH_SHEETS") {
        for name in ["page.html", "page.pdf", "page.png"] {
            std::fs::copy(folder.0.join(name), Path::new(&kept).join(name)).unwrap();
        }
    }
    assert_eq!(sheets(&folder.0, &sealed(&long(6, 20))), 1, "six points with long names");
    assert_eq!(sheets(&folder.0, &crowded()), 2, "the most that can stand on it");
}
