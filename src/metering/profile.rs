//! The register map of one meter model, read from a file: which quantity stands where, in what type and scale.

use std::fmt;

use super::{
    plan::Plan,
    quantity::Quantity,
    scan::{Function, MAX_BLOCK_WORDS, MAX_SCAN_BLOCKS, MAX_SCAN_WORDS},
};
use crate::terms::{
    Decimal, Digest, Flaw, Flaws, Name,
    form::{self, Form, Node, Value},
};

/// Default of `[link] timeout_ms`.
pub const DEFAULT_TIMEOUT_MS: u32 = 800;

/// How a register's words make a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Unsigned, one register.
    U16,
    /// Two's complement, one register.
    I16,
    /// Unsigned, two registers.
    U32,
    /// Two's complement, two registers.
    I32,
    /// Unsigned, four registers.
    U64,
    /// Two's complement, four registers.
    I64,
    /// IEEE 754 single, two registers.
    F32,
    /// IEEE 754 double, four registers.
    F64,
}

const KINDS: &[(&str, Kind)] = &[
    ("u16", Kind::U16),
    ("i16", Kind::I16),
    ("u32", Kind::U32),
    ("i32", Kind::I32),
    ("u64", Kind::U64),
    ("i64", Kind::I64),
    ("f32", Kind::F32),
    ("f64", Kind::F64),
];

impl Kind {
    /// Registers the type occupies.
    pub const fn words(self) -> u16 {
        match self {
            Kind::U16 | Kind::I16 => 1,
            Kind::U32 | Kind::I32 | Kind::F32 => 2,
            Kind::U64 | Kind::I64 | Kind::F64 => 4,
        }
    }
}

/// Which word of several comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordOrder {
    /// High word first.
    Big,
    /// Low word first.
    Little,
}

/// Which raw value means "there is no value here".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Every value is a value (NaN and infinity never are).
    Never,
    /// All bits set, or for signed types the largest positive value.
    Max,
    /// Smallest value for signed types, all bits set for unsigned ones.
    Sunspec,
    /// This raw value.
    Word(i64),
}

/// Which transformer ratios still have to be applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Multiply by the current transformer's ratio.
    pub ct: bool,
    /// Multiply by the voltage transformer's ratio.
    pub pt: bool,
}

/// Where a number stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// How it is read.
    pub function: Function,
    /// 0-based address on the wire.
    pub at: u16,
    /// Its type.
    pub kind: Kind,
    /// Its word order.
    pub order: WordOrder,
    /// Raw number to the unit of the quantity.
    pub scale: Decimal,
    /// The sentinel, if it has one.
    pub absent: Absent,
}

/// One quantity's place in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it means.
    pub quantity: Quantity,
    /// Where it stands.
    pub cell: Cell,
    /// Which ratios are still to be applied.
    pub times: Times,
}

/// A transformer ratio the meter itself can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatioCells {
    /// The ratio, or its primary side when `over` is given.
    pub value: Cell,
    /// The secondary side.
    pub over: Option<Cell>,
}

/// The register map of one meter model.
#[derive(Clone, Debug)]
pub struct Profile {
    /// File name without its ending.
    pub id: Name,
    /// Who makes it.
    pub vendor: String,
    /// How the map was tested, in the words of its file.
    pub tested: String,
    /// Rows by quantity.
    pub rows: Vec<Row>,
    /// Where the current transformer's ratio can be read.
    pub ct: Option<RatioCells>,
    /// Where the voltage transformer's ratio can be read.
    pub pt: Option<RatioCells>,
    /// Most registers the meter answers at once.
    pub max_regs: u16,
    /// Pause the meter needs between two requests, in milliseconds.
    pub gap_ms: u32,
    /// How long an answer may take, in milliseconds.
    pub timeout_ms: u32,
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
        let profile = Form::of(&node, &flaws).and_then(|form| read(&form, Digest::of(text.as_bytes())));
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

    /// Whether the map has a word that proves the meter alive while its line is dead.
    pub fn has_liveness_word(&self) -> bool {
        [Quantity::Clock, Quantity::UptimeS, Quantity::RunHours].into_iter().any(|q| self.row(q).is_some())
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}; {})", self.id, self.vendor, self.tested)
    }
}

