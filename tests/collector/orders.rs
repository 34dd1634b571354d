//! Cut-off orders in the store: how they stand, who signed them, and what of them no retention takes away.

use coldhearth::{
    evidence::{Body, Disbelief, LogId, Sealer, Signed, Signer as _, record::Unverified},
    judge::{
        Rung, VoltagePoint,
        cutoff::{Impossible, Stand},
    },
    regulator::{
        certificate,
        orders::{self, Standing},
        prune::prune,
        reports::{self, Scope, completion},
    },
    terms::{LegalDay, place::Division, time::DAY_MS, words},
};
use serde_json::json;

use crate::{
    home_admitting,
    homes::{Home, Homes},
    open, over_both,
    support::{
        cut::{self, Log, Next, authority, maintained, order_id, supplier},
        voice::{NOW, TOPIC, beat, key_of},
    },
};

const LATER: i64 = NOW + 400 * DAY_MS;
/// Records that are about nothing.
const BEATS: usize = 50;

/// Takes records that arrived at a time.
fn take_at(home: &Home, lines: &[Vec<u8>], received_unix_ms: i64) {
    let messages: Vec<_> = lines.iter().map(|line| (TOPIC, line.as_slice())).collect();
    for some in messages.chunks(500) {
        open(home).take(some, received_unix_ms).unwrap();
    }
}

