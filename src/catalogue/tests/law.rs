//! The notice once more, as a table written from its text and not from the catalogue: what each entry catches, by which
//! day, where its bound lies, what it lets go, and how far a meter sees it. Only what stands here is believed by the tests.

/// One entry.
#[derive(Clone, Copy)]
pub(super) struct Law {
    pub(super) id: &'static str,
    /// 年底前: the year whose last day is the last lawful one.
    pub(super) year: i64,
    pub(super) witness: &'static str,
    /// What must be so, `attribute=value|other value`.
    pub(super) is: &'static [&'static str],
    /// The bound: attribute, 以下 | 及以下 | 大于, figure.
    pub(super) bound: Option<(&'static str, &'static str, &'static str)>,
    /// Where only an authority can tell: what no ruling means.
    pub(super) ruling: Option<&'static str>,
    /// Facts that keep other entries out of the way.
    pub(super) aside: &'static [&'static str],
}

const fn law(id: &'static str, year: i64, witness: &'static str, is: &'static [&'static str]) -> Law {
    Law { id, year, witness, is, bound: None, ruling: None, aside: &[] }
}

const fn bound(attribute: &'static str, word: &'static str, figure: &'static str, law: Law) -> Law {
    Law { bound: Some((attribute, word, figure)), ..law }
}

const fn ruled(unruled: &'static str, law: Law) -> Law {
    Law { ruling: Some(unruled), ..law }
}

const fn aside(facts: &'static [&'static str], law: Law) -> Law {
    Law { aside: facts, ..law }
}

/// What is never evaluated.
pub(super) const NATIONAL_TARGETS: &[&str] =
    &["power-small-thermal-target", "coal-small-mines-count-target", "coal-small-mines-capacity-target"];

/// Kinds the vocabulary knows though no entry names them.
pub(super) const KNOWN_KINDS: &[&str] = &[
    "coke_oven_heat_recovery",
    "raw_mill",
    "coal_mill",
    "float_glass_line",
    "preheater_kiln",
    "induction_furnace",
];

const ZINC: &str = "furnace_product=zinc|zinc_oxide";
const BAG: &[&str] = &["dust_collection=bag_filter"];
const MILL: &[&str] = &["equipment_kind=raw_mill"];

