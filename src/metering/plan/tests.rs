use proptest::prelude::*;

use super::*;
use crate::metering::profile::tests::SMALL;

fn blocks(plan: &Plan) -> Vec<(u8, u16, u16)> {
    plan.blocks.iter().map(|b| (b.function.code(), b.at, b.count)).collect()
}

/// A map of these rows: word of the quantity, address; all u16.
fn map(max_regs: u16, rows: &[(&str, u16)]) -> Profile {
    let rows: String =
        rows.iter().map(|(word, at)| format!("{word} = {{ at = {at}, type = \"u16\" }}\n")).collect();
    let text = format!(
        "id = \"map\"\nvendor = \"V\"\ntested = \"untested\"\ntested_how = \"by nobody\"\nmodels = [\"M\"]\nvalues = \"primary\"\n\
         [link]\nmax_regs = {max_regs}\n[measure]\n{rows}"
    );
    Profile::parse("map.toml", &text).unwrap_or_else(|flaws| panic!("{flaws:#?}"))
}

#[test]
fn near_rows_share_a_request_limits_hold_and_energy_goes_first() {
    let profile = Profile::parse("small.toml", SMALL).unwrap();
    assert_eq!(blocks(&Plan::of(&profile).unwrap()), [(3, 20, 2), (3, 0, 12), (3, 100, 1), (4, 22, 2)]);
}

#[test]
fn voltages_currents_and_power_come_in_one_request_where_the_map_allows() {
    // Greedy from the left would part the currents from the power: 0..=7 and then 8.
    let rows = [("frequency", 0), ("voltage_l1", 4), ("current_l1", 6), ("power", 8), ("pf", 9)];
    let plan = Planner::rows(&map(8, &rows)).unwrap().whole().unwrap();
    assert_eq!(blocks(&plan), [(3, 0, 1), (3, 4, 6)]);
    let far = [("voltage_l1", 0), ("current_l1", 1), ("power_l1", 2), ("power", 60), ("import", 70)];
    let plan = Planner::rows(&map(125, &far)).unwrap().whole().unwrap();
    assert_eq!(
        blocks(&plan),
        [(3, 60, 11), (3, 0, 3)],
        "with the powers it can reach; the register goes first"
    );
}

#[test]
fn a_bus_that_cannot_keep_up_reads_only_what_a_verdict_needs() {
    let rows = [("power", 0), ("pf_l1", 20), ("import", 40), ("import_l1", 60)];
    let planner = Planner::rows(&map(125, &rows)).unwrap();
    assert_eq!(blocks(&planner.plan(Breadth::Needed).unwrap()), [(3, 40, 1), (3, 0, 1)]);
    assert_eq!(planner.whole().unwrap().blocks.len(), 4);
}

/// Asks block by block until the meter refuses none of the plan; returns the refusals it took.
fn learn(planner: &mut Planner, refuses: &dyn Fn(Block) -> bool) -> usize {
    for refusals in 0..200 {
        let plan = planner.whole().unwrap();
        match plan.blocks.iter().find(|block| refuses(**block)) {
            Some(block) => assert!(planner.on_refusal(*block), "something is readable"),
            None => return refusals,
        }
    }
    panic!("it does not converge");
}

fn covers(block: Block, at: u16) -> bool {
    (u32::from(block.at)..block.end()).contains(&u32::from(at))
}

#[test]
fn a_register_the_meter_refuses_costs_that_row_and_nothing_else() {
    let words = ["voltage_l1", "voltage_l2", "voltage_l3", "current_l1", "current_l2", "current_l3", "power"];
    let rows: Vec<_> = words.iter().copied().zip(0..).collect();
    let profile = map(125, &rows);
    let mut planner = Planner::rows(&profile).unwrap();
    let refusals = learn(&mut planner, &|block| covers(block, 4));
    assert!(refusals <= 4, "{refusals}");
    assert_eq!(blocks(&planner.whole().unwrap()), [(3, 0, 4), (3, 5, 2)]);
    let refused = profile.rows.iter().filter(|row| planner.refuses(&row.cell));
    assert_eq!(refused.map(|row| row.quantity).collect::<Vec<_>>(), [Quantity::CurrentL2]);
    planner.forget();
    assert_eq!(planner.whole().unwrap().blocks.len(), 1, "after that everything is tried again");
}

