use std::ffi::OsString;

use super::*;
use crate::terms::{
    Flaws,
    form::{self, Form},
};

/// A file and the files of its folder, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Folder {
        let folder = std::env::temp_dir().join(format!("coldhearth-layers-{name}-{}", std::process::id()));
        let _old = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("a.toml.d")).unwrap();
        for (file, text) in files {
            fs::write(folder.join(file), text).unwrap();
        }
        Folder(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("a.toml")
    }

    /// Without the folder's own name.
    fn shown(&self, flaws: &[Flaw]) -> Vec<String> {
        let folder = format!("{}/", self.0.display());
        flaws.iter().map(|flaw| flaw.to_string().replace(&folder, "")).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.0);
    }
}

fn variables(all: &[(&str, &str)]) -> Variables {
    let all: Vec<(OsString, OsString)> =
        all.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect();
    Variables::of_environment(all.into_iter())
}

fn flaws_of(read: Result<Layers, Vec<Flaw>>) -> Vec<Flaw> {
    read.map_or_else(|flaws| flaws, |layers| layers.flaws)
}

fn none() -> Variables {
    Variables::default()
}

const BASE: &str = "[broker]\nhost = \"a\"\nport = 1883\n\n[[meter]]\nid = \"one\"\nunit = 900\n";

/// Reads it as the agent would, and tells the mistakes.
fn read_all(layers: &Layers) -> (Option<String>, Vec<i64>, Vec<Flaw>) {
    let flaws = layers.collected();
    let form = Form::of(&layers.tree, &flaws).unwrap();
    let broker = form.table("broker").unwrap();
    let host = broker.required("host", form::text);
    broker.required("port", form::whole(1..=65_535));
    broker.close();
    let unit = |meter: Form<'_>| {
        meter.required("id", form::name);
        let unit = meter.required("unit", form::whole(1..=247));
        meter.close();
        unit
    };
    let units = form.tables("meter").into_iter().filter_map(unit).collect();
    form.close();
    (host, units, flaws.into_sorted())
}

#[test]
fn a_mistake_is_shown_where_it_was_written_across_all_layers() {
    let folder = Folder::new(
        "places",
        &[
            ("a.toml", BASE),
            ("a.toml.d/20-later.toml", "[broker]\nport = 1884\n"),
            ("a.toml.d/10-site.toml", "# site\n[broker]\nport = 99999\nhots = \"b\"\n"),
            ("a.toml.d/ignored.txt", "no = toml"),
        ],
    );
    let layers = read_with(&folder.file(), none(), &[]).unwrap();
    let (host, _, flaws) = read_all(&layers);
    assert_eq!(host.as_deref(), Some("a"));
    assert_eq!(
        folder.shown(&flaws),
        [
            "a.toml:7:1: `unit` is 900, 1 to 247 is allowed",
            "a.toml.d/10-site.toml:4:1: unknown key `hots`, did you mean `host`?",
        ],
        "the later file's port counts"
    );
    let set = variables(&[("COLDHEARTH__BROKER__PORT", "70000"), ("COLDHEARTH_PYTHON", "x"), ("HOME", "/")]);
    let flags = [Setting::parse("meter.one.unit=0").unwrap(), Setting::parse("broker.hots=c").unwrap()];
    let layers = read_with(&folder.file(), set, &flags).unwrap();
    assert_eq!(
        folder.shown(&read_all(&layers).2),
        [
            "environment variable COLDHEARTH__BROKER__PORT: `port` is 70000, 1 to 65535 is allowed",
            "flag --set broker.hots: unknown key `hots`, did you mean `host`?",
            "flag --set meter.one.unit: `unit` is 0, 1 to 247 is allowed",
        ]
    );
}

#[test]
fn what_comes_later_wins_and_plain_text_is_of_the_kind_that_is_asked_for() {
    let folder = Folder::new(
        "order",
        &[
            ("a.toml", BASE),
            ("a.toml.d/10.toml", "[broker]\nhost = \"file\"\n[[meter]]\nid = \"one\"\nunit = 1\n"),
        ],
    );
    let host = |variables: Variables, flags: &[Setting]| {
        let (host, units, flaws) = read_all(&read_with(&folder.file(), variables, flags).unwrap());
        assert_eq!(flaws, [], "{flaws:?}");
        assert_eq!(units, [1]);
        host.unwrap()
    };
    assert_eq!(host(none(), &[]), "file");
    let set = || variables(&[("COLDHEARTH__BROKER__HOST", "130421"), ("COLDHEARTH__BROKER__PORT", "1_885")]);
    assert_eq!(host(set(), &[]), "130421", "text, though it looks like a number");
    assert_eq!(host(set(), &[Setting::parse("broker.host=flag").unwrap()]), "flag");
    let digest = |flags: &[Setting]| read_with(&folder.file(), set(), flags).unwrap().digest;
    assert_ne!(digest(&[]), digest(&[Setting::parse("broker.host=flag").unwrap()]), "each layer is attested");
}