#[rustfmt::skip]
pub(super) const LAW: &[Law] = &[
    ruled("unknown", law("power-small-thermal-unit", 2010, "full", &["equipment_kind=thermal_generating_unit"])),
    ruled("unknown", law("coal-small-mine", 2010, "drives", &["equipment_kind=coal_mine"])),
    bound("coke_chamber_height_m", "以下", "4.3", aside(&["stamp_charged=false"],
        law("coke-oven-chamber-below-4-3m", 2010, "drives", &["equipment_kind=coke_oven_mechanised"]))),
    bound("rated_apparent_power_kva", "以下", "6300",
        law("ferroalloy-saf-below-6300kva", 2010, "full", &["equipment_kind=submerged_arc_furnace", "furnace_product=ferroalloy"])),
    bound("rated_apparent_power_kva", "以下", "6300",
        law("carbide-saf-below-6300kva", 2010, "full", &["equipment_kind=submerged_arc_furnace", "furnace_product=calcium_carbide"])),
    bound("furnace_volume_m3", "及以下", "400",
        law("steel-blast-furnace-up-to-400m3", 2011, "full", &["equipment_kind=blast_furnace", "furnace_product=pig_iron"])),
    bound("nominal_tonnage_t", "及以下", "30",
        law("steel-converter-up-to-30t", 2011, "drives", &["equipment_kind=converter", "furnace_product=steel"])),
    bound("nominal_tonnage_t", "及以下", "30",
        law("steel-electric-furnace-up-to-30t", 2011, "full", &["equipment_kind=electric_furnace", "furnace_product=steel"])),
    bound("cell_current_ka", "及以下", "100",
        law("aluminium-prebake-cell-up-to-100ka", 2011, "full", &["equipment_kind=aluminium_prebaked_cell"])),
    law("copper-closed-blast-furnace", 2011, "drives", &["equipment_kind=closed_blast_furnace", "furnace_product=copper", "process_stage=smelting"]),
    law("copper-electric-furnace", 2011, "full", &["equipment_kind=electric_furnace", "furnace_product=copper", "process_stage=smelting"]),
    law("copper-reverberatory-furnace", 2011, "drives", &["equipment_kind=reverberatory_furnace", "furnace_product=copper", "process_stage=smelting"]),
    law("lead-sintering-pot", 2011, "drives", &["equipment_kind=sintering_pot", "furnace_product=lead"]),
    law("lead-sintering-pan", 2011, "drives", &["equipment_kind=sintering_pan", "furnace_product=lead"]),
    law("lead-simple-blast-furnace", 2011, "drives", &["equipment_kind=simple_blast_furnace", "furnace_product=lead"]),
    ruled("closed", aside(MILL, law("lead-other-backward", 2011, "none", &["furnace_product=lead"]))),
    aside(&["has_acid_plant=false", "has_tail_gas_absorption=false"],
        law("lead-sinter-machine-no-acid-tailgas", 2011, "drives", &["equipment_kind=sintering_machine", "furnace_product=lead"])),
    aside(BAG, law("zinc-muffle-furnace", 2011, "drives", &["equipment_kind=muffle_furnace", ZINC])),
    aside(BAG, law("zinc-trough-furnace", 2011, "drives", &["equipment_kind=trough_furnace", ZINC])),
    aside(BAG, law("zinc-horizontal-retort", 2011, "drives", &["equipment_kind=horizontal_retort", ZINC])),
    bound("retort_output_t_per_day", "以下", "8", aside(BAG,
        law("zinc-small-vertical-retort", 2011, "drives", &["equipment_kind=vertical_retort", ZINC]))),
    aside(&["retort_output_t_per_day=20"], law("zinc-simple-condensation-dust", 2011, "none", &[
        "equipment_kind=zinc_smelting_furnace|zinc_oxide_furnace|muffle_furnace|trough_furnace|horizontal_retort|vertical_retort",
        ZINC, "dust_collection=simple_condensation"])),
    ruled("closed", aside(MILL, law("zinc-other-backward", 2011, "none", &[ZINC]))),
    bound("kiln_diameter_m", "以下", "3.0",
        law("cement-mechanised-shaft-kiln-below-3-0m", 2012, "full", &["equipment_kind=mechanised_shaft_kiln"])),
    bound("kiln_diameter_m", "以下", "2.5", aside(&["cement_product=common_portland"],
        law("cement-dry-hollow-kiln-below-2-5m", 2012, "full", &["equipment_kind=dry_hollow_kiln"]))),
    aside(&["kiln_primary_purpose=clinker"], law("cement-wet-kiln", 2012, "full", &["equipment_kind=wet_kiln"])),
    bound("mill_diameter_m", "以下", "3.0", aside(&["cement_product=common_portland"],
        law("cement-mill-below-3-0m", 2012, "full", &["equipment_kind=cement_mill"]))),
    law("cement-earth-egg-kiln", 2012, "none", &["equipment_kind=earthen_egg_kiln"]),
    law("cement-ordinary-shaft-kiln", 2012, "drives", &["equipment_kind=ordinary_shaft_kiln"]),
    ruled("closed", aside(MILL, law("cement-other-backward", 2012, "none", &["industry=cement"]))),
    law("glass-flat-drawing-line", 2012, "drives", &["equipment_kind=flat_glass_line", "glass_process=flat_drawing"]),
    law("glass-gefa-flat-drawing-line", 2012, "drives", &["equipment_kind=flat_glass_line", "glass_process=flat_drawing_gefa"]),
    ruled("closed", aside(&["glass_process=float"], law("glass-other-backward", 2012, "none", &["equipment_kind=flat_glass_line"]))),
    bound("annual_capacity_t", "以下", "34000", aside(&["pulping_method=mechanical"],
        law("pulp-straw-below-34000t", 2011, "drives", &["equipment_kind=pulp_line", "pulp_raw_material=straw"]))),
    bound("annual_capacity_t", "以下", "17000", aside(&["pulp_raw_material=wood"],
        law("pulp-chemical-below-17000t", 2011, "drives", &["equipment_kind=pulp_line", "pulping_method=chemical"]))),
    bound("annual_capacity_t", "以下", "10000",
        law("paper-wastepaper-below-10000t", 2011, "full", &["equipment_kind=paper_line", "paper_raw_material=waste_paper"])),
    ruled("unknown", aside(&["enterprise_annual_capacity_t=90000"],
        law("alcohol-backward-process", 2011, "none", &["equipment_kind=alcohol_plant"]))),
    bound("enterprise_annual_capacity_t", "以下", "30000", aside(&["alcohol_feedstock=maize", "ruling:alcohol-backward-process=false"],
        law("alcohol-enterprise-below-30000t", 2011, "drives", &["equipment_kind=alcohol_plant"]))),
    bound("annual_capacity_t", "以下", "30000", law("msg-below-30000t", 2011, "full", &["equipment_kind=msg_unit"])),
    law("citric-acid-env-noncompliant", 2011, "drives", &["equipment_kind=citric_acid_unit", "environmental_compliant=false"]),
    bound("annual_capacity_standard_hides", "以下", "30000",
        law("leather-below-30000-hides", 2011, "drives", &["equipment_kind=leather_line"])),
    law("dyeing-74-type-line", 2011, "full", &["equipment_kind=dyeing_finishing_line", "model=\"74\""]),
    law("dyeing-pretreatment-over-15-years", 2011, "full", &["equipment_kind=pretreatment_equipment", "service_start_date=\"1996-12-30\"|\"1995\"|\"1971-06-01\""]),
    bound("liquor_ratio", "大于", "10",
        law("dyeing-batch-liquor-ratio-over-1-10", 2011, "full", &["equipment_kind=batch_dyeing_machine"])),
    ruled("unknown", law("dyeing-printing-machine-backward", 2011, "full", &["equipment_kind=printing_machine"])),
    ruled("unknown", law("dyeing-thermosol-machine-backward", 2011, "full", &["equipment_kind=thermosol_dyeing_machine"])),
    ruled("unknown", law("dyeing-clip-stenter-backward", 2011, "full", &["equipment_kind=clip_stenter"])),
    ruled("unknown", law("dyeing-setting-machine-backward", 2011, "full", &["equipment_kind=heat_setting_machine"])),
    ruled("closed", aside(MILL, law("dyeing-high-energy-water", 2011, "drives", &["industry=textile_dyeing"]))),
    law("fibre-r531-spinning-machine", 2011, "full", &["equipment_kind=viscose_spinning_machine", "model=R531"]),
    bound("annual_capacity_t", "以下", "20000",
        law("fibre-viscose-line-below-20000t", 2011, "full", &["equipment_kind=viscose_line"])),
    law("fibre-spandex-wet-process", 2011, "drives", &["equipment_kind=spandex_line", "fibre_process=wet"]),
    law("fibre-spandex-dmf-process", 2011, "drives", &["equipment_kind=spandex_line", "fibre_process=dmf_solvent"]),
    law("fibre-acrylic-dmf-process", 2011, "drives", &["equipment_kind=acrylic_line", "fibre_process=dmf_solvent"]),
    bound("spindle_length_mm", "以下", "900",
        law("fibre-polyester-winder-below-900mm", 2011, "full", &["equipment_kind=polyester_filament_winder", "winder_automation=semi_automatic"])),
    law("fibre-batch-polyester", 2011, "full", &["equipment_kind=polyester_unit", "polyester_process=batch"]),
    ruled("closed", aside(MILL, law("fibre-other-backward", 2011, "none", &["industry=chemical_fibre"]))),
];

