//! Signs that somebody tampers: what is seen, never what it is taken for.

use super::Words;

/// `masked`
pub const MASKED: Words = Words {
    zh: "计量受遮蔽：有强篡改迹象，尚不能证明用电与否",
    en: "masked: a strong sign of tampering; proves neither use nor rest",
};
/// Stands beside every strong sign.
pub const TAMPER_ALARM: Words = Words {
    zh: "篡改告警：请派人现场检查；不构成违规认定",
    en: "tamper alarm: send an inspection; nobody is convicted by this",
};
/// Stands beside every weak sign.
pub const INSPECTION_ASKED: Words = Words { zh: "建议现场检查", en: "an inspection is asked for" };
/// `voltage_swapped`
pub const VOLTAGE_SWAPPED: Words = Words {
    zh: "有电压有电流而功率几乎为零：疑电压接线对调",
    en: "voltage and current but hardly any power: voltage leads may be swapped",
};
/// `current_reversed`
pub const CURRENT_REVERSED: Words = Words {
    zh: "各相功率相互抵消：疑一只电流互感器反接",
    en: "the phases' powers cancel: one current transformer may be reversed",
};
/// `reactive_excess`
pub const REACTIVE_EXCESS: Words = Words {
    zh: "无功超出申报，而有功几乎为零",
    en: "more reactive power than declared, and hardly any active power",
};
/// `ratio_changed`
pub const RATIO_CHANGED: Words =
    Words { zh: "电表内互感器变比被改", en: "the transformer ratio in the meter was changed" };
/// `serial_changed`
pub const SERIAL_CHANGED: Words = Words {
    zh: "电表编号或型号已变：应答的是另一只电表",
    en: "serial or model changed: another meter answers",
};
/// `firmware_changed`
pub const FIRMWARE_CHANGED: Words = Words { zh: "电表固件已变", en: "the meter's firmware changed" };
/// `wiring_changed`
pub const WIRING_CHANGED: Words =
    Words { zh: "电表接线方式设置被改", en: "the meter's wiring setting was changed" };
/// `register_fell`
pub const REGISTER_FELL: Words = Words {
    zh: "电度倒退或归零，且电表未曾断电",
    en: "the energy register went back or began anew, and no power cycle explains it",
};
/// `stuck`
pub const STUCK: Words =
    Words { zh: "链路应答而全部数值冻结", en: "the link answers and every value is frozen" };
/// `current_without_voltage`
pub const CURRENT_WITHOUT_VOLTAGE: Words =
    Words { zh: "有电流而全无电压", en: "current flows without any voltage" };
/// `phase_lost`
pub const PHASE_LOST: Words = Words {
    zh: "一相有电流而无电压：疑电压互感器熔断器熔断",
    en: "one phase has current and no voltage: a fuse of the voltage transformer may have blown",
};
/// `voltage_apart`
pub const VOLTAGE_APART: Words = Words {
    zh: "电压与同一母线上的其他电表不一致",
    en: "the voltage is not that of the other meters on the bus",
};
/// `frequency_apart`
pub const FREQUENCY_APART: Words = Words {
    zh: "频率不随电网变化：疑读数并非实时",
    en: "the frequency does not follow the grid: the readings may not be of now",
};
/// `too_quiet`
pub const TOO_QUIET: Words = Words {
    zh: "过于安静：一向有负荷的辅助回路读数恰为零",
    en: "too quiet: an auxiliary that always drew reads exact zero",
};
/// `power_mismatch`
pub const POWER_MISMATCH: Words =
    Words { zh: "有功与电压、电流不符", en: "active power does not fit voltage and current" };
/// `meter_clock_stepped`
pub const METER_CLOCK_STEPPED: Words =
    Words { zh: "电表时钟被拨动", en: "the meter's clock was moved" };
/// `replayed`
pub const REPLAYED: Words = Words {
    zh: "同一串读数原样重现：疑为回放",
    en: "the same readings came again in the same order: a recording may be played",
};
/// `answer_time_changed`
pub const ANSWER_TIME_CHANGED: Words = Words {
    zh: "应答时间一再改变：疑有设备时接时断",
    en: "the answer time changed again: something may come and go in between",
};
/// `registers_disagree`
pub const REGISTERS_DISAGREE: Words = Words {
    zh: "分项电度之和与总电度不符",
    en: "the parts' registers do not add up to the total's",
};
/// `balance_residual`
pub const BALANCE_RESIDUAL: Words =
    Words { zh: "母线电量不平衡超出误差", en: "the balance leaves more than its error explains" };
/// `beyond_rating`
pub const BEYOND_RATING: Words = Words {
    zh: "用电超出所供设备的额定：疑另有设备接在此馈线上",
    en: "more is drawn than the equipment is rated for: something else may hang on this feeder",
};
/// `register_leapt`
pub const REGISTER_LEAPT: Words = Words {
    zh: "电能表底度跃升，超过该计量点所能通过的电量",
    en: "an energy register leapt ahead by more than its metering point can pass",
};