fn read(form: &Form<'_>, digest: Digest) -> Option<Profile> {
    let id = form.required("id", form::name);
    let vendor = form.required("vendor", form::text);
    let tested = form.required("tested", form::text);
    form.required("models", form::list(form::text));
    form.optional("wires", form::whole(2..=4));
    let secondary = form.required("values", form::one_of(&[("primary", false), ("secondary", true)]));
    form.optional("grade", form::whole(1..=2));
    // Sources, identification and notes are for people and for the identification of meters; not for polling.
    for key in ["sources", "identify", "about", "notes"] {
        form.pass(key);
    }
    let link = read_link(form);
    let defaults = read_defaults(form);
    let (ct, pt) = read_ratios(form, &defaults);
    let rows: Vec<Row> = form
        .entries("measure")
        .into_iter()
        .filter_map(|(key, node)| read_row(form, key, node, &defaults))
        .collect();
    if rows.is_empty() {
        form.flaw("measure", "no quantity is mapped", "add rows under [measure]");
    }
    if secondary == Some(false) && rows.iter().any(|r| r.times.ct || r.times.pt) {
        form.flaw(
            "values",
            "values are \"primary\" but a row has `times`",
            "write \"secondary\" or drop `times`",
        );
    }
    let profile = Profile {
        id: id?,
        vendor: vendor?,
        tested: tested?,
        rows,
        ct,
        pt,
        max_regs: link.0,
        gap_ms: link.1,
        timeout_ms: link.2,
        digest,
    };
    if Plan::of(&profile).is_none() {
        let limit = format!("at most {MAX_SCAN_WORDS} registers in {MAX_SCAN_BLOCKS} requests fit one poll");
        form.flaw("measure", "the rows need too many registers or requests", limit);
    }
    Some(profile)
}

fn read_link(form: &Form<'_>) -> (u16, u32, u32) {
    let Some(link) = form.required_table("link") else { return (MAX_BLOCK_WORDS, 0, DEFAULT_TIMEOUT_MS) };
    for key in ["modes", "baud", "parity"] {
        link.pass(key);
    }
    let max_regs = link.optional("max_regs", form::fitting(4..=i64::from(MAX_BLOCK_WORDS)));
    let gap_ms = link.optional("gap_ms", form::fitting(0..=5_000));
    let timeout_ms = link.optional("timeout_ms", form::fitting(20..=30_000));
    link.close();
    (max_regs.unwrap_or(MAX_BLOCK_WORDS), gap_ms.unwrap_or(0), timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS))
}

struct Defaults {
    function: Function,
    kind: Option<Kind>,
    order: WordOrder,
    absent: Absent,
}

fn read_defaults(form: &Form<'_>) -> Defaults {
    let table = form.table("defaults");
    let function = table.as_ref().and_then(|t| t.optional("fc", function));
    let kind = table.as_ref().and_then(|t| t.optional("type", form::one_of(KINDS)));
    let order = table.as_ref().and_then(|t| t.optional("order", order));
    let absent = table.as_ref().and_then(|t| t.optional("absent", absent));
    if let Some(table) = table {
        table.close();
    }
    Defaults {
        function: function.unwrap_or(Function::Holding),
        kind,
        order: order.unwrap_or(WordOrder::Big),
        absent: absent.unwrap_or(Absent::Never),
    }
}

fn read_ratios(form: &Form<'_>, defaults: &Defaults) -> (Option<RatioCells>, Option<RatioCells>) {
    let Some(table) = form.table("ratio") else { return (None, None) };
    let read = |key| {
        let cell = table.table(key)?;
        let over = cell.table("over").and_then(|over| {
            let read = read_cell(&over, defaults);
            over.close();
            read
        });
        let value = read_cell(&cell, defaults);
        cell.close();
        Some(RatioCells { value: value?, over })
    };
    let ratios = (read("ct"), read("pt"));
    table.close();
    ratios
}

