//! What hangs on a feeder, as a scenario names it.

mod recording;

use coldhearth::terms::form::{self, Form};

use crate::{
    auxiliary::Auxiliaries,
    load::{
        BallMill, BlastFurnace, Converter, ElectricArcFurnace, GlassLine, LadleFurnace, Load, PaperMachine,
        PotLine, RotaryKiln, ShaftKiln, SubmergedArcFurnace,
    },
    rounding::real,
};

/// Largest power of a scenario, in kilowatts.
pub(super) const MAX_KW: i64 = 1_000_000;

/// How a kind of load is read.
type Read = fn(&Form<'_>) -> Load;

/// Every kind, with its usual size where the table gives none.
const KINDS: &[(&str, Read)] = &[
    ("cold", |_| Load::Cold),
    ("electric_arc_furnace", |form| {
        let rated_w = kilo(form, "rated_kw", ElectricArcFurnace::SMALL.rated_w);
        Load::ElectricArcFurnace(ElectricArcFurnace { rated_w })
    }),
    ("ladle_furnace", |form| {
        Load::LadleFurnace(LadleFurnace {
            arcing_w: kilo(form, "arcing_kw", LadleFurnace::MEASURED.arcing_w),
        })
    }),
    ("submerged_arc_furnace", |form| {
        let rated_va = kilo(form, "rated_kva", SubmergedArcFurnace::FERROALLOY.rated_va);
        Load::SubmergedArcFurnace(SubmergedArcFurnace { rated_va })
    }),
    ("blast_furnace", |form| {
        let steam = form.optional("steam_blown", form::flag).unwrap_or(false);
        let usual = if steam { BlastFurnace::STEAM_BLOWN } else { BlastFurnace::SMALL };
        let blower_w = kilo(form, "blower_kw", usual.blower_w);
        let auxiliaries_w = kilo(form, "auxiliaries_kw", usual.auxiliaries_w);
        Load::BlastFurnace(BlastFurnace { blower_w, auxiliaries_w, ..usual })
    }),
    ("converter", |form| {
        let usual = Converter::SMALL;
        Load::Converter(Converter {
            fan_w: kilo(form, "fan_kw", usual.fan_w),
            pumps_w: kilo(form, "pumps_kw", usual.pumps_w),
            tilting_w: kilo(form, "tilting_kw", usual.tilting_w),
        })
    }),
    ("wet_kiln", |form| Load::RotaryKiln(kiln(form, RotaryKiln::WET))),
    ("dry_hollow_kiln", |form| Load::RotaryKiln(kiln(form, RotaryKiln::DRY_HOLLOW))),
    ("shaft_kiln", |form| {
        let usual = ShaftKiln::MECHANISED;
        Load::ShaftKiln(ShaftKiln {
            blower_w: kilo(form, "blower_kw", usual.blower_w),
            grate_w: kilo(form, "grate_kw", usual.grate_w),
        })
    }),
    ("ball_mill", |form| {
        Load::BallMill(BallMill { drive_w: kilo(form, "drive_kw", BallMill::CEMENT.drive_w) })
    }),
    ("pot_line", |form| {
        let cells = form.optional("cells", form::fitting(1..=1_000));
        Load::PotLine(PotLine { cells: cells.unwrap_or(PotLine::SMALL.cells), ..PotLine::SMALL })
    }),
    ("glass_line", |form| {
        Load::GlassLine(GlassLine { line_w: kilo(form, "line_kw", GlassLine::SMALL.line_w) })
    }),
    ("paper_machine", |form| {
        Load::PaperMachine(PaperMachine { rated_w: kilo(form, "rated_kw", PaperMachine::NARROW.rated_w) })
    }),
    // Whoever has noted a mistake in it draws nothing, and is not played.
    ("trace", |form| recording::recording(form).map_or(Load::Cold, Load::Trace)),
];

/// Reads `{ kind = "electric_arc_furnace", rated_kw = 12_500 }`.
pub(super) fn load(form: Form<'_>) -> Option<Load> {
    let read = form.required("kind", form::one_of(KINDS));
    let load = read.map(|read| read(&form));
    if load.is_some() {
        form.close();
    }
    load
}

fn kilo(form: &Form<'_>, key: &'static str, usual: f64) -> f64 {
    form.optional(key, form::whole(1..=MAX_KW)).map_or(usual, |kilo| real(kilo) * 1_000.0)
}

fn kiln(form: &Form<'_>, usual: RotaryKiln) -> RotaryKiln {
    RotaryKiln { drives_w: kilo(form, "drives_kw", usual.drives_w), ..usual }
}

/// Reads `{ lamps_w = 4_000, heaters_w = 2_000, crane_w = 0, regeneration_w = 0, barring_w = 0, welding_w = 0 }`.
pub(super) fn auxiliaries(form: Form<'_>) -> Auxiliaries {
    let auxiliaries = auxiliaries_of(&form);
    form.close();
    auxiliaries
}

/// The same members inside another table.
pub(super) fn auxiliaries_of(form: &Form<'_>) -> Auxiliaries {
    let watts = |key| form.optional(key, form::fitting(0..=100_000_000)).unwrap_or(0);
    Auxiliaries {
        lamps_w: watts("lamps_w"),
        heaters_w: watts("heaters_w"),
        crane_w: watts("crane_w"),
        regeneration_w: watts("regeneration_w"),
        barring_w: watts("barring_w"),
        welding_w: watts("welding_w"),
    }
}