#[test]
fn a_hole_the_meter_refuses_costs_no_row() {
    let rows = [("voltage_l1", 0), ("current_l1", 1), ("power", 8), ("frequency", 9)];
    let mut planner = Planner::rows(&map(125, &rows)).unwrap();
    assert_eq!(learn(&mut planner, &|block| covers(block, 5)), 1);
    assert_eq!(blocks(&planner.whole().unwrap()), [(3, 0, 2), (3, 8, 2)]);
}

#[test]
fn a_meter_that_refuses_everything_is_asked_for_everything_again() {
    let mut planner = Planner::rows(&map(125, &[("power", 0), ("import", 1)])).unwrap();
    let block = |planner: &Planner| planner.whole().unwrap().blocks[0];
    let first = block(&planner);
    assert!(planner.on_refusal(first));
    let second = block(&planner);
    assert!(planner.on_refusal(second));
    let third = block(&planner);
    assert!(!planner.on_refusal(third), "nothing is left");
    assert_eq!(block(&planner), first);
}

proptest! {
    #[test]
    fn every_row_lies_in_one_block_and_no_grouping_needs_fewer_requests(
        places in proptest::collection::btree_set(0_u16..120, 1..12),
        most in 4_u16..60,
    ) {
        let rows: Vec<_> = Quantity::ALL.iter().rev().map(|q| q.word()).zip(places.iter().copied()).collect();
        let profile = map(most, &rows);
        let planner = Planner::rows(&profile).unwrap();
        let plan = planner.whole().unwrap();
        for row in &profile.rows {
            prop_assert_eq!(plan.blocks.iter().filter(|b| covers(**b, row.cell.at)).count(), 1);
        }
        prop_assert!(plan.blocks.iter().all(|b| b.count <= most));
        // Without a moment to keep together, filling from the left is optimal for cells of one length.
        let mut greedy: Vec<(u16, u16)> = Vec::new();
        for at in &places {
            match greedy.last_mut() {
                Some((from, to)) if at - *from < most && at - *to <= profile.max_gap + 1 => *to = *at,
                _ => greedy.push((*at, *at)),
            }
        }
        let apart = planner.together.iter().all(|cells| cells.0 == 0);
        prop_assert!(!apart || plan.blocks.len() == greedy.len(), "{:?} {:?}", plan, greedy);
    }

    #[test]
    fn whatever_registers_a_meter_refuses_the_others_are_read(
        places in proptest::collection::btree_set(0_u16..80, 2..14),
        holes in proptest::collection::btree_set(0_u16..80, 0..8),
        most in 4_u16..60,
    ) {
        let rows: Vec<_> = Quantity::ALL.iter().map(|q| q.word()).zip(places.iter().copied()).collect();
        let profile = map(most, &rows);
        let mut planner = Planner::rows(&profile).unwrap();
        prop_assume!(places.iter().any(|at| !holes.contains(at)));
        let refuses = |block: Block| holes.iter().any(|at| covers(block, *at));
        learn(&mut planner, &refuses);
        let plan = planner.whole().unwrap();
        for row in &profile.rows {
            let is_read = plan.blocks.iter().any(|b| covers(*b, row.cell.at));
            prop_assert_eq!(is_read, !holes.contains(&row.cell.at), "{:?} {:?}", row, plan);
        }
    }
}

#[test]
fn rows_and_ratios_that_count_from_two_places_are_never_one_plan() {
    let chained = include_str!("../../../config/meters/sunspec-203.toml");
    let mut profile = Profile::parse("sunspec-203.toml", chained).unwrap();
    assert!(Planner::everything(&profile).is_some());
    profile.ct = Profile::parse("small.toml", SMALL).unwrap().ct;
    assert!(profile.ct.is_some() && Planner::everything(&profile).is_none());
}

#[test]
fn a_limit_below_the_widest_row_or_text_leaves_no_plan() {
    let text = include_str!("../../../config/meters/schneider-pm5000.toml");
    let profile = Profile::parse("schneider-pm5000.toml", text).unwrap();
    let possible = |max_regs| Plan::is_possible(&Profile { max_regs, ..profile.clone() });
    assert!(possible(125) && possible(60));
    assert!(!possible(10), "its model's name fills 20 registers");
    assert!(!possible(2), "its energy fills 4");
}