fn read_row(form: &Form<'_>, key: &str, node: &Node, defaults: &Defaults) -> Option<Row> {
    let row = Form::of(node, form.flaws())?;
    let quantity = Quantity::from_word(key);
    if quantity.is_none() {
        row.flaw(
            "",
            format!("`{key}` is no quantity"),
            "use a word of the profile schema, such as power or import",
        );
    }
    let times = row.optional("times", times).unwrap_or_default();
    let cell = read_cell(&row, defaults);
    row.close();
    Some(Row { quantity: quantity?, cell: cell?, times })
}

fn read_cell(form: &Form<'_>, defaults: &Defaults) -> Option<Cell> {
    let at: Option<u16> = form.required("at", form::fitting(0..=0xFFFF));
    let function = form.optional("fc", function).unwrap_or(defaults.function);
    let kind = form.optional("type", form::one_of(KINDS)).or(defaults.kind);
    if kind.is_none() {
        form.flaw("type", "the row has no type", "add `type = \"...\"` here or under [defaults]");
    }
    let order = form.optional("order", order).unwrap_or(defaults.order);
    let scale = form.optional("scale", form::decimal).unwrap_or(Decimal::ONE);
    if scale.mantissa == 0 {
        form.flaw(
            "scale",
            "a scale of 0 turns every reading into 0",
            "write the factor from raw value to unit",
        );
    }
    let absent = form.optional("absent", absent).unwrap_or(defaults.absent);
    form.pass("src");
    let (at, kind) = (at?, kind?);
    if u32::from(at) + u32::from(kind.words()) > 0x1_0000 {
        form.flaw("at", "the value runs past register 65535", "check the address");
    }
    Some(Cell { function, at, kind, order, scale, absent })
}

fn function(value: &Value) -> form::Reading<Function> {
    form::whole(3..=4)(value).map(|code| if code == 3 { Function::Holding } else { Function::Input })
}

fn order(value: &Value) -> form::Reading<WordOrder> {
    form::one_of(&[("big", WordOrder::Big), ("little", WordOrder::Little)])(value)
}

fn absent(value: &Value) -> form::Reading<Absent> {
    if let Value::Integer(word) = value {
        return Ok(Absent::Word(*word));
    }
    form::one_of(&[("max", Absent::Max), ("sunspec", Absent::Sunspec), ("never", Absent::Never)])(value)
}

fn times(value: &Value) -> form::Reading<Times> {
    form::one_of(&[
        ("ct", Times { ct: true, pt: false }),
        ("pt", Times { ct: false, pt: true }),
        ("ct*pt", Times { ct: true, pt: true }),
    ])(value)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const SMALL: &str = r#"
id = "small"
vendor = "Test"
models = ["T1"]
values = "secondary"
tested = "not a real meter"

[link]
max_regs = 20

[ratio]
ct = { at = 100, type = "u16" }

[defaults]
fc = 3
order = "big"

[measure]
power = { at = 10, type = "i32", times = "ct" }
voltage_l1 = { at = 0, type = "u16", scale = 0.1, absent = "max" }
import = { at = 20, type = "u32", scale = 0.01, times = "ct" }
run_hours = { at = 22, type = "f32", fc = 4 }
"#;

    #[test]
    fn a_profile_is_read() {
        let profile = Profile::parse("small.toml", SMALL).unwrap();
        assert_eq!(profile.rows.len(), 4);
        assert!(profile.needs_ct() && !profile.needs_pt() && profile.has_liveness_word());
        let volts = profile.row(Quantity::VoltageL1).unwrap().cell;
        assert_eq!((volts.scale, volts.absent), (Decimal { mantissa: 1, exponent: -1 }, Absent::Max));
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
        assert_eq!(lines, [9, 19, 20, 21, 21], "{flaws:#?}");
    }

    #[test]
    fn a_primary_map_may_not_multiply() {
        let flaws = Profile::parse("small.toml", &SMALL.replace("\"secondary\"", "\"primary\"")).unwrap_err();
        assert!(flaws.first().unwrap().to_string().contains("`times`"), "{flaws:?}");
    }
}
