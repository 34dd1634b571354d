use proptest::prelude::*;

use super::*;

const ENTRY: &str = "steel-electric-furnace-up-to-30t";
const USCC: &str = "91350100M000100Y43";

fn page_text(
    division: &str,
    version: u32,
    target: i64,
    total: Option<i64>,
    equipment: &[(&str, i64)],
) -> String {
    let mut text = format!(
        "division = \"{division}\"\nversion = {version}\norder = \"1\"\n[[target]]\nentry = \"{ENTRY}\"\namount = {target}\n"
    );
    if let Some(total) = total {
        text += &format!("[[total]]\nentry = \"{ENTRY}\"\namount = {total}\n");
    }
    for (asset, capacity) in equipment {
        text += &format!(
            "[[equipment]]\nuscc = \"{USCC}\"\nasset = \"{asset}\"\nentry = \"{ENTRY}\"\ndeadline = 2011-12-31\n\
             amount = {capacity}\nunit = \"t_per_a\"\n"
        );
    }
    text
}

fn parsed(file: &str, text: &str) -> Page {
    Page::parse(file, text).unwrap_or_else(|flaws| panic!("{flaws:?}"))
}

fn checked(files: &[(&str, String)]) -> Report {
    let pages = files.iter().map(|(file, text)| parsed(file, text)).collect();
    check(pages, &Rules::shipped().unwrap())
}

fn lines(report: &Report) -> Vec<String> {
    report.wrong.iter().map(ToString::to_string).collect()
}

/// Nation, one province, one city, two counties with two furnaces and one.
fn whole() -> Vec<(&'static str, String)> {
    vec![
        ("nation", page_text("000000", 1, 3, Some(3), &[])),
        ("hebei", page_text("130000", 1, 3, Some(3), &[])),
        ("handan", page_text("130400", 1, 3, None, &[])),
        ("county-1", page_text("130421", 1, 2, Some(2), &[("eaf-1", 50), ("eaf-2", 60)])),
        ("county-2", page_text("130423", 1, 1, Some(1), &[("eaf-3", 70)])),
    ]
}

#[test]
fn what_adds_up_from_county_to_nation_is_good_in_whatever_order_it_comes() {
    let mut files = whole();
    for _ in 0..files.len() {
        files.rotate_left(1);
        let report = checked(&files);
        assert_eq!((lines(&report), report.doubts.len()), (Vec::new(), 0));
        assert_eq!(report.sums.len(), 5);
        assert!(report.sums.iter().all(|sum| sum.listed == sum.target && sum.unallocated == 0));
        assert_eq!(report.sums[0].division.to_string(), "000000");
    }
}

#[test]
fn whatever_is_short_left_over_or_misreported_is_told_with_its_place() {
    let mut files = whole();
    files[4].1 = page_text("130423", 1, 1, Some(1), &[]);
    let told = lines(&checked(&files));
    assert_eq!(told.len(), 8, "{told:#?}");
    let expected = format!(
        "county-2:5:1: {ENTRY}: 0 pieces are listed in and below 130423, 1 is the target: 1 more must be listed"
    );
    assert!(told.contains(&expected), "{told:#?}");
    assert!(told.contains(&format!(
        "county-2:8:1: {ENTRY}: 1 pieces are reported, what is listed in and below 130423 comes to 0"
    )));
    let mut files = whole();
    files[0].1 = page_text("000000", 1, 5, Some(3), &[]);
    let report = checked(&files);
    let told = lines(&report);
    assert!(told.iter().any(|line| line.contains("2 pieces of 5 are allocated to nobody")), "{told:#?}");
    assert_eq!(report.sums[0].unallocated, 2);
}

#[test]
fn nothing_is_listed_twice_and_every_leaf_has_one_parent() {
    let mut files = whole();
    files[4].1 = page_text("130423", 1, 1, Some(1), &[("eaf-1", 70)]);
    let told = lines(&checked(&files));
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with(
        "county-2:12:1: eaf-1 of 91350100M000100Y43 is listed twice, it stands at county-1:12:1"
    ));
    let mut files = whole();
    files.push(("stray", page_text("140421", 1, 0, None, &[])));
    assert!(checked(&files).wrong.is_empty(), "the nation is above it");
    let files: Vec<_> = files.into_iter().skip(1).collect();
    let told = lines(&checked(&files));
    assert_eq!(
        told,
        [
            "stray:1:1: division 140421 lies in none of the others, hand in the file of the division above it too"
        ]
    );
}

#[test]
fn the_newest_version_is_in_force_and_older_ones_are_refused() {
    let mut files = whole();
    files.push(("old", page_text("130423", 1, 9, Some(9), &[])));
    files[4].1 = page_text("130423", 2, 1, Some(1), &[("eaf-3", 70)]);
    let report = checked(&files);
    let told = lines(&report);
    assert_eq!(
        told,
        ["old:1:1: division 130423, version 1: an older version, county-2:1:1 with version 2 is in force"]
    );
    assert_eq!(report.sums.len(), 5);
}

