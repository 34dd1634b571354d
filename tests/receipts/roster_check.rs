//! Lists of divisions that do not add up, as the program tells them.

use super::*;

#[test]
fn roster_check_says_with_its_place_what_does_not_add_up() {
    let folder = support::Folder::new("breakdown");
    std::fs::create_dir_all(&folder.0).unwrap();
    let entry = "steel-electric-furnace-up-to-30t";
    let file = |name: &str, division: &str, amount: u32, more: &str| {
        let text = format!(
            "division = \"{division}\"\nversion = 1\norder = \"1\"\n[[target]]\nentry = \"{entry}\"\namount = {amount}\n{more}"
        );
        let path = folder.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let listed = format!(
        "[[equipment]]\nuscc = \"91350100M000100Y43\"\nasset = \"eaf-1\"\nentry = \"{entry}\"\ndeadline = 2011-12-31\n"
    );
    let check = |files: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coldhearth-regulator"));
        let out = command.args(["roster", "check"]).args(files).output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        (out.status.code().unwrap(), text)
    };
    let (nation, county) = (file("nation.toml", "000000", 1, ""), file("county.toml", "130421", 1, &listed));
    let good = check(&[&nation, &county]);
    assert_eq!((good.0, good.1.contains("adds up")), (0, true), "{}", good.1);
    let short = file("nation.toml", "000000", 2, "");
    let (exit, out) = check(&[&short, &county]);
    assert_eq!(exit, 1, "{out}");
    assert!(out.contains("nation.toml:5:1: ") && out.contains("allocated to nobody"), "{out}");
    let (exit, out) = check(&[&file("bad.toml", "13", 1, "")]);
    assert_eq!((exit, out.contains("bad.toml:1:1: ")), (65, true), "{out}");
}
