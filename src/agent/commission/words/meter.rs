//! What `probe` and `identify` say.

use crate::{
    agent::commission::{exact::Exact, identify::Outcome, marks::Note},
    metering::Fault,
    terms::words::{Language, Words},
};

// The probe.

/// A note on a quantity, in a few words.
pub(in crate::agent::commission) fn note(language: Language, note: Note, unit: &str) -> String {
    match note {
        Note::FitsSystem(100) => {
            both!(language, "像电压互感器二次侧（100 V）", "fits a PT secondary (100 V)")
        }
        Note::FitsSystem(volts) => both!(language, "符合 {volts} V 系统", "fits a {volts} V system"),
        Note::NearNominal => both!(language, "接近额定电压", "near the nominal voltage"),
        Note::OffNominal(permille) => {
            let percent = Exact(permille * 100);
            both!(language, "仅为额定电压的 {percent} %", "is {percent} % of the nominal voltage")
        }
        Note::FitsNoSystem => both!(
            language,
            "不符合任何常见电压等级：变比、比例或地址有误？",
            "fits no voltage in use: wrong ratio, scale or address?"
        ),
        Note::NoVoltage => both!(language, "几乎没有电压", "next to no voltage"),
        Note::Mains => both!(language, "工频", "the mains"),
        Note::OtherMains => both!(language, "60 Hz：此处不该有", "60 Hz: not the mains here"),
        Note::NoMains => {
            both!(language, "不是工频：地址、类型或比例有误？", "no mains: wrong address, type or scale?")
        }
        Note::AgreesWithVoltAmperes => both!(language, "与 U×I 相符", "agrees with V x I"),
        Note::VoltAmperesAre(product) => {
            let product = Exact(product);
            both!(language, "U×I 为 {product} VA：不符", "V x I is {product} VA: they disagree")
        }
        Note::AboveApparent(bound) => {
            let bound = Exact(bound);
            both!(
                language,
                "大于视在功率 {bound} VA：不可能",
                "above the apparent power of {bound} VA: impossible"
            )
        }
        Note::PhasesAddUp => both!(language, "等于各相之和", "is the sum of its phases"),
        Note::PhasesAddUpTo(sum) => {
            let sum = Exact(sum);
            both!(
                language,
                "各相之和为 {sum} {unit}：不符",
                "the phases add up to {sum} {unit}: they disagree"
            )
        }
        Note::FactorAgrees => both!(language, "与 P/S 相符", "agrees with P / S"),
        Note::FactorIs(is) => {
            let is = Exact(is);
            both!(language, "P/S 为 {is}：不符", "P / S is {is}: they disagree")
        }
        Note::RunsAgainstOthers => both!(
            language,
            "与其余两相方向相反：电流互感器装反或 S1/S2 接反？",
            "runs against the other two phases: a current transformer mounted or wired the wrong way round?"
        ),
        Note::CarriesNothing => both!(
            language,
            "其余两相有电流而此相无：电流互感器被短接或断开？",
            "carries nothing while the other two do: a current transformer shorted or open?"
        ),
    }
}

pub(in crate::agent::commission) fn secondary_side(language: Language, missing: &str) -> String {
    both!(
        language,
        "表侧数值：缺 {missing} 变比；请用 --{missing} 给出（按互感器铭牌）",
        "meter-side value: its {missing} ratio is neither readable nor given; give --{missing} as on the plate"
    )
}

pub(in crate::agent::commission) fn ratio_differs(
    language: Language,
    name: &str,
    told: &str,
    given: &str,
) -> String {
    both!(
        language,
        "电表内 {name} 变比为 {told}，给出的是 {given}：其一有误",
        "the {name} ratio in the meter is {told}, given was {given}: one of them is wrong"
    )
}

pub(in crate::agent::commission) fn not_read(language: Language, register: &str, fault: Fault) -> String {
    let why = fault_words(language, fault);
    both!(language, "{register} 读不出：{why}", "{register} could not be read: {why}")
}

/// A fault with its exception code spelt out.
pub(in crate::agent::commission) fn fault_words(language: Language, fault: Fault) -> String {
    let Fault::Exception(code) = fault else { return fault.words().in_language(language).to_owned() };
    let name = match code {
        1 => Words { zh: "不支持的功能码", en: "illegal function" },
        2 => Words { zh: "无此地址", en: "illegal data address" },
        3 => Words { zh: "数量或数值不允许", en: "illegal data value" },
        4 => Words { zh: "设备故障", en: "device failure" },
        5 => Words { zh: "已收到，稍候", en: "acknowledged, later" },
        6 => Words { zh: "设备忙", en: "device busy" },
        10 => Words { zh: "网关无此路径", en: "gateway path unavailable" },
        11 => Words { zh: "网关后的设备未应答", en: "gateway target did not answer" },
        _ => Words { zh: "厂家自定", en: "of the vendor's own" },
    };
    let name = name.in_language(language);
    both!(language, "异常 {code}（{name}）", "exception {code} ({name})")
}

