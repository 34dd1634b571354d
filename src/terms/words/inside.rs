//! What the plant's own people read of a running agent: on the page, on the screen, and where it is not ready.

use super::Words;

/// The page's heading.
pub const WHAT_IS_ATTESTED: Words =
    Words { zh: "此刻正在对本厂作出的证明", en: "What is being attested about us, right now" };
/// Stands above everything while the loop stands still.
pub const NOT_PRESENT: Words = Words {
    zh: "程序停滞：以下均非现状",
    en: "nothing has been judged lately: what was is not what is",
};
/// What no meter and no software can tell (rules of the verdict, section 9).
pub const CANNOT_BE_PROVEN: Words = Words {
    zh: "以上各项仅就所列计量点而言。以下情形任何软件都无法证明：绕过计量而进线未装表；以同号同值的仿冒表替换；\
         串口中间人实时等比改小功率与电度（进线未装表时）；各相电流互感器二次侧等值分流；在空隙内小于两个电度步长加申报用电的短时用电；\
         设备移至合法馈线并不超其额定与形状；自备电源或第二电源；蒸汽或柴油拖动；改写从未送达的记录；实时转接另一台闲置电表的读数。",
    en: "All of this is said of the listed metering points only. What no software can prove: a bypass where the incomer has no \
         meter; a cloned meter with the same serial and matching values; a man in the middle of a serial line who scales power \
         and energy live (without an incomer's meter); equal shunts on all current transformers; a pulse inside a gap below two \
         register steps and the allowance; a furnace moved to a lawful feeder within its rating and shape; a captive plant or a \
         second supply; steam or diesel drive; the rewriting of records that were never delivered; a live relay of another, idle \
         meter.",
};
/// Unsigned.
pub const UNSIGNED_VIEW: Words = Words {
    zh: "本页未签名，仅供查看，不作证据；证据是签名记录。",
    en: "This page is unsigned and for looking only; the signed records are the evidence.",
};
/// Stands where a value is not known.
pub const NOT_KNOWN: Words = Words { zh: "无数据", en: "not known" };
/// The list of equipment.
pub const T_EQUIPMENT: Words = Words { zh: "设备", en: "Equipment" };
/// The list of meters.
pub const T_METERS: Words = Words { zh: "电表", en: "Meters" };
/// The list of buses.
pub const T_BUSES: Words = Words { zh: "总线", en: "Buses" };
/// The list of orders.
pub const T_ORDERS: Words = Words { zh: "断电命令", en: "Cut-off orders" };
/// Why it is not ready.
pub const T_NOT_READY: Words = Words {
    zh: "有事须处理，或尚不能全部证明",
    en: "Something has to be done, or not everything can be attested",
};
/// It is.
pub const T_READY: Words = Words { zh: "一切可证明", en: "Everything is being attested" };
/// The state of a feeder or of equipment.
pub const T_STATE: Words = Words { zh: "状态", en: "State" };
/// Since when.
pub const T_SINCE: Words = Words { zh: "起始", en: "Since" };
/// The last good reading.
pub const T_LAST_GOOD: Words = Words { zh: "最近有效读数", en: "Last good reading" };
/// How long ago that is.
pub const T_AGO: Words = Words { zh: "前", en: "ago" };
/// Active power of that reading.
pub const T_POWER: Words = Words { zh: "当时功率", en: "Power then" };
/// How today is accounted for.
pub const T_TODAY: Words = Words { zh: "今日时间核算", en: "Today accounted for" };
/// Between valid readings.
pub const T_OBSERVED: Words = Words { zh: "已观测", en: "observed" };
/// Told by the registers on both sides of a gap.
pub const T_BRIDGED: Words = Words { zh: "电度衔接", en: "bridged" };
/// Told by nothing: no evidence, and not rest.
pub const T_UNACCOUNTED: Words =
    Words { zh: "无证据（不等于停用）", en: "no evidence (which is not off)" };
