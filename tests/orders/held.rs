//! An order that is carried out and held, and how soon it is answered.

use super::*;

#[tokio::test]
async fn an_order_is_given_cut_held_agreed_with_and_verified_and_a_melt_at_night_ends_it_latched() {
    let mut works = Works::begin("orders", "").await;
    let refused = works.site.act("seal", json!({ "seal_no": "F-1" })).await;
    assert!(refused.0 == 1 && refused.1.contains("out_of_turn"), "{refused:?}");
    works.site.taken("acknowledge", json!({})).await;
    let claim = json!({ "cut_unix_ms": 0, "performed_by": "w, z", "ticket_no": "7", "tester": "t", "locks": "l", "live_dead_live": true, "earthed": false });
    works.site.taken("claim", claim).await;
    let not_yet = works.site.act("reading", works.site.future()).await;
    assert!(not_yet.0 == 1 && not_yet.1.contains("not_yet"), "{not_yet:?}");
    works.site.change(Change::Cut(works.site.furnace));
    let seen = works.records.until(Rung::Observing).await;
    assert!(!seen.evidence.is_empty(), "it names the record that shows it");
    works.records.until(Rung::Provisional).await;
    // A restart of the agent in mid-hold costs nothing but a short gap.
    let mut works = works.restart().await;
    // The authority's word for the supplier's is none.
    let now = works.site.clock.now().wall_unix_ms;
    let row = utility_row(now - 60 * MINUTE_MS, now, "0.000,measured,3.31.0.23");
    let own = works.site.reading_by(&row, &[]).await;
    assert!(own.0 == 1 && own.1.contains("wrong_key"), "{own:?}");
    let verified = works.agreed().await;
    assert_eq!(verified.stand.unwrap().restarts, 0, "no hold was broken: {verified:?}");
    assert_eq!(works.records.replayed(), Rung::Verified);
    let bad = works.site.reading(&utility_row(0, MINUTE_MS, "0 MWh,measured,open")).await;
    assert!(bad.0 == 65 && bad.1.contains("utility.csv:2:") && bad.1.contains("nothing was sent"), "{bad:?}");
    let life = SystemClock::default().now().wall_unix_ms;
    let later = works.site.reading(&utility_row(life, life + DAY_MS, "0,measured,open")).await;
    assert!(later.0 == 65 && later.1.contains("utility.csv:2:35: it ends later than now"), "{later:?}");
    let (exit, said) = works.certified().await;
    assert!(exit == 0 && said.contains("says what the log says"), "{exit} {said}");
    // Two in the night.
    works.site.change(Change::Restore(works.site.furnace));
    works.site.change(Change::StartMelt(works.site.furnace));
    let violated = works.records.until(Rung::Violated).await;
    assert!(["drawing", "exporting"].contains(&violated.why.as_str()), "{violated:?}");
    soon("the authority to know", async { while works.site.run(&["order", "status"], "").await.0 != 1 {} })
        .await;
    let none = works.site.run(&["order", "certificate", "order-1"], "").await;
    assert!(none.0 == 1 && none.1.contains("violated"), "{none:?}");
    works.site.change(Change::StopLoad(works.site.furnace));
    works.site.change(Change::Cut(works.site.furnace));
    let broker = format!("127.0.0.1:{}", works.site.port);
    let about = ["--asset", "eaf-1", "--gateway", "gw-test", "--issuer", "hebei-miit", "--broker", &broker];
    let reset =
        works.site.run(&[&["order", "reset", "--reason", "inspected"][..], &about].concat(), "").await;
    assert_eq!(reset.0, 0, "{}", reset.1);
    assert_eq!(works.records.until(Rung::CutClaimed).await.why.as_str(), "reset");
    works.records.until(Rung::Observing).await;
    let key = works.key;
    let (site, records) = works.stop().await;
    assert!(support::audit(&key, &records.lines).authentic);
    // The certificate was of its day, and what came since is told, with the bundle's receipts and without.
    for (exit, said) in site.bundled().await {
        assert!(exit == 1 && said.contains("authentic: yes"), "{exit} {said}");
        assert!(said.contains("it held then; since #"), "{exit} {said}");
    }
}

#[tokio::test]
#[ignore = "a figure: cargo test --release --test orders how_soon -- --ignored --nocapture"]
async fn how_soon_an_order_is_answered() {
    let mut works = Works::begin("answers", "").await;
    let mut took = Vec::new();
    for order in 0..30 {
        let signed = works.site.signed(&format!("o-{order}"), |_| ()).await;
        let act = Digest::of(signed.trim_ascii_end().as_bytes());
        let (refused, ms) = tokio::join!(works.site.refused(&signed), works.records.answered(act));
        assert_eq!(refused, "");
        took.push(ms);
    }
    took.sort_unstable();
    println!(
        "from publication to the signed answer, 30 orders: median {} ms, longest {} ms",
        took[15], took[29]
    );
    drop(works.stop().await);
}
