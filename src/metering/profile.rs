//! The register map of one meter model, read from a file: which quantity stands where, in what type and scale, how
//! the meter is recognised, and what its line needs. All of it is data; a new meter is a file.

mod cell;
mod check;
mod identity;
mod link;
mod read;
mod recognise;
mod tested;

use std::fmt;

pub use self::{
    cell::{Absent, Cell, Kind, MAX_SENTINELS, Origin, Times, WordOrder},
    identity::{
        About, Chain, Fact, MAX_SUNSPEC_MODELS, MAX_TEXT_WORDS, SUNSPEC_COMMON, Said, Shape, Spot, Test,
        Wanted,
    },
    link::{DEFAULT_MAX_GAP, DEFAULT_TIMEOUT_MS, Mode, Parity},
    tested::Tested,
};
use super::{quantity::Quantity, scan::Block};
use crate::terms::{
    Digest, Flaw, Flaws, Name,
    form::{Form, Node},
};

/// One quantity's place in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it means.
    pub quantity: Quantity,
    /// Where it stands.
    pub cell: Cell,
    /// Which ratios are still to be applied.
    pub times: Times,
    /// The raw number at which a counter starts again, where that is not its type's width.
    pub wraps_at: Option<u64>,
}

/// A transformer ratio the meter itself can be asked for, at fixed addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatioCells {
    /// The ratio, or its primary side when `over` is given.
    pub value: Cell,
    /// The secondary side.
    pub over: Option<Cell>,
}

impl RatioCells {
    /// Every run of registers needed to decode it.
    pub fn blocks(&self) -> impl Iterator<Item = Block> + use<> {
        let of = |cell: Cell| [Some(cell.block()), cell.pow10_block()];
        let over = self.over.map_or([None, None], of);
        of(self.value).into_iter().chain(over).flatten()
    }
}

/// The register map of one meter model.
#[derive(Clone, Debug)]
pub struct Profile {
    /// File name without its ending.
    pub id: Name,
    /// Who makes it.
    pub vendor: String,
    /// The models it fits.
    pub models: Vec<String>,
    /// Wires of the line it measures: 2, 3 or 4.
    pub wires: Option<u8>,
    /// How far the map was proved.
    pub tested: Tested,
    /// The same in prose: what was compared with what.
    pub tested_how: String,
    /// Tests that must all hold for the map to fit; empty where the map has none or has a chain.
    pub identify: Vec<Test>,
    /// Where the map's addresses count from, when they are offsets into a SunSpec model.
    pub chain: Option<Chain>,
    /// Where the meter says who it is.
    pub about: Vec<About>,
    /// Rows by quantity.
    pub rows: Vec<Row>,
    /// Where the current transformer's ratio can be read.
    pub ct: Option<RatioCells>,
    /// Where the voltage transformer's ratio can be read.
    pub pt: Option<RatioCells>,
    /// Which ways lead to it; empty where the file does not say.
    pub modes: Vec<Mode>,
    /// Factory speed of its serial line, in bits per second: a hint.
    pub baud: Option<u32>,
    /// Factory parity of its serial line: a hint.
    pub parity: Option<Parity>,
    /// Most registers the meter answers at once.
    pub max_regs: u16,
    /// Most unmapped registers that may lie between two rows of one request; 0 for meters that refuse to be read
    /// across holes.
    pub max_gap: u16,
    /// Pause the meter needs between two requests, in milliseconds.
    pub gap_ms: u32,
    /// How long an answer may take, in milliseconds.
    pub timeout_ms: u32,
    /// What bites in practice, for people.
    pub quirks: Vec<String>,
    /// SHA-256 of the file, named in every attestation's genesis.
    pub digest: Digest,
}

impl Profile {
    /// Reads a profile file.
    ///
    /// # Errors
    /// Every mistake of the file with its place.
    pub fn parse(file: &str, text: &str) -> Result<Profile, Vec<Flaw>> {
        let node = Node::parse(file, text)?;
        let flaws = Flaws::default();
        let profile =
            Form::of(&node, &flaws).and_then(|form| read::profile(form, Digest::of(text.as_bytes())));
        match (profile, flaws.into_sorted()) {
            (Some(profile), flaws) if flaws.is_empty() => Ok(profile),
            (_, flaws) => Err(flaws),
        }
    }

    /// Whether a row needs this ratio.
    pub fn needs_ct(&self) -> bool {
        self.rows.iter().any(|row| row.times.ct)
    }

    /// Whether a row needs this ratio.
    pub fn needs_pt(&self) -> bool {
        self.rows.iter().any(|row| row.times.pt)
    }

    /// The row of a quantity.
    pub fn row(&self, quantity: Quantity) -> Option<&Row> {
        self.rows.iter().find(|row| row.quantity == quantity)
    }