/// What an exemption does, case by case: entry, facts beside what the entry catches, and what comes of it
/// (`exempt`, `in`, or what is missing to tell whether the exemption holds).
#[rustfmt::skip]
pub(super) const EXEMPTIONS: &[(&str, &[&str], &str)] = &[
    ("coke-oven-chamber-below-4-3m", &["stamp_charged=true", "coke_chamber_height_m=3.2"], "exempt"),
    ("coke-oven-chamber-below-4-3m", &["stamp_charged=true", "coke_chamber_height_m=3.2001"], "exempt"),
    ("coke-oven-chamber-below-4-3m", &["stamp_charged=true", "coke_chamber_height_m=4.2999"], "exempt"),
    ("coke-oven-chamber-below-4-3m", &["stamp_charged=true", "coke_chamber_height_m=3.1999"], "in"),
    ("coke-oven-chamber-below-4-3m", &["stamp_charged=false", "coke_chamber_height_m=3.2"], "in"),
    ("coke-oven-chamber-below-4-3m", &["stamp_charged=null", "coke_chamber_height_m=3.2"], "stamp_charged"),
    ("coke-oven-chamber-below-4-3m", &["stamp_charged=\"yes\"", "coke_chamber_height_m=3.8"], "stamp_charged"),
    ("coke-oven-chamber-below-4-3m", &["stamp_charged=null", "coke_chamber_height_m=3.1"], "in"),
    ("cement-dry-hollow-kiln-below-2-5m", &["cement_product=high_alumina_cement"], "exempt"),
    ("cement-dry-hollow-kiln-below-2-5m", &["cement_product=white_cement"], "in"),
    ("cement-dry-hollow-kiln-below-2-5m", &["cement_product=null"], "cement_product"),
    ("cement-dry-hollow-kiln-below-2-5m", &["cement_product=\"\""], "cement_product"),
    ("cement-wet-kiln", &["kiln_primary_purpose=sludge_treatment"], "exempt"),
    ("cement-wet-kiln", &["kiln_primary_purpose=carbide_slag_treatment"], "exempt"),
    ("cement-wet-kiln", &["kiln_primary_purpose=null"], "determinations:cement-wet-kiln:other-waste,kiln_primary_purpose"),
    ("cement-wet-kiln", &["kiln_primary_purpose=other_waste_treatment"], "determinations:cement-wet-kiln:other-waste"),
    ("cement-wet-kiln", &["kiln_primary_purpose=other_waste_treatment", "ruling:cement-wet-kiln:other-waste=true"], "exempt"),
    ("cement-wet-kiln", &["kiln_primary_purpose=other_waste_treatment", "ruling:cement-wet-kiln:other-waste=false"], "in"),
    ("cement-wet-kiln", &["kiln_primary_purpose=clinker", "ruling:cement-wet-kiln:other-waste=true"], "in"),
    ("cement-mill-below-3-0m", &["cement_product=special_cement"], "exempt"),
    ("cement-mill-below-3-0m", &["cement_product=high_alumina_cement"], "exempt"),
    ("cement-mill-below-3-0m", &["cement_product=white_cement"], "exempt"),
    ("cement-mill-below-3-0m", &["cement_product=oil_well_cement"], "exempt"),
    ("cement-mill-below-3-0m", &["cement_product=sulphoaluminate_cement"], "exempt"),
    ("cement-mill-below-3-0m", &["cement_product=null"], "cement_product"),
    ("alcohol-enterprise-below-30000t", &["alcohol_feedstock=waste_molasses"], "exempt"),
    ("alcohol-enterprise-below-30000t", &["alcohol_feedstock=null"], "alcohol_feedstock"),
];

