//! What the lines of a nameplate are called, in which unit they count, and what the catalogue's vocabulary means.

use super::Words;

/// A line of a nameplate by the name it has in a catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlateLine {
    /// The name in files and registers.
    pub name: &'static str,
    /// What it is called.
    pub label: Words,
    /// The unit it counts in; empty where it counts nothing.
    pub unit: Words,
    /// Whether what stands there is a word of the catalogue's vocabulary; all else is shown as it is stamped.
    pub is_vocabulary: bool,
}

/// The line of this name.
pub fn plate_line(name: &str) -> Option<&'static PlateLine> {
    PLATE_LINES.iter().find(|line| line.name == name)
}

/// What a word of the vocabulary means.
pub fn plate_word(word: &str) -> Option<Words> {
    PLATE_WORDS.iter().find(|(name, _)| *name == word).map(|(_, words)| *words)
}

const NONE: Words = Words { zh: "", en: "" };

macro_rules! lines {
    ($($name:literal $zh:literal $en:literal $unit:ident $($zh_unit:literal $en_unit:literal)?;)*) => {
        /// Every line that a catalogue of ours or a nameplate names.
        pub const PLATE_LINES: &[PlateLine] = &[$(PlateLine {
            name: $name,
            label: Words { zh: $zh, en: $en },
            unit: lines!(@$unit $($zh_unit $en_unit)?),
            is_vocabulary: lines!(@is $unit),
        },)*];
        $(const _: () = assert!(!$zh.is_empty() && !$en.is_empty());)*
    };
    (@word) => { NONE };
    (@text) => { NONE };
    (@counts $zh:literal $en:literal) => { Words { zh: $zh, en: $en } };
    (@is word) => { true };
    (@is text) => { false };
    (@is counts) => { false };
}

lines! {
    "maker" "制造厂" "Maker" text;
    "serial_number" "出厂编号" "Serial number" text;
    "name_zh" "设备名称" "Name in Chinese" text;
    "equipment_kind" "设备种类" "Kind of equipment" word;
    "industry" "行业" "Industry it is used in" word;
    "furnace_product" "产品" "Product" word;
    "process_stage" "工序" "Stage of the process" word;
    "rated_apparent_power_kva" "额定容量" "Rated apparent power" counts "kVA" "kVA";
    "rated_active_power_kw" "额定有功功率" "Rated active power" counts "kW" "kW";
    "rated_capacity_t" "额定吨位" "Rated tonnage" counts "t" "t";
    "coke_chamber_height_m" "炭化室高度" "Height of the coking chamber" counts "m" "m";
    "stamp_charged" "捣固" "Stamp-charged" text;
    "furnace_volume_m3" "有效容积" "Effective volume" counts "m³" "m³";
    "nominal_tonnage_t" "公称容量" "Nominal capacity" counts "t" "t";
    "cell_current_ka" "电解槽电流" "Cell current" counts "kA" "kA";
    "has_acid_plant" "制酸系统" "Acid-making plant" text;
    "has_tail_gas_absorption" "尾气吸收系统" "Tail-gas absorption" text;
    "retort_output_t_per_day" "单日单罐产量" "Output of a retort" counts "t/d" "t/d";
    "dust_collection" "收尘方式" "Dust collection" word;
    "kiln_diameter_m" "窑径" "Kiln diameter" counts "m" "m";
    "mill_diameter_m" "磨机直径" "Mill diameter" counts "m" "m";
    "cement_product" "水泥品种" "Kind of cement" word;
    "kiln_primary_purpose" "主要用途" "Main purpose of the kiln" word;
    "glass_process" "成型工艺" "Forming process" word;
    "annual_capacity_t" "年产能力" "Annual capacity" counts "t/a" "t/a";
    "enterprise_annual_capacity_t" "企业年产能力" "Annual capacity of the enterprise" counts "t/a" "t/a";
    "annual_capacity_standard_hides" "年加工能力" "Annual capacity" counts "标张/a" "standard hides/a";
    "pulp_raw_material" "制浆原料" "Raw material of the pulp" word;
    "pulping_method" "制浆方法" "Pulping method" word;
    "paper_raw_material" "造纸原料" "Raw material of the paper" word;
    "alcohol_feedstock" "酒精原料" "Feedstock of the alcohol" word;
    "environmental_compliant" "环保达标" "Meets environmental standards" text;
    "model" "型号" "Model" text;
    "service_start_date" "投用日期" "First put to use" text;
    "built_year" "出厂年份" "Year of manufacture" text;
    "liquor_ratio" "浴比（1:x 中的 x）" "Liquor ratio, x of 1:x" counts "L/kg" "L/kg";
    "fibre_process" "化纤工艺" "Fibre process" word;
    "spindle_length_mm" "锭轴长" "Spindle length" counts "mm" "mm";
    "winder_automation" "卷绕自动化" "Automation of the winder" word;
    "polyester_process" "聚酯工艺" "Polyester process" word;
    "determinations" "主管部门认定" "Rulings of an authority" text;
    "region_code" "所在地行政区划代码" "Division code of the site" text;
    "relocation_date" "迁入日期" "Moved to this site" text;
}