pub(in crate::agent::commission) fn off_by_one(language: Language, address: u16, value: &str) -> String {
    both!(
        language,
        "而相邻地址 {address} 给出 {value}：地址表是从 1 数起，或带 40001 记法？",
        "but address {address} next to it gives {value}: does the map count from 1, or is it 40001 notation?"
    )
}

pub(in crate::agent::commission) fn other_function(language: Language, code: u8, value: &str) -> String {
    both!(
        language,
        "而功能码 {code} 在同一地址给出 {value}",
        "but function code {code} gives {value} at this address"
    )
}

pub(in crate::agent::commission) fn profile_was_tested(
    language: Language,
    id: &str,
    vendor: &str,
    tested: &str,
) -> String {
    both!(language, "地址表 {id}（{vendor}）；其测试：{tested}", "map {id} ({vendor}); tested: {tested}")
}

pub(in crate::agent::commission) fn profile_recognised(language: Language, id: &str) -> String {
    both!(language, "电表自报型号，采用 {id}", "the meter named its type: {id} is used")
}

pub(in crate::agent::commission) fn profile_guessed(
    language: Language,
    id: &str,
    score: u8,
    rivals: &str,
) -> String {
    both!(
        language,
        "未给 --profile，电表也未自报型号：以下按最相符的 {id}（{score} %）解读，亦可能是 {rivals}",
        "no --profile and the meter names no type: read as {id}, which fits best ({score} %), or {rivals}"
    )
}

pub(in crate::agent::commission) fn no_profile_fits(language: Language) -> String {
    both!(
        language,
        "已知地址表无一相符：请看表上型号并给出 --profile，或用 --at 查看寄存器",
        "no known map fits: read the type on the label and give --profile, or look at registers with --at"
    )
}

pub(in crate::agent::commission) fn reads_only(language: Language) -> String {
    both!(language, "只读：未写入任何内容。", "Reads only: nothing was written.")
}

pub(in crate::agent::commission) fn meter_side(language: Language) -> String {
    both!(language, " （表侧）", " (meter side)")
}

pub(in crate::agent::commission) fn not_asked(language: Language) -> String {
    both!(
        language,
        "电表中途不再应答，未问这些：请加长 --timeout 后再试",
        "the meter fell silent before these were asked: try again with a longer --timeout"
    )
}

pub(in crate::agent::commission) fn check_the_way(language: Language) -> String {
    both!(language, "请核对地址、端口、接线与电源", "check address, port, cable and power")
}

/// A ratio the profile has a register for, which could not be read.
pub(in crate::agent::commission) fn ratio_unreadable(language: Language, missing: &str) -> String {
    both!(
        language,
        "表侧数值：电表内的 {missing} 变比寄存器读不出，变比不确定",
        "meter-side value: the register of its {missing} ratio could not be read, so the ratio is not certain"
    )
}

// Who it is.

pub(in crate::agent::commission) fn tells_nothing(language: Language) -> String {
    both!(language, "电表未告知任何身份", "the meter tells nothing of itself")
}

pub(in crate::agent::commission) fn route(language: Language, outcome: Outcome) -> String {
    match outcome {
        Outcome::Told => both!(language, "已应答", "answered"),
        Outcome::Empty => both!(language, "应答了，却无内容", "answered, and told nothing"),
        Outcome::Not(fault) => fault_words(language, fault),
        Outcome::NotKnown => {
            both!(language, "未问：相符的地址表未说在何处", "not asked: no map that fits says where")
        }
    }
}

pub(in crate::agent::commission) fn fits(
    language: Language,
    profile: &str,
    score: u8,
    tested: &str,
) -> String {
    both!(
        language,
        "地址表 {profile} 相符 {score} %（{tested}）",
        "profile {profile} fits {score} % ({tested})"
    )
}

pub(in crate::agent::commission) fn nobody_at(language: Language, unit: u8) -> String {
    both!(
        language,
        "站号 {unit} 无应答；先用 scan 找出哪些站号有设备",
        "unit {unit} does not answer; find with scan which ids do"
    )
}

pub(in crate::agent::commission) fn type_differs(language: Language, profile: &str) -> String {
    both!(
        language,
        "电表自报的型号不是 {profile} 所述：地址表可能不符，数值不可信",
        "the meter's own word on its type is not what {profile} expects: the map may not fit, believe no value"
    )
}