    /// Where the meter tells a fact of itself.
    pub fn about(&self, fact: Fact) -> Option<&About> {
        self.about.iter().find(|about| about.fact == fact)
    }

    /// Every run of registers the rows need, scale factors included, each from the map's [`Origin`]: a plan adds it.
    /// Several rows may share a scale factor, which then stands here more than once.
    pub fn row_blocks(&self) -> impl Iterator<Item = Block> {
        self.rows.iter().flat_map(|row| row.cell.blocks())
    }

    /// Every run of registers the ratios need, at fixed addresses.
    pub fn ratio_blocks(&self) -> impl Iterator<Item = Block> {
        [self.ct, self.pt].into_iter().flatten().flat_map(|ratio| ratio.blocks())
    }

    /// Whether the map has a word that proves the meter alive while its line is dead.
    pub fn has_liveness_word(&self) -> bool {
        [Quantity::Clock, Quantity::UptimeS, Quantity::RunHours].into_iter().any(|q| self.row(q).is_some())
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}; {}: {})", self.id, self.vendor, self.tested, self.tested_how)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const SMALL: &str = r#"
id = "small"
vendor = "Test"
models = ["T1"]
values = "secondary"
tested = "simulated"
tested_how = "not a real meter"

[link]
max_regs = 20

[ratio]
ct = { at = 100, type = "u16" }

[defaults]
fc = 3
order = "big"