#[test]
fn entries_that_are_not_there_and_days_that_loosen_are_wrong() {
    let text = page_text("130421", 1, 1, None, &[("eaf-1", 5)]).replace("2011-12-31", "2012-01-01");
    let told = lines(&checked(&[("a", text)]));
    assert_eq!(
        told,
        ["a:9:1: eaf-1 until 2012-01-01: later than its entry allows, 2011-12-31 is the last lawful day"]
    );
    let text = page_text("130421", 1, 0, None, &[]).replace(ENTRY, "no-such-entry");
    assert!(lines(&checked(&[("a", text)]))[0].contains("there is no entry `no-such-entry`"));
    let text = page_text("130421", 1, 0, None, &[("eaf-1", 5)]).replace("unit = \"t_per_a\"\n", "");
    assert!(Page::parse("a", &text).unwrap_err()[0].to_string().contains("belong together"));
    assert!(Page::parse("a", "division = \"13\"\n").unwrap_err().len() >= 3);
}

#[test]
fn a_division_lies_in_those_whose_digits_it_has() {
    let of = |text| Division::parse(text).unwrap();
    for (below, above) in [
        ("130421", "130400"),
        ("130421", "130000"),
        ("130421", "000000"),
        ("110101", "110000"),
        ("429004", "420000"),
    ] {
        assert!(lies_in(of(below), of(above)), "{below} in {above}");
        assert!(!lies_in(of(above), of(below)));
    }
    assert!(!lies_in(of("130421"), of("130421")) && !lies_in(of("140421"), of("130000")));
}

proptest! {
    #[test]
    fn sums_add_up_exactly_when_no_county_lacks_anything(
        counties in proptest::collection::vec((0..4_usize, 0..4_i64), 1..6),
    ) {
        let mut files = vec![];
        let (mut given, mut asset) = (0, 0);
        for (at, (listed, target)) in counties.iter().enumerate() {
            let names: Vec<String> = (0..*listed).map(|_| { asset += 1; format!("e{asset}") }).collect();
            let equipment: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 1)).collect();
            files.push((["a", "b", "c", "d", "e", "f"][at], page_text(&format!("1304{:02}", at + 1), 1, *target, None, &equipment)));
            given += target;
        }
        files.push(("city", page_text("130400", 1, given, Some(asset), &[])));
        let lacks = counties.iter().any(|(listed, target)| i64::try_from(*listed).unwrap() < *target);
        let report = checked(&files);
        let short = report.wrong.iter().any(|flaw| flaw.what.right.contains("more must be listed"));
        prop_assert_eq!(short, lacks || asset < given);
        prop_assert!(!report.wrong.iter().any(|flaw| flaw.what.wrong.contains("are reported")));
        prop_assert!(report.sums.iter().all(|sum| sum.unallocated == 0 || sum.division.to_string() != "130400"));
    }
}

#[test]
fn what_is_closed_counts_in_its_county_and_in_all_above_it() {
    let pages = |files: &[(&str, String)]| files.iter().map(|(file, text)| parsed(file, text)).collect();
    let eaf_1 = AssetId::new("eaf-1").unwrap();
    let told = closed(pages(&whole()), &|(_, _, asset)| *asset == eaf_1);
    let amounts: Vec<(String, String, i64)> = told
        .iter()
        .map(|((division, _, unit), done)| {
            (division.to_string(), unit.clone(), done.iter().map(|(.., amount)| amount).sum())
        })
        .collect();
    let of = |division: &str| {
        [(division.to_owned(), PIECES.to_owned(), 1), (division.to_owned(), "t_per_a".to_owned(), 50)]
    };
    assert_eq!(amounts, ["000000", "130000", "130400", "130421"].map(of).concat());
    assert!(closed(pages(&whole()), &|_| false).is_empty());
    // A newer file of the county lists it no more.
    let mut files = whole();
    files.push(("newer", page_text("130421", 2, 2, Some(1), &[("eaf-2", 60)])));
    assert!(closed(pages(&files), &|(_, _, asset)| *asset == eaf_1).is_empty());
}

#[test]
fn two_of_one_name_are_two_where_each_line_names_its_gateway() {
    let listed = |gateways: [&str; 2]| {
        let mut text = page_text("130421", 1, 2, Some(2), &[("eaf-1", 50), ("eaf-1", 60)]);
        for gateway in gateways {
            text = text.replacen("\nasset = \"eaf-1\"", &format!("\n{gateway}asset =  \"eaf-1\""), 1);
        }
        lines(&checked(&[("county", text)]))
    };
    let (one, other) = ("gateway = \"gw-1\"\n", "gateway = \"gw-2\"\n");
    assert_eq!(listed([one, other]), [""; 0]);
    for twice in [[one, one], [one, ""], ["", ""]] {
        let told = listed(twice);
        assert!(told.len() == 1 && told[0].contains("eaf-1") && told[0].contains("listed twice"), "{told:?}");
    }
}