/// Cases that no row above tells: facts, day, and the members of the result that must be so.
#[rustfmt::skip]
pub(super) const FURTHER: &[(&str, &str, &str)] = &[
    // 未配套建设制酸及尾气吸收系统: lacking either.
    (r#"{"equipment_kind":"sintering_machine","furnace_product":"lead","has_acid_plant":false,"has_tail_gas_absorption":true}"#, "2011-06-01",
     r#"{"matched":["lead-sinter-machine-no-acid-tailgas"],"missing":[]}"#),
    (r#"{"equipment_kind":"sintering_machine","furnace_product":"lead","has_acid_plant":true,"has_tail_gas_absorption":false}"#, "2011-06-01",
     r#"{"matched":["lead-sinter-machine-no-acid-tailgas"],"missing":[]}"#),
    (r#"{"equipment_kind":"sintering_machine","furnace_product":"lead","has_acid_plant":true,"has_tail_gas_absorption":true}"#, "2011-06-01",
     r#"{"verdict":"out_of_scope"}"#),
    (r#"{"equipment_kind":"sintering_machine","furnace_product":"lead","has_acid_plant":true}"#, "2011-06-01",
     r#"{"verdict":"undetermined","missing":["has_tail_gas_absorption"]}"#),
    (r#"{"equipment_kind":"sintering_machine","furnace_product":"lead","has_tail_gas_absorption":true}"#, "2011-06-01",
     r#"{"verdict":"undetermined","missing":["has_acid_plant"]}"#),
    (r#"{"equipment_kind":"sintering_machine","furnace_product":"lead"}"#, "2011-06-01",
     r#"{"verdict":"undetermined","missing":["has_acid_plant","has_tail_gas_absorption"]}"#),
    (r#"{"equipment_kind":"sintering_machine","furnace_product":"lead","has_acid_plant":false}"#, "2011-06-01",
     r#"{"verdict":"in_scope","missing":[]}"#),
    // 湿法窑: any diameter; 2.5 m and more is a disputed reading.
    (r#"{"equipment_kind":"wet_kiln","kiln_primary_purpose":"clinker","kiln_diameter_m":2.4999}"#, "2012-06-01", r#"{"verdict":"in_scope","advisories":[]}"#),
    (r#"{"equipment_kind":"wet_kiln","kiln_primary_purpose":"clinker","kiln_diameter_m":2.5}"#, "2012-06-01", r#"{"verdict":"in_scope","advisories":["reading:cement-wet-kiln"]}"#),
    (r#"{"equipment_kind":"wet_kiln","kiln_primary_purpose":"clinker","kiln_diameter_m":2.5001}"#, "2012-06-01", r#"{"verdict":"in_scope","advisories":["reading:cement-wet-kiln"]}"#),
    // 使用年限超过15年, to the deadline.
    (r#"{"equipment_kind":"pretreatment_equipment","service_start_date":"1996-12-30"}"#, "2011-06-01", r#"{"verdict":"in_scope","advisories":[]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","service_start_date":"1996-12-31"}"#, "2011-06-01", r#"{"verdict":"out_of_scope","advisories":[]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","service_start_date":"1997-01-01"}"#, "2011-06-01", r#"{"verdict":"out_of_scope"}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","service_start_date":"1996"}"#, "2011-06-01", r#"{"verdict":"undetermined","missing":["service_start_date"]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","service_start_date":"1997"}"#, "2011-06-01", r#"{"verdict":"out_of_scope"}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","built_year":1960}"#, "2011-06-01", r#"{"verdict":"undetermined","missing":["service_start_date"]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","built_year":1997}"#, "2011-06-01", r#"{"verdict":"out_of_scope"}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","service_start_date":"1996-12-31"}"#, "2012-01-01", r#"{"verdict":"out_of_scope","advisories":["rolling-age:dyeing-pretreatment-over-15-years"]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","service_start_date":"1998-05-05"}"#, "2013-05-05", r#"{"verdict":"out_of_scope","advisories":[]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","service_start_date":"1998-05-05"}"#, "2013-05-06", r#"{"verdict":"out_of_scope","advisories":["rolling-age:dyeing-pretreatment-over-15-years"]}"#),
    // A kVA figure never decides a 100 kA cell.
    (r#"{"equipment_kind":"aluminium_prebaked_cell","rated_apparent_power_kva":100}"#, "2012-01-01", r#"{"verdict":"undetermined","missing":["cell_current_ka"]}"#),
    // Contradictions, and what is none.
    (r#"{"equipment_kind":"submerged_arc_furnace","furnace_product":"ferroalloy","rated_apparent_power_kva":5000,"rated_active_power_kw":5000}"#, "2011-06-01", r#"{"verdict":"in_scope","advisories":[]}"#),
    (r#"{"equipment_kind":"submerged_arc_furnace","furnace_product":"ferroalloy","rated_apparent_power_kva":5000,"rated_active_power_kw":4000}"#, "2011-06-01", r#"{"verdict":"in_scope","advisories":[]}"#),
    (r#"{"equipment_kind":"submerged_arc_furnace","furnace_product":"ferroalloy","rated_apparent_power_kva":5000,"rated_active_power_kw":5001}"#, "2011-06-01",
     r#"{"verdict":"undetermined","missing":["rated_apparent_power_kva"],"advisories":["contradiction:rated_active_power_kw,rated_apparent_power_kva"]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","built_year":1990,"service_start_date":"1990-01-01"}"#, "2011-06-01", r#"{"verdict":"in_scope","advisories":[]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","built_year":1989,"service_start_date":"1990"}"#, "2011-06-01", r#"{"verdict":"in_scope","advisories":[]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","built_year":1991,"service_start_date":"1990-12-31"}"#, "2011-06-01",
     r#"{"verdict":"undetermined","missing":["service_start_date"],"advisories":["contradiction:built_year,service_start_date"]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","built_year":2012}"#, "2012-06-01", r#"{"verdict":"out_of_scope","advisories":[]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","built_year":2011}"#, "2012-06-01", r#"{"verdict":"out_of_scope","advisories":[]}"#),
    (r#"{"equipment_kind":"pretreatment_equipment","built_year":2013}"#, "2012-06-01", r#"{"verdict":"undetermined","missing":["service_start_date"],"advisories":["contradiction:at,built_year"]}"#),
    // What came or was moved after the notice of 6 February 2010.
    (r#"{"equipment_kind":"earthen_egg_kiln","relocation_date":"2010-02-05"}"#, "2012-06-01", r#"{"advisories":[]}"#),
    (r#"{"equipment_kind":"earthen_egg_kiln","relocation_date":"2010-02-06"}"#, "2012-06-01", r#"{"advisories":["transfer"]}"#),
    (r#"{"equipment_kind":"earthen_egg_kiln","service_start_date":"2010-02-06"}"#, "2012-06-01", r#"{"advisories":[]}"#),
    (r#"{"equipment_kind":"earthen_egg_kiln","service_start_date":"2010-02-07"}"#, "2012-06-01", r#"{"advisories":["new-backward-capacity"]}"#),
    (r#"{"equipment_kind":"earthen_egg_kiln","service_start_date":"2011"}"#, "2012-06-01", r#"{"advisories":[]}"#),
    (r#"{"equipment_kind":"earthen_egg_kiln","built_year":2010}"#, "2012-06-01", r#"{"advisories":[]}"#),
    (r#"{"equipment_kind":"earthen_egg_kiln","built_year":2011}"#, "2012-06-01", r#"{"advisories":["new-backward-capacity"]}"#),
    (r#"{"equipment_kind":"raw_mill","built_year":2011,"relocation_date":"2011-01-01"}"#, "2012-06-01", r#"{"verdict":"out_of_scope","advisories":[]}"#),
    // The catalogue speaks from the first day it is asked.
    (r#"{"equipment_kind":"earthen_egg_kiln"}"#, "2009-01-01", r#"{"verdict":"in_scope","phase":"pre_deadline"}"#),
];
