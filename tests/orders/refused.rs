//! Orders that a gateway refuses, each by a signed answer.

use super::*;

#[tokio::test]
async fn whatever_is_wrong_with_an_order_is_refused_by_a_signed_answer_and_changes_nothing() {
    let works = Works::begin("refusals", FANS).await;
    let site = &works.site;
    let without = |name: &'static str| move |draft: &mut Map<String, Value>| drop(draft.remove(name));
    let with = |name: &'static str, value: Value| {
        move |draft: &mut Map<String, Value>| drop(draft.insert(name.into(), value.clone()))
    };
    let point = |meter: &str| json!([{ "meter": meter, "carrier": "own" }]);
    assert_eq!(
        site.refused(&site.signed("o-1", without("legal_basis_sha256")).await).await,
        "no_legal_basis"
    );
    assert_eq!(site.refused(&site.signed("o-2", without("safe_state")).await).await, "no_safe_state");
    let mut hot = order()["safe_state"].clone();
    hot["cooled"] = "not_done".into();
    assert_eq!(site.refused(&site.signed("o-3", with("safe_state", hot)).await).await, "no_safe_state");
    assert_eq!(
        site.refused(&site.signed("o-4", with("points", point("fans"))).await).await,
        "never_to_be_cut"
    );
    assert_eq!(site.refused(&site.signed("o-5", with("points", point("m-9"))).await).await, "unknown_asset");
    assert_eq!(site.refused(&site.signed("o-6", with("asset", "eaf-9".into())).await).await, "unknown_asset");
    assert_eq!(
        site.refused(&site.signed("o-7", with("expires_unix_ms", 1_000.into())).await).await,
        "expired"
    );
    let good = site.signed("o-8", with("version", 2.into())).await;
    let mut forged: Value = serde_json::from_str(&good).unwrap();
    let tail = forged["sig"].as_str().unwrap()[1..].to_owned();
    let head = if forged["sig"].as_str().unwrap().starts_with('A') { 'B' } else { 'A' };
    forged["sig"] = format!("{head}{tail}").into();
    assert_eq!(site.refused(&forged.to_string()).await, "bad_signature");
    let stranger = acts::sign(
        &serde_json::to_vec(&draft_of(&good)).unwrap(),
        &Ed25519::from_seed(&[6; 32]),
        site.clock.now().wall_unix_ms,
    );
    assert_eq!(site.refused(&String::from_utf8(stranger.unwrap()).unwrap()).await, "wrong_key");
    assert_eq!(site.refused(&good).await, "", "and what is right is taken");
    assert_eq!(site.refused(&good).await, "replayed");
    assert_eq!(site.refused(&site.signed("o-8", with("version", 1.into())).await).await, "older_version");
    let (exit, said) = site.run(&["order", "status", "--json"], "").await;
    assert_eq!(exit, 0, "{said}");
    let Value::Array(all) = serde_json::from_str(&said).unwrap() else { panic!("{said}") };
    let ids: Vec<&str> = all.iter().map(|order| order["order_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["order-1", "o-8"], "what was refused is no order");
    drop(works.stop().await);
}