#[test]
fn lists_of_tables_are_united_by_their_id_and_a_twin_in_one_file_stays_a_twin() {
    let more = "[[meter]]\nid = \"two\"\nunit = 2\n\n[[meter]]\nid = \"one\"\nunit = 1\n";
    let folder = Folder::new("keyed", &[("a.toml", BASE), ("a.toml.d/10.toml", more)]);
    let layers = read_with(&folder.file(), none(), &[]).unwrap();
    assert_eq!(read_all(&layers).1, [1, 2], "in the order in which they were first named");
    let twins = format!("{BASE}\n[[meter]]\nid = \"one\"\nunit = 3\n\n[[meter]]\nunit = 4\n");
    let folder = Folder::new("twins", &[("a.toml", &twins)]);
    let layers = read_with(&folder.file(), none(), &[]).unwrap();
    let (_, units, flaws) = read_all(&layers);
    assert_eq!(units, [3, 4]);
    assert_eq!(
        folder.shown(&flaws),
        ["a.toml:7:1: `unit` is 900, 1 to 247 is allowed", "a.toml:13:1: `id` is missing, add `id = ...`"]
    );
}

#[test]
fn what_is_set_for_an_id_that_is_nowhere_is_told_with_those_that_are_there() {
    let folder = Folder::new("strangers", &[("a.toml", BASE)]);
    let told = |set: &[(&str, &str)], flags: &[&str]| {
        let flags: Vec<Setting> = flags.iter().map(|flag| Setting::parse(flag).unwrap()).collect();
        let layers = read_with(&folder.file(), variables(set), &flags).unwrap();
        let (_, units, flaws) = read_all(&layers);
        (units, folder.shown(&[flaws, layers.flaws].concat()))
    };
    assert_eq!(
        told(&[("COLDHEARTH__METER__NOPE__UNIT", "5")], &["meter.one.unit=1", "meter.nine.unit=9"]),
        (
            vec![1],
            vec![
                "environment variable COLDHEARTH__METER__NOPE__UNIT: no [[meter]] has the id `nope`, there are: one"
                    .to_owned(),
                "flag --set meter.nine.unit: no [[meter]] has the id `nine`, there are: one".to_owned(),
            ]
        )
    );
    assert_eq!(
        told(&[], &["meter.one.unit=1", "meter.new.id=new", "meter.new.unit=2"]).0,
        [1, 2],
        "a new one"
    );
}

#[test]
fn a_variable_reaches_an_id_with_hyphens_unless_two_may_be_meant() {
    let base = "[[meter]]\nid = \"eaf-1-feeder\"\nunit = 1\n[[meter]]\nid = \"lf-1\"\nunit = 2\n\
                [[meter]]\nid = \"lf_1\"\nunit = 3\n[broker]\nhost = \"a\"\nport = 1\n";
    let folder = Folder::new("hyphens", &[("a.toml", base)]);
    let told = |name: &str| {
        let layers = read_with(&folder.file(), variables(&[(name, "9")]), &[]).unwrap();
        let (_, units, flaws) = read_all(&layers);
        (units, folder.shown(&[flaws, layers.flaws].concat()))
    };
    assert_eq!(told("COLDHEARTH__METER__EAF_1_FEEDER__UNIT"), (vec![9, 2, 3], Vec::new()));
    assert_eq!(told("COLDHEARTH__METER__LF-1__UNIT"), (vec![1, 9, 3], Vec::new()));
    let (units, flaws) = told("COLDHEARTH__METER__LF_1__UNIT");
    assert_eq!(units, [1, 2, 3]);
    assert!(flaws.len() == 1 && flaws[0].contains("`lf_1` may be each of lf-1, lf_1"), "{flaws:?}");
}

#[test]
fn mistakes_of_all_layers_are_told_together_and_what_a_broken_one_may_hold_is_not_missed() {
    let folder = Folder::new(
        "together",
        &[
            ("a.toml", "[broker]\nport = 1\n[[meter]]\nid = \"one\"\n"),
            ("a.toml.d/10.toml", "x = \n"),
            ("a.toml.d/20.toml", "[broker]\nprot = 3\n"),
        ],
    );
    fs::write(folder.0.join("a.toml.d/30.toml"), b"\xff\xfe").unwrap();
    let set = variables(&[("COLDHEARTH__BROKER__PORT", "x"), ("COLDHEARTH__", "x")]);
    let flags = [Setting::parse("broker.hots=x").unwrap(), Setting::parse("meter.two.unit=1").unwrap()];
    let layers = read_with(&folder.file(), set, &flags).unwrap();
    let (_, _, flaws) = read_all(&layers);
    let told = folder.shown(&layers.or_flaws::<()>(Err(flaws)).unwrap_err());
    assert_eq!(told.len(), 6, "neither a host nor a unit is missed: {told:#?}");
    for (line, begins) in told.iter().zip([
        "a.toml.d/10.toml:1:",
        "a.toml.d/20.toml:2:1: unknown key `prot`",
        "a.toml.d/30.toml:1:1: byte 0xff is not UTF-8",
        "environment variable COLDHEARTH__: names no key",
        "environment variable COLDHEARTH__BROKER__PORT: `port` is \"x\"",
        "flag --set broker.hots: unknown key `hots`",
    ]) {
        assert!(line.starts_with(begins), "{begins} is not {line}");
    }
}