/// Signs of tampering.
pub const T_SIGNS: Words = Words { zh: "异常迹象", en: "Signs" };
/// None of them.
pub const T_NONE: Words = Words { zh: "无", en: "none" };
/// Where it stands before the law.
pub const T_LAW: Words = Words { zh: "法定阶段", en: "Before the law" };
/// The gateway.
pub const T_GATEWAY: Words = Words { zh: "网关", en: "Gateway" };
/// Its clock.
pub const T_CLOCK: Words = Words { zh: "时钟", en: "Clock" };
/// The broker.
pub const T_BROKER: Words = Words { zh: "消息代理", en: "Broker" };
/// The log.
pub const T_LOG: Words = Words { zh: "记录", en: "Log" };
/// Places of the log.
pub const T_PLACES: Words = Words { zh: "位", en: "places" };
/// Its newest record.
pub const T_HEAD: Words = Words { zh: "链首", en: "head" };
/// Places that the broker has not taken.
pub const T_NOT_ACCEPTED: Words = Words { zh: "未交付代理", en: "not taken by the broker" };
/// Places without the authority's receipt.
pub const T_NOT_RECEIPTED: Words =
    Words { zh: "未获主管部门回执", en: "without the authority's receipt" };
/// The oldest of these.
pub const T_OLDEST: Words = Words { zh: "最早", en: "oldest" };
/// No authority is configured.
pub const T_NO_AUTHORITY: Words =
    Words { zh: "未配置主管部门：无回执", en: "no authority is configured: no receipts" };
/// The configuration.
pub const T_CONFIGURATION: Words = Words { zh: "配置", en: "Configuration" };
/// The broker is there.
pub const T_CONNECTED: Words = Words { zh: "已连接", en: "connected" };
/// More than fits on a page.
pub const T_MORE: Words = Words {
    zh: "未列出，见 coldhearth status：",
    en: "more are not listed here; see coldhearth status:",
};
/// The other language.
pub const T_OTHER_LANGUAGE: Words = Words { zh: "English", en: "中文" };
/// What a bus does whose meters answer.
pub const BUS_ANSWERS: Words = Words { zh: "有应答", en: "answers" };
/// No poll of its meters has come to an end.
pub const BUS_NOT_YET_ASKED: Words = Words { zh: "尚未轮询", en: "no poll has come to an end yet" };
/// The loop that judges does not turn.
pub const LOOP_STUCK: Words = Words {
    zh: "判定循环停滞：多半是磁盘写不进去，见日志",
    en: "the loop that judges stands still: most likely the disk takes nothing, see the log",
};
/// The disk takes nothing.
pub const T_DISK_FULL: Words = Words {
    zh: "磁盘已满：轮询暂停，这段时间记为无证据；请腾出空间",
    en: "the disk is full: polls wait, and the time shows as no evidence; make room",
};
/// What is written is refused.
pub const FILE_REFUSED: Words = Words {
    zh: "配置文件被拒绝，与正在执行的不同；下次启动将失败；请改正后重新加载（日志说明错在何处，check 亦然）",
    en: "the file is refused and is not what is in force: the next start will fail; correct it and reload (the log, and `check`, tell where)",
};
/// The room kept for a full disk is spent.
pub const RESERVE_SPENT: Words = Words {
    zh: "磁盘应急预留空间已用掉；下次磁盘写满将立即中断监测；请腾出空间，预留会自行恢复",
    en: "the disk's emergency reserve is spent: the next full disk stops the watch at once; make room, and it is set aside again",
};
/// Little room is left.
pub const DISK_NEARLY_FULL: Words = Words {
    zh: "磁盘即将写满（不足 16 MiB）；请腾出空间",
    en: "the disk is nearly full (less than 16 MiB are left): make room",
};
/// The broker was not reached in this life.
pub const T_BROKER_NOT_REACHED: Words = Words {
    zh: "尚未连上消息代理",
    en: "the broker has not been reached, or has not granted the subscription yet",
};
/// The authority gives no receipt.
pub const RECEIPT_LATE: Words = Words {
    zh: "最早的记录久未获回执：主管部门侧可能中断",
    en: "the oldest record waits for its receipt: the authority's side may be away",
};
/// The clock was never set.
pub const T_CLOCK_UNSET: Words = Words {
    zh: "时钟从未设定：记录照记并注明；请校时",
    en: "the clock was never set: records go on and say so; set the clock",
};
/// A meter that was not read yet.
pub const METER_NOT_YET_READ: Words = Words { zh: "尚未读到", en: "has not been read yet" };
/// More meters that cannot be attested.
pub const MORE_METERS: Words =
    Words { zh: "另有不能证明的电表", en: "more meters that cannot be attested" };
/// An agent is there, and no good clock bound.
pub const T_CLOCK_NTP: Words = Words { zh: "已同步，误差不超过", en: "synchronised, error at most" };
/// The clock runs free.
pub const T_CLOCK_RTC: Words =
    Words { zh: "自由走时，误差未知", en: "runs free since it was set; its error is not known" };
