//! Cut-off orders: where one stands, and what must be said beside it.

use super::Words;

/// Voltage behind a cut.
pub const FED_BEHIND_CUT: Words = Words {
    zh: "断开点之后出现电压（反送电或重新带电），危险：不得触碰",
    en: "VOLTAGE BEHIND THE CUT (back-feed, or made alive again): danger, do not touch",
};
/// A day on which supplier and gateway counted the same.
pub const DAY_AGREES: Words =
    Words { zh: "网关与供电企业电度相符", en: "gateway and supplier counted the same" };
/// A day on which they did not.
pub const DAY_DIFFERS: Words = Words {
    zh: "网关与供电企业电度不符，超出两表准确度等级",
    en: "GATEWAY AND SUPPLIER COUNTED DIFFERENTLY, beyond what both meters may err",
};
/// Shown wherever an order is `restored`.
pub const NO_PERMISSION_TO_ENERGISE: Words =
    Words { zh: "本记录不是送电许可。", en: "This record is not permission to energise." };
/// Shown where no meter of an order sees behind the breaker.
pub const BEHIND_THE_BREAKER_UNSEEN: Words = Words {
    zh: "电压取自母线：断路器之后有无电压、有无反送电均看不到，断电不能据此核实",
    en: "voltage is taken at the bus: neither voltage nor back-feed behind the breaker is seen, and no cut is verified by it",
};
/// Shown where other ways to feed the equipment are not excluded.
pub const THIS_POINT_ONLY: Words = Words {
    zh: "单线图未排除其他供电途径：结论仅限于本计量点",
    en: "the single-line diagram does not exclude another feed: this is said of these metering points only",
};
/// Shown where an order asks for shorter holds than usual.
pub const SHORTENED_HOLD: Words =
    Words { zh: "本令的观察期短于通常要求", en: "this order asks for shorter holds than usual" };
/// The day an order was due has passed.
pub const ORDER_OVERDUE: Words =
    Words { zh: "已逾断电期限", en: "overdue: it should have been cut by now" };
/// The gateway's word ends some time ago.
pub const GATEWAY_SILENT: Words = Words {
    zh: "网关无消息：以下为其最后所述",
    en: "the gateway is silent: what follows is what it said last",
};
/// The log cannot be the machine's work.
pub const IMPOSSIBLE_ORDER: Words = Words {
    zh: "日志中有不可能的步骤：自此处起不予采信",
    en: "the log has an impossible step: nothing from there on is believed",
};
/// The gateway has begun another log since, without the order.
pub const NEWER_LOG: Words = Words {
    zh: "该网关现以另一日志报告，其中没有本命令：请重新下达命令",
    en: "the gateway speaks in a newer log now, which does not know the order: have it given anew",
};
/// Somebody signed it who may not.
pub const DISBELIEVED_ACT: Words = Words {
    zh: "有命令文书的签名不可信：此处关于本命令所述均不予采信",
    en: "an act is not signed by whoever may: nothing that is said here of this order is believed",
};
/// The log goes on after another that is not at hand.
pub const EARLIER_LOG_NOT_HERE: Words = Words {
    zh: "此日志接续另一日志，而该日志不在手头：指令此前的状态未经核对，仅为此日志自述",
    en: "the log goes on after another that is not here: how the order stood there is unchecked, and this log's word alone",
};
/// `issued`
pub const RUNG_ISSUED: Words = Words {
    zh: "断电令已下达，供电企业尚未确认",
    en: "given; the supplier has not confirmed it yet",
};
/// `acknowledged`
pub const RUNG_ACKNOWLEDGED: Words = Words { zh: "供电企业已确认", en: "confirmed by the supplier" };
/// `scheduled`
pub const RUNG_SCHEDULED: Words = Words { zh: "已排定断电日期", en: "a day is set" };
/// `cut_claimed`
pub const RUNG_CUT_CLAIMED: Words = Words {
    zh: "供电企业称已断电，尚未见证",
    en: "the supplier says that it is cut; nothing is witnessed yet",
};
/// `observing`
pub const RUNG_OBSERVING: Words =
    Words { zh: "已见无电，观察中", en: "seen without power; the hold runs" };
/// `provisional`
pub const RUNG_PROVISIONAL: Words =
    Words { zh: "断电暂时成立", en: "without power for the first spell: provisional" };
/// `verified`
pub const RUNG_VERIFIED: Words = Words {
    zh: "断电已核实，供电企业读数一致",
    en: "verified: the power is gone, and the supplier's own reading agrees",
};
/// `maintained`
pub const RUNG_MAINTAINED: Words =
    Words { zh: "已封存，断电持续", en: "sealed, and the cut is maintained" };
/// `violated`
pub const RUNG_VIOLATED: Words = Words {
    zh: "断开点之后有电：已锁存，待主管机关复位",
    en: "power behind the cut: latched until the authority resets it",
};
/// `indeterminate`
pub const RUNG_INDETERMINATE: Words = Words {
    zh: "证据中断，无法判断：请现场检查",
    en: "the evidence ended, which proves neither: an inspection is asked for",
};
/// `suspended`
pub const RUNG_SUSPENDED: Words = Words { zh: "中止执行", en: "suspended" };
/// `closed`
pub const RUNG_CLOSED: Words =
    Words { zh: "拆除已验收，结案", en: "demolition was accepted: closed" };
/// `cancelled`
pub const RUNG_CANCELLED: Words = Words { zh: "已撤销", en: "withdrawn" };
/// `restored`
pub const RUNG_RESTORED: Words = Words { zh: "已批准恢复供电", en: "reconnection was ordered" };