[measure]
power = { at = 10, type = "i32", times = "ct" }
voltage_l1 = { at = 0, type = "u16", scale = 0.1, absent = "max", times = "none" }
import = { at = 20, type = "u32", scale = 0.01, times = "ct" }
run_hours = { at = 22, type = "f32", fc = 4 }
"#;

    #[test]
    fn a_profile_is_read() {
        let profile = Profile::parse("small.toml", SMALL).unwrap();
        assert_eq!(profile.rows.len(), 4);
        assert!(profile.needs_ct() && !profile.needs_pt() && profile.has_liveness_word());
        let volts = profile.row(Quantity::VoltageL1).unwrap().cell;
        assert_eq!(
            (volts.scale, volts.absent),
            (crate::terms::Decimal { mantissa: 1, exponent: -1 }, Absent::MAX)
        );
    }

    #[test]
    fn every_mistake_has_its_place() {
        let text = SMALL
            .replace("max_regs = 20", "max_regs = 400")
            .replace("power = ", "powr = ")
            .replace("scale = 0.1,", "scal = 0.1,")
            .replace("type = \"u32\"", "type = \"u33\"");
        let flaws = Profile::parse("small.toml", &text).unwrap_err();
        let lines: Vec<u32> = flaws.iter().map(|f| f.place.line).collect();
        assert_eq!(lines, [10, 20, 21, 22, 22], "{flaws:#?}");
    }

    /// The first mistake of a text, as a person reads it.
    fn mistake(from: &str, to: &str) -> String {
        assert!(SMALL.contains(from), "{from}");
        let flaws = Profile::parse("small.toml", &SMALL.replace(from, to)).unwrap_err();
        flaws.first().unwrap().to_string()
    }

    #[test]
    fn rows_that_cannot_both_be_true_are_refused_with_their_place() {
        let found = mistake(
            "run_hours = { at = 22,",
            "uptime_s = { at = 21,\ntype = \"u32\" }\nrun_hours = { at = 22,",
        );
        assert!(found.starts_with("small.toml:23:1") && found.contains("`import`"), "{found}");
        let found = mistake(
            "import = {",
            "energy = { at = 101, type = \"u16\" }\npf = { at = 99, type = \"i32\" }\nimport = {",
        );
        assert!(found.contains("`pf` shares registers with a ratio"), "{found}");
        let found = mistake("times = \"ct\" }\nrun", "times = \"ct\", pow10 = 10 }\nrun");
        assert!(found.contains("shares registers"), "{found}");
        // Two names for the same registers, read alike: a single-phase meter's only power.
        let same = "power_l1 = { at = 10, type = \"i32\", times = \"ct\" }\nimport = {";
        assert!(Profile::parse("small.toml", &SMALL.replace("import = {", same)).is_ok());
        // The same quantity twice is no TOML.
        assert!(mistake("import = {", "power = {").contains("`power` stands in line "));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for (from, to, says) in [
            ("fc = 3\n", "fc = 6\n", "3 to 4"),
            ("at = 0,", "at = 70000,", "65535"),
            ("at = 0, type = \"u16\"", "at = 65535, type = \"u32\"", "past register 65535"),
            ("max_regs = 20", "max_regs = 1", "`max_regs` is 1"),
            ("max_regs = 20", "max_regs = 126", "1 to 125"),
            ("max_regs = 20", "modes = [\"tcp via gateway\"]", "tcp_gateway"),
            ("max_regs = 20", "parity = \"N or E seen\"", "one of N, E, O"),
            ("max_regs = 20", "max_gap = 200", "0 to 125"),
            ("times = \"none\"", "times = \"ct\"", "multiplied by \"pt\" alone"),
            ("type = \"f32\", fc = 4", "type = \"f32\", times = \"ct*pt\"", "no transformer"),
            ("type = \"f32\", fc = 4", "type = \"f32\", pow10 = 30", "its own power of ten"),
            ("absent = \"max\"", "absent = 70000", "cannot stand in u16"),
            ("absent = \"max\"", "absent = [\"max\", 1, 2, 3, 4, 5]", "at most 4"),
            ("scale = 0.1", "scale = 0", "turns every reading into 0"),
            ("scale = 0.1", "src = \"x\", scale = 0.1", "`x` stands not under [sources]"),
            ("scale = 0.1", "wraps_at = 1000, scale = 0.1", "only a counter"),
            ("tested = \"simulated\"", "tested = \"well\"", "second_source"),
            ("[link]", "[[identify]]\nat = 1\ntype = \"str\"\nprefix = \"A\"\n[link]", "need a length"),
            ("[link]", "[[identify]]\nat = 1\ntype = \"f32\"\nequals = 1\n[link]", "one of u16"),
            ("[link]", "[[identify]]\nat = 1\ntype = \"u16\"\n[link]", "exactly one"),
            (
                "[link]",
                "[[identify]]\nat = 1\ntype = \"hex\"\nlen = 1\nequals = \"53\"\n[link]",
                "4 hexadecimal digits",
            ),
            (
                "[link]",
                "[[identify]]\nchain = \"sunspec\"\nbases = [0]\nmodel = 203\n[link]",
                "no ratio registers",
            ),
            (
                "[link]",
                "[about]\nwing = { at = 1, type = \"u16\" }\n[link]",
                "nothing a meter says of itself",
            ),
            (
                "[link]",
                "[about]\nserial = { at = 1, model = 1, type = \"u16\" }\n[link]",
                "maps with a chain",
            ),
        ] {
            let flaws = Profile::parse("small.toml", &SMALL.replace(from, to)).unwrap_err();
            let said: Vec<String> = flaws.iter().map(ToString::to_string).collect();
            assert!(said.iter().any(|flaw| flaw.contains(says)), "{to}: {said:#?}");
            assert!(flaws.iter().all(|flaw| flaw.place.line > 0 && flaw.place.column > 0), "{said:#?}");
        }
    }

    #[test]
    fn a_map_on_the_meters_side_multiplies_by_what_stands_in_the_way_unless_it_says_otherwise() {
        let silent = SMALL.replace(", times = \"ct\"", "").replace(", times = \"none\"", "");
        let profile = Profile::parse("small.toml", &silent).unwrap();
        let times = |quantity| profile.row(quantity).unwrap().times;
        assert_eq!((times(Quantity::Power), times(Quantity::Import)), (Times::BOTH, Times::BOTH));
        assert_eq!((times(Quantity::VoltageL1), times(Quantity::RunHours)), (Times::PT, Times::NONE));
    }

    #[test]
    fn an_identity_is_read_as_text_number_or_digits() {
        let read = |shape: Shape, words: &[u16]| shape.read(words).map(|said| said.to_string());
        let text = Shape::Text { words: 4 };
        assert_eq!(read(text, &[0x504D, 0x3533, 0x3130, 0]).as_deref(), Some("PM5310"));
        assert_eq!(
            read(text, &[0x53, 0x4F, 0x43, 0x4F]).as_deref(),
            Some("SOCO"),
            "one character a register"
        );
        assert_eq!(read(text, &[0; 4]), None);
        assert_eq!(read(text, &[0xFFFF; 4]), None);
        assert_eq!(read(text, &[0x504D]), None, "another length");
        assert_eq!(read(Shape::Hex { words: 2 }, &[0x53, 0xABCD]).as_deref(), Some("0053ABCD"));
        let number = |kind, order| Shape::Number { kind, order };
        assert_eq!(read(number(Kind::I16, WordOrder::Big), &[0xFFFE]).as_deref(), Some("-2"));
        assert_eq!(read(number(Kind::U32, WordOrder::Little), &[1, 2]).as_deref(), Some("131073"));
        assert_eq!(read(number(Kind::U64, WordOrder::Big), &[0xFFFF; 4]), None, "no serial has that");
    }

    #[test]
    fn a_primary_map_may_not_multiply() {
        let flaws = Profile::parse("small.toml", &SMALL.replace("\"secondary\"", "\"primary\"")).unwrap_err();
        assert!(flaws.first().unwrap().to_string().contains("`times`"), "{flaws:?}");
    }
}