fn standing(home: &Home) -> Standing {
    let mut all = orders::standing(&mut *home.store(), None, &[authority().public_key()]).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn pruned(home: &Home, day: i64) -> u64 {
    prune(&mut *home.store(), &[], LegalDay::of_unix_ms(day), 184, LATER).unwrap()
}

fn kept(home: &Home) -> usize {
    let mut store = home.store();
    let head = store.heads(None).unwrap()[0];
    store.records_from((head.gateway, head.log), 0, 10_000).unwrap().len()
}

fn certified(home: &Home) -> Vec<u8> {
    let about = (order_id(), None);
    let keys = [authority().public_key()];
    certificate::issue(&mut *home.store(), about, &keys, &authority(), LATER).unwrap().json
}

fn what_an_open_order_rests_on_outlives_retention_to_the_byte(homes: Homes) {
    let home = home_admitting(homes, "open-order");
    let mut log = maintained(authority(), VoltagePoint::Load);
    (0..BEATS).for_each(|_| log.beat());
    log.dead_for(DAY_MS / 24);
    take_at(&home, &log.lines, NOW);
    let (before, said, all) = (certified(&home), standing(&home), kept(&home));
    assert_eq!(said.cut.stand().rung, Rung::Maintained);
    assert_eq!(pruned(&home, NOW + DAY_MS), 1);
    assert_eq!(kept(&home), all - BEATS, "what no order rests on is gone");
    assert_eq!(certified(&home), before, "the certificate is to the byte what it was");
    let now = standing(&home);
    assert_eq!((now.cut.stand(), now.impossible), (said.cut.stand(), None));
    // It goes on, and again.
    let told = log.lines.len();
    log.dead_for(2 * DAY_MS);
    log.reading(2);
    take_at(&home, &log.lines[told..], NOW + 2 * DAY_MS);
    let before = certified(&home);
    assert_eq!(pruned(&home, NOW + 3 * DAY_MS), 1);
    assert_eq!((certified(&home), standing(&home).impossible), (before, None));
    // Violated and latched it is open yet; restored and done with, nothing of it need stay.
    let told = log.lines.len();
    log.draws();
    take_at(&home, &log.lines[told..], NOW + 4 * DAY_MS);
    pruned(&home, NOW + 5 * DAY_MS);
    assert_eq!((standing(&home).cut.stand().rung, standing(&home).impossible), (Rung::Violated, None));
    let told = log.lines.len();
    log.act("revoke", &json!({}));
    log.beat();
    take_at(&home, &log.lines[told..], NOW + 6 * DAY_MS);
    assert_eq!(standing(&home).cut.stand().rung, Rung::Cancelled);
    pruned(&home, NOW + 7 * DAY_MS);
    assert!(orders::standing(&mut *home.store(), None, &[]).unwrap().is_empty());
    assert!(kept(&home) <= 4, "{}", kept(&home));
}

fn a_word_of_an_order_that_is_over_stays_with_all_that_it_follows_from(homes: Homes) {
    let home = home_admitting(homes, "half-over");
    let mut log = maintained(authority(), VoltagePoint::Load);
    take_at(&home, &log.lines, NOW);
    let told = log.lines.len();
    log.act("revoke", &json!({}));
    log.beat();
    take_at(&home, &log.lines[told..], NOW + 90 * DAY_MS);
    pruned(&home, NOW + DAY_MS);
    let said = standing(&home);
    assert_eq!((said.cut.stand().rung, said.impossible), (Rung::Cancelled, None));
}

fn status_says_of_an_act_that_nobody_who_may_has_signed_it(homes: Homes) {
    let log = maintained(authority(), VoltagePoint::Load);
    let home = home_admitting(homes, "signatures");
    take_at(&home, &log.lines, NOW);
    let good = standing(&home);
    assert!(good.disbelief.is_none() && !good.is_bad());
    assert_eq!(good.json(NOW)["acts_signed"], true);
    let by = |keys: &[_]| orders::standing(&mut *home.store(), None, keys).unwrap().remove(0);
    let bad = by(&[]);
    assert_eq!((bad.disbelief, bad.is_bad()), (Some(Disbelief::Unsigned(2)), true));
    assert_eq!(bad.json(NOW)["acts_signed"], false);
    let lines = bad.lines(NOW, words::Language::English);
    assert!(lines.iter().any(|line| line.contains("#2") && line.contains("--trust")), "{lines:?}");
    // A gateway that signs its own orders, whatever it is trusted for.
    let home = home_admitting(homes, "own-hand");
    take_at(&home, &maintained(cut::gateway(), VoltagePoint::Load).lines, NOW);
    let keys = [key_of(7), authority().public_key()];
    let own = orders::standing(&mut *home.store(), None, &keys).unwrap().remove(0);
    assert_eq!(own.disbelief, Some(Disbelief::OwnHand(2)));
    // A supplier whose key the order names signs its readings, and another's signature is none.
    let mut log = Log::begin(authority());
    log.commission(VoltagePoint::Load);
    let mut names = cut::order("国发〔2010〕7号 四(三)");
    names["supplier_key"] = supplier().public_key().to_base64().into();
    log.act("order", &names);
    log.act("claim", &cut::claim());
    log.dead_for(2 * DAY_MS);
    log.supplier = Some(supplier());
    log.reading(1);
    let home = home_admitting(homes, "suppliers");
    take_at(&home, &log.lines, NOW);
    assert_eq!(standing(&home).disbelief, None);
    let both = [authority().public_key(), supplier().public_key()];
    let one = orders::standing(&mut *home.store(), None, &both).unwrap().remove(0);
    let given = Unverified::read(&log.lines[2]).unwrap().header().seq;
    assert_eq!(one.disbelief, Some(Disbelief::OneParty(given)));
}

fn an_order_stands_where_the_log_that_goes_on_says_and_only_if_the_one_before_bears_it_out(homes: Homes) {
    let first = maintained(authority(), VoltagePoint::Load);
    let stand = *first.orders.iter().next().unwrap().told();
    let (before, at) = (&first.lines[..], first.now);
    let goes_on = |log, stand, after: &[Body]| {
        Next { before, log, at, besides: &[], stand: Some(stand), after }.lines()
    };
    let home = home_admitting(homes, "goes-on");
    take_at(&home, before, NOW);
    assert_eq!(standing(&home).kept.log, first.chain.log());
    take_at(&home, &goes_on(LogId(2), stand, &[beat()]), NOW + 1);
    let said = standing(&home);
    assert_eq!((said.kept.log, said.impossible, said.cut.stand()), (LogId(2), None, &stand));
    assert_eq!(said.newer, None);
    // One that knows nothing of it leaves it where it stood, and that is told.
    let mut third = Log::begin_as(authority(), LogId(9));
    third.beat();
    take_at(&home, &third.lines, NOW + 2);
    let said = standing(&home);
    assert_eq!((said.kept.log, said.newer), (LogId(2), Some(LogId(9))));
    // One that takes it over otherwise than it stood.
    let home = home_admitting(homes, "goes-on-otherwise");
    take_at(&home, before, NOW);
    let higher = Stand { is_sealed: !stand.is_sealed, ..stand };
    take_at(&home, &goes_on(LogId(3), higher, &[]), NOW + 1);
    let said = standing(&home);
    assert_eq!(
        (said.kept.log, said.impossible, said.is_bad()),
        (LogId(3), Some((0, Impossible::Continued)), true)
    );
}

/// V(1): certified where the log bears the end of its order out and the authority signed it, and nowhere else.
fn a_unit_whose_demolition_was_accepted_is_certified_by_whoever_believes_its_order(homes: Homes) {
    let home = home_admitting(homes, "completed");
    let mut log = maintained(authority(), VoltagePoint::Load);
    log.act("close", &json!({ "document_sha256": cut::paper() }));
    assert_eq!(log.rung(), Rung::Closed);
    take_at(&home, &log.lines, NOW);
    let day = |days: i64| LegalDay::of_unix_ms(cut::MONDAY_MS + days * DAY_MS);
    let scope = Scope { within: Division::NATION, from: day(0), to: day(40), made_unix_ms: LATER };
    let standing = |scope: &Scope, trusted| {
        reports::standing(&mut *home.store(), scope, std::slice::from_ref(&trusted)).unwrap()
    };
    let trusted = standing(&scope, authority().public_key());
    let completed = completion::completed(&trusted, &scope);
    assert_eq!((completed.len(), completed[0].refusal()), (1, None));
    let mut sealer = Sealer::default();
    assert!(completed[0].seal(LATER, &mut sealer, &authority()).unwrap().is_some());
    let signed = Signed::read(sealer.bytes()).unwrap();
    signed.check(&authority().public_key()).unwrap();
    let told: serde_json::Value = serde_json::from_slice(sealer.bytes()).unwrap();
    let closed = completed[0].equipment.closed.unwrap();
    assert_eq!(told["closed_record"], closed.source.hash.to_string());
    assert_eq!((&told["order_id"], &told["asset"]), (&json!("order-1"), &json!("eaf-2")));
    // Whoever trusts another authority certifies nothing, and of another time nothing.
    let distrusted = standing(&scope, supplier().public_key());
    let refused = completion::completed(&distrusted, &scope);
    assert_eq!(refused[0].refusal(), Some(words::NOT_BORNE_OUT));
    assert!(refused[0].seal(LATER, &mut sealer, &authority()).unwrap().is_none());
    let before = Scope { from: day(-9), to: day(0), ..scope };
    assert!(completion::completed(&standing(&before, authority().public_key()), &before).is_empty());
}

over_both!(
    a_unit_whose_demolition_was_accepted_is_certified_by_whoever_believes_its_order,
    an_order_stands_where_the_log_that_goes_on_says_and_only_if_the_one_before_bears_it_out,
    what_an_open_order_rests_on_outlives_retention_to_the_byte,
    a_word_of_an_order_that_is_over_stays_with_all_that_it_follows_from,
    status_says_of_an_act_that_nobody_who_may_has_signed_it,
);