/// Why a block of registers is no nameplate, by the word of records.
pub fn plate_fault(word: &str) -> Option<Words> {
    PLATE_FAULTS.iter().find(|(name, _)| *name == word).map(|(_, words)| *words)
}

/// Every such word.
pub const PLATE_FAULTS: &[(&str, Words)] = &[
    ("plate_no_magic", Words { zh: "不是铭牌数据块", en: "this is no nameplate" }),
    ("plate_version", Words { zh: "铭牌格式版本不支持", en: "a layout that is not known" }),
    ("plate_length", Words { zh: "铭牌长度不符", en: "its length does not fit" }),
    ("plate_checksum", Words { zh: "铭牌校验和不符", en: "its checksum does not fit" }),
    ("plate_attribute", Words { zh: "铭牌某一项目有误", en: "one of its lines is malformed" }),
];

macro_rules! vocabulary {
    ($($word:literal $zh:literal $en:literal;)*) => {
        /// Every word of the vocabulary and what it means.
        pub const PLATE_WORDS: &[(&str, Words)] = &[$(($word, Words { zh: $zh, en: $en }),)*];
        $(const _: () = assert!(!$zh.is_empty() && !$en.is_empty());)*
    };
}

vocabulary! {
    // Kinds of equipment.
    "electric_furnace" "电炉" "electric furnace";
    "submerged_arc_furnace" "矿热炉" "submerged-arc furnace";
    "induction_furnace" "感应电炉" "induction furnace";
    "blast_furnace" "高炉" "blast furnace";
    "closed_blast_furnace" "密闭鼓风炉" "closed-top blast furnace";
    "simple_blast_furnace" "简易高炉" "simple blast furnace";
    "reverberatory_furnace" "反射炉" "reverberatory furnace";
    "converter" "转炉" "converter";
    "muffle_furnace" "马弗炉" "muffle furnace";
    "trough_furnace" "马槽炉" "trough furnace";
    "horizontal_retort" "横罐" "horizontal retort";
    "vertical_retort" "竖罐" "vertical retort";
    "zinc_smelting_furnace" "炼锌炉" "zinc smelting furnace";
    "zinc_oxide_furnace" "氧化锌炉" "zinc oxide furnace";
    "sintering_machine" "烧结机" "sintering machine";
    "sintering_pan" "烧结盘" "sintering pan";
    "sintering_pot" "烧结锅" "sintering pot";
    "aluminium_prebaked_cell" "铝预焙电解槽" "pre-baked aluminium cell";
    "coke_oven_mechanised" "机械化焦炉" "mechanised coke oven";
    "coke_oven_heat_recovery" "热回收焦炉" "heat-recovery coke oven";
    "coal_mine" "煤矿" "coal mine";
    "thermal_generating_unit" "火电机组" "thermal generating unit";
    "wet_kiln" "湿法窑" "wet kiln";
    "dry_hollow_kiln" "干法中空窑" "dry hollow kiln";
    "mechanised_shaft_kiln" "机械立窑" "mechanised shaft kiln";
    "ordinary_shaft_kiln" "普通立窑" "ordinary shaft kiln";
    "earthen_egg_kiln" "土（蛋）窑" "earthen egg-shaped kiln";
    "preheater_kiln" "预热器窑" "preheater kiln";
    "cement_mill" "水泥磨机" "cement mill";
    "raw_mill" "生料磨" "raw mill";
    "coal_mill" "煤磨" "coal mill";
    "flat_glass_line" "平板玻璃生产线" "flat glass line";
    "float_glass_line" "浮法玻璃生产线" "float glass line";
    "pulp_line" "制浆生产线" "pulp line";
    "paper_line" "造纸生产线" "paper line";
    "alcohol_plant" "酒精生产装置" "alcohol plant";
    "msg_unit" "味精生产装置" "monosodium glutamate unit";
    "citric_acid_unit" "柠檬酸生产装置" "citric acid unit";
    "leather_line" "制革生产线" "leather line";
    "dyeing_finishing_line" "染整生产线" "dyeing and finishing line";
    "pretreatment_equipment" "前处理设备" "pre-treatment equipment";
    "batch_dyeing_machine" "间歇式染色设备" "batch dyeing machine";
    "printing_machine" "印花机" "printing machine";
    "thermosol_dyeing_machine" "热熔染色机" "thermosol dyeing machine";
    "clip_stenter" "热风布铗拉幅机" "hot-air clip stenter";
    "heat_setting_machine" "定形机" "heat-setting machine";
    "viscose_spinning_machine" "粘胶纺丝机" "viscose spinning machine";
    "viscose_line" "粘胶生产线" "viscose line";
    "spandex_line" "氨纶生产线" "spandex line";
    "acrylic_line" "腈纶生产线" "acrylic fibre line";
    "polyester_filament_winder" "涤纶长丝卷绕设备" "polyester filament winder";
    "polyester_unit" "聚酯设备" "polyester unit";
    // Industries.
    "cement" "水泥" "cement";
    "chemical_fibre" "化纤" "chemical fibre";
    "textile_dyeing" "印染" "textile dyeing";
    // Products.
    "steel" "钢" "steel";
    "pig_iron" "生铁" "pig iron";
    "ferroalloy" "铁合金" "ferroalloy";
    "calcium_carbide" "电石" "calcium carbide";
    "copper" "铜" "copper";
    "lead" "铅" "lead";
    "zinc" "锌" "zinc";
    "zinc_oxide" "氧化锌" "zinc oxide";
    // Stages, materials, methods and processes.
    "smelting" "冶炼" "smelting";
    "fire_refining" "火法精炼" "fire refining";
    "simple_condensation" "简易冷凝设施" "simple condensation";
    "special_cement" "特种水泥" "special cement";
    "high_alumina_cement" "高铝水泥" "high-alumina cement";
    "white_cement" "白水泥" "white cement";
    "oil_well_cement" "油井水泥" "oil-well cement";
    "sulphoaluminate_cement" "硫铝酸盐水泥" "sulphoaluminate cement";
    "sludge_treatment" "处理污泥" "treatment of sludge";
    "carbide_slag_treatment" "处理电石渣" "treatment of carbide slag";
    "other_waste_treatment" "处理其他废物" "treatment of other waste";
    "flat_drawing" "平拉工艺" "flat drawing";
    "flat_drawing_gefa" "格法平拉工艺" "flat drawing by the Gefa method";
    "straw" "草类" "straw";
    "chemical" "化学制浆" "chemical pulping";
    "waste_paper" "废纸" "waste paper";
    "waste_molasses" "废糖蜜" "waste molasses";
    "wet" "湿法" "wet process";
    "dmf_solvent" "DMF 溶剂法" "DMF solvent process";
    "semi_automatic" "半自动" "semi-automatic";
    "batch" "间歇法" "batch process";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_line_and_word_stands_once_and_in_its_language() {
        let is_chinese = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        let names: BTreeSet<&str> = PLATE_LINES.iter().map(|line| line.name).collect();
        let known: BTreeSet<&str> = PLATE_WORDS.iter().map(|(word, _)| *word).collect();
        assert_eq!((names.len(), known.len()), (PLATE_LINES.len(), PLATE_WORDS.len()));
        let labels = PLATE_LINES.iter().map(|line| line.label);
        for words in labels.chain(PLATE_WORDS.iter().map(|(_, words)| *words)) {
            assert!(words.zh.chars().any(is_chinese), "{}", words.zh);
            assert!(!words.en.chars().any(is_chinese) && !words.en.contains('_'), "{}", words.en);
        }
        assert_eq!(plate_line("nominal_tonnage_t").map(|line| line.unit.en), Some("t"));
        assert_eq!(plate_word("electric_furnace").map(|words| words.zh), Some("电炉"));
    }
}