#[test]
fn a_list_is_set_as_it_is_written_and_a_variable_that_misses_its_mark_is_warned_of() {
    let folder = Folder::new("lists", &[("a.toml", BASE)]);
    let flags = ["broker.all=[\"m\", \"n\"]", "broker.two=m,n", "broker.odd=[m"]
        .map(|flag| Setting::parse(flag).unwrap());
    let set = variables(&[("COLDHEARTH_BROKER_HOST", "x"), ("COLDHEARTH_PYTHON", "x")]);
    let layers = read_with(&folder.file(), set, &flags).unwrap();
    let flaws = Flaws::default();
    let broker = Form::of(&layers.tree, &flaws).unwrap().table("broker").unwrap();
    for key in ["all", "two"] {
        assert_eq!(broker.required(key, form::list(form::text)).unwrap(), ["m", "n"]);
    }
    assert_eq!(broker.required("odd", form::text).as_deref(), Some("[m"));
    assert_eq!(
        folder.shown(&layers.warnings),
        [
            "environment variable COLDHEARTH_BROKER_HOST: sets nothing, two _ stand between keys: COLDHEARTH__BROKER__HOST"
        ]
    );
}

#[test]
fn a_secret_is_refused_in_every_layer_and_never_told() {
    let text = "[broker]\nhost = \"a\"\npassword = \"hunter2\"\ntls = { key = \"-----BEGIN PRIVATE KEY-----hunter2\" }\n\
                [store]\nhost = \"c:hunter2@db\"\n";
    let folder = Folder::new("secret", &[("a.toml", text)]);
    let set = variables(&[("COLDHEARTH__STORE__PASSWORD", "hunter2")]);
    let flags = [Setting::parse("broker.token=hunter2").unwrap()];
    let layers = read_with(&folder.file(), set, &flags).unwrap();
    let told = folder.shown(&layers.flaws).join("\n");
    for (place, what) in [
        ("a.toml:3:1: ", "`password` is a secret"),
        ("a.toml:4:9: ", "`key` holds a private key"),
        ("a.toml:6:1: ", "`host` holds a login"),
        ("environment variable COLDHEARTH__STORE__PASSWORD: ", "`password` is a secret"),
        ("flag --set broker.token: ", "`token` is a secret"),
    ] {
        assert!(told.contains(&format!("{place}{what}")), "{place}{what} in\n{told}");
    }
    assert!(!told.contains("hunter2") && !format!("{:?}", layers.tree).contains("hunter2"), "{told}");
    assert_eq!(layers.flaws.len(), 5);
}

#[test]
fn what_cannot_be_read_says_so_and_every_limit_is_checked() {
    let flaws = read(Path::new("/nonexistent/agent.toml"), &[]).unwrap_err();
    assert!(flaws.first().unwrap().to_string().starts_with("/nonexistent/agent.toml: cannot be read"));
    let folder = Folder::new(
        "limits",
        &[("a.toml", BASE), ("a.toml.d/bad.toml", "a = \n"), ("a.toml.d/c.toml", "= 1\n")],
    );
    let told = folder.shown(&flaws_of(read_with(&folder.file(), none(), &[])));
    assert!(told.iter().any(|line| line.starts_with("a.toml.d/bad.toml:1:")), "{told:?}");
    assert!(told.iter().any(|line| line.starts_with("a.toml.d/c.toml:1:")), "every file at once: {told:?}");
    for odd in ["COLDHEARTH__", "COLDHEARTH__BROKER__", "COLDHEARTH____HOST"] {
        let all = [(OsString::from(odd), OsString::from("x"))];
        let told = Variables::of_environment(all.into_iter()).flaws;
        assert!(told[0].to_string().starts_with(&format!("environment variable {odd}: names no key")));
    }
    let folder = Folder::new("many", &[("a.toml", BASE)]);
    let many: Vec<Setting> =
        (0..=MAX_SETTINGS).map(|n| Setting::parse(&format!("broker.k{n}=1")).unwrap()).collect();
    let told = folder.shown(&flaws_of(read_with(&folder.file(), none(), &many)));
    assert!(told[0].contains("at most 256 are allowed"), "{told:?}");
    for n in 0..=MAX_DROP_INS {
        fs::write(folder.0.join(format!("a.toml.d/{n}.toml")), "").unwrap();
    }
    let told = folder.shown(&flaws_of(read_with(&folder.file(), none(), &[])));
    assert!(told[0].starts_with("a.toml.d: 257 files, at most 256 are read"), "{told:?}");
    fs::File::create(folder.file()).unwrap().set_len(MAX_FILE_BYTES + 1).unwrap();
    let told = folder.shown(&flaws_of(read_with(&folder.file(), none(), &[])));
    assert!(told.iter().any(|line| line.contains("is this the right file?")), "{told:?}");
    for wrong in ["broker.host", "=x", "broker..host=x"] {
        assert!(Setting::parse(wrong).unwrap_err().contains("KEY=VALUE"), "{wrong}");
    }
}
