//! A meter in two places, and the paper by which it had left the first.

use super::*;

#[test]
fn a_meter_at_two_places_is_one_unless_makers_differ_or_it_had_left_with_papers() {
    let here = in_place(1, at("gw-1", "m1", 10, meter("JANITZA")));
    let there = |maker| in_place(2, at("gw-2", "m9", 20, meter(maker)));
    assert_eq!(kinds(&[here.clone(), there("JANITZA")]), [ClashKind::MeterTwice]);
    assert_eq!(kinds(&[here.clone(), there("")]), [ClashKind::MeterTwice]);
    assert_eq!(kinds(&[here.clone(), there("ACREL")]), []);
    let moved = in_place(1, at("gw-4", "m9", 20, meter("JANITZA")));
    assert_eq!(kinds(&[here.clone(), moved]), [], "moved within its place, or read by two gateways");
    let left = |gateway, number, seq| {
        let says = Says::MeterLeft { key: "model UMG604 47001234".into(), maker: "JANITZA".into() };
        in_place(number, at(gateway, "m1", seq, says))
    };
    let excuses = |new: &[Located], known: &[Located]| {
        let found = clashes(new, known);
        assert_eq!(found.iter().map(|clash| clash.kind).collect::<Vec<_>>(), [ClashKind::MeterTwice]);
        found[0].excuse.as_ref().map(|by| by.seq)
    };
    let gone = excuses(&[there("JANITZA")], &[here.clone(), left("gw-1", 1, 15)]);
    assert_eq!(gone, Some(15), "it left before it came up again");
    let late = excuses(&[there("JANITZA")], &[here.clone(), left("gw-1", 1, 25)]);
    assert_eq!(late, None, "it spoke in both places at once");
    let elsewhere = excuses(&[there("JANITZA")], &[here.clone(), left("gw-3", 3, 15)]);
    assert_eq!(elsewhere, None, "it left another place");
    let arrives_last = excuses(&[left("gw-1", 1, 15)], &[here.clone(), there("JANITZA")]);
    assert_eq!(arrives_last, Some(15), "a paper that arrives late excuses what was found before");
    let again = Located {
        mention: Mention { end: End::Last, ..at("gw-1", "m1", 18, meter("JANITZA")) },
        ..here.clone()
    };
    let back = excuses(&[again], &[here, there("JANITZA"), left("gw-1", 1, 15)]);
    assert_eq!(back, None, "it came back without one");
}
