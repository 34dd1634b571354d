//! Reports: what their columns are called, and what must be said beside their figures.

use super::Words;

/// VI.1
pub const REPORT_LIST: Words = Words {
    zh: "淘汰落后产能公告名单（国发〔2010〕7号六（一））",
    en: "Public list of what is to be eliminated (State Council notice 7 [2010], VI(1))",
};
/// VI.2
pub const REPORT_PERIODIC: Words = Words {
    zh: "淘汰落后产能进展报告（国发〔2010〕7号六（二））",
    en: "Report on progress (State Council notice 7 [2010], VI(2))",
};
/// V.1
pub const REPORT_COMPLETION: Words = Words {
    zh: "拆除完成情况（国发〔2010〕7号五（一））",
    en: "Completed eliminations (State Council notice 7 [2010], V(1))",
};
/// VI.3 and III.2
pub const REPORT_FINDINGS: Words = Words {
    zh: "死灰复燃与异地转移线索（国发〔2010〕7号三（二）、六（三））",
    en: "Restarts and transfers (State Council notice 7 [2010], III(2), VI(3))",
};
/// How much of the time is witnessed.
pub const REPORT_COVERAGE: Words = Words { zh: "证据覆盖率", en: "How much of the time is witnessed" };
/// IV.2
pub const REPORT_SURCHARGE: Words = Words {
    zh: "期限后用电量与差别电价（国发〔2010〕7号四（二））",
    en: "Energy drawn after the last lawful day, and the differential price (State Council notice 7 [2010], IV(2))",
};

/// VI.2
pub const REPORT_OWED: Words = Words {
    zh: "应报未报、迟报与重报（国发〔2010〕7号六（二））",
    en: "Reports late, missing or handed in twice (State Council notice 7 [2010], VI(2))",
};

/// A column.
pub const R_OWED: Words = Words { zh: "应报内容", en: "owed" };
/// A column.
pub const R_DUE: Words = Words { zh: "应报日", en: "due" };
/// A column.
pub const R_RECEIVED: Words = Words { zh: "收到", en: "received" };
/// A column.
pub const R_STANDS: Words = Words { zh: "情况", en: "stands" };
/// A column.
pub const R_LATE: Words = Words { zh: "迟延天数", en: "late by" };
/// A column.
pub const R_SHA256: Words = Words { zh: "报告 SHA-256", en: "SHA-256 of the report" };
/// How a report stands.
pub const OWED_ON_TIME: Words = Words { zh: "按时", en: "on time" };
/// How a report stands.
pub const OWED_LATE: Words = Words { zh: "迟报", en: "late" };
/// How a report stands.
pub const OWED_MISSING: Words = Words { zh: "未报", en: "missing" };
/// How a report stands.
pub const OWED_NOT_DUE: Words = Words { zh: "尚未到期", en: "not due yet" };
/// A column.
pub const R_CORRECTED: Words = Words { zh: "更正", en: "corrected" };
/// How a report stands.
pub const OWED_TWICE: Words = Words {
    zh: "同期有两份不同报告，且无一注明替代另一份",
    en: "two different ones of the same time, neither of which says that it replaces the other",
};
/// How a report stands.
pub const OWED_TORN: Words = Words {
    zh: "更正了未附上的报告，须一并附上",
    en: "replaces a report that is not here: bring that one, too",
};
/// How a report stands.
pub const OWED_PRELIMINARY: Words = Words {
    zh: "仅有初报，期末满十五日后须以终报替代",
    en: "preliminary: one made fifteen days after the time's end must replace it",
};
/// Beside a report that was made early.
pub const NOTE_PRELIMINARY: Words = Words {
    zh: "初报：期末后十五日内送达的记录仍计入本期，期满后应以终报替代",
    en: "Preliminary: what arrives within fifteen days after the time's end is of this time still; a report made after them replaces it.",
};
/// Before the SHA-256 of a report.
pub const REPLACES: Words =
    Words { zh: "替代报告，其 SHA-256 为", en: "it replaces the report of SHA-256" };
/// Whose word it is.
pub const NOTE_OWED: Words = Words {
    zh: "报告按主管机关签名所载日期计；只认有效签名，期末之前签署者不算本期报告；更正者注明所替代的报告，以最新一份为准，是否按时以首份为准。“证明”指设备最新判定",
    en: "a report counts by the day its authority signed it, only where the signature holds, and not where that was before its time had ended; a correction says which report it replaces: the newest is in force, the first tells whether it was on time; an attestation is the newest verdict",
};
/// A column.
pub const R_DIVISION: Words = Words { zh: "行政区划", en: "division" };
/// A column.
pub const R_ENTERPRISE: Words = Words { zh: "统一社会信用代码", en: "credit code" };
/// A column.
pub const R_GATEWAY: Words = Words { zh: "网关", en: "gateway" };
/// A column.
pub const R_ASSET: Words = Words { zh: "设备", en: "equipment" };
/// A column.
pub const R_NAME: Words = Words { zh: "企业名称", en: "enterprise's name" };
/// A column.
pub const R_NAME_DOCUMENT: Words = Words { zh: "名称来源", en: "name from" };
/// A column.
pub const R_MACHINE: Words = Words { zh: "铭牌", en: "nameplate" };
/// A column.
pub const R_CLAUSE: Words = Words { zh: "条文", en: "clause" };
/// A column.
pub const R_CAPACITY: Words = Words { zh: "能力（铭牌）", en: "capacity, by nameplate" };
/// A column.
pub const R_BOUND: Words = Words { zh: "条文界限", en: "bound of the clause" };
/// A column.
pub const R_ENTRY: Words = Words { zh: "目录条目", en: "entry of the catalogue" };
/// A column.
pub const R_DEADLINE: Words = Words { zh: "最后合法日", en: "last lawful day" };
/// A column.
pub const R_PAPER: Words = Words { zh: "依据", en: "named by" };
/// A column.
pub const R_PROGRESS: Words = Words { zh: "进展", en: "progress" };
/// A column.
pub const R_AS_OF: Words = Words { zh: "截至", en: "as of" };
/// A column.
pub const R_CHANGE: Words = Words { zh: "与上次名单比较", en: "against the list before" };
/// A column.
pub const R_UNIT: Words = Words { zh: "单位", en: "unit" };
/// The unit of what counts as one.
pub const PIECES: Words = Words { zh: "台（套）", en: "pieces" };
/// A column.
pub const R_TARGET: Words = Words { zh: "目标", en: "target" };
/// A column.
pub const R_LISTED: Words = Words { zh: "已列入名单", en: "listed" };
/// A column.
pub const R_CLOSED: Words = Words { zh: "有证据的完成量", en: "closed, attested" };
/// A column.
pub const R_REMAINS: Words = Words { zh: "尚未完成", en: "remains" };
/// A column.
pub const R_UNALLOCATED: Words = Words { zh: "未分解落实", en: "allocated to nobody" };
/// A column.
pub const R_ORDER: Words = Words { zh: "断电令", en: "order" };
/// A column.
pub const R_CLOSED_ON: Words = Words { zh: "验收日", en: "accepted on" };
/// A column.
pub const R_CERTIFIED: Words = Words { zh: "可出具证明", en: "can be certified" };
/// A column.
pub const R_KIND: Words = Words { zh: "类别", en: "kind" };
/// A column.
pub const R_WHAT: Words = Words { zh: "事实", en: "what is seen" };
/// A column.
pub const R_FOUND: Words = Words { zh: "发现时间", en: "found" };
/// A column.
pub const R_ABOUT: Words = Words { zh: "对象", en: "about" };
/// A column.
pub const R_EXCUSED: Words = Words { zh: "有凭据说明", en: "excused by a paper" };
/// A column.
pub const R_OBSERVED: Words = Words { zh: "观测时间", en: "observed" };
/// A column.
pub const R_BRIDGED: Words = Words { zh: "电度补证时间", en: "bridged by registers" };
/// A column.
pub const R_UNACCOUNTED: Words = Words { zh: "无证据时间", en: "unaccounted for" };
/// A column.
pub const R_CLASS: Words = Words { zh: "目录判定", en: "class" };
/// A column: nothing was sent about it.
pub const R_UNTOLD: Words = Words { zh: "未报告时间", en: "nothing told" };
/// A column.
pub const R_COVERAGE: Words = Words { zh: "覆盖率", en: "covered" };
/// A column.
pub const R_FROM: Words = Words { zh: "自", en: "from" };
/// A column.
pub const R_TO: Words = Words { zh: "至（不含）", en: "to, not included" };
/// A column.
pub const R_ENERGY: Words = Words { zh: "期限后用电量", en: "energy after the last lawful day" };
/// A column.
pub const R_RATE: Words = Words { zh: "加价标准", en: "surcharge" };
/// A column.
pub const R_AMOUNT: Words = Words { zh: "加价金额", en: "amount" };
/// A column.
pub const R_SOURCE: Words = Words { zh: "电价文件", en: "price document" };
/// A column.
pub const R_RECORDS: Words = Words { zh: "所依据的签名记录", en: "signed records it rests on" };

/// How equipment stands.
pub const PROGRESS_CLOSED: Words = Words { zh: "拆除已验收", en: "demolition accepted" };
/// How equipment stands.
pub const PROGRESS_VIOLATION: Words = Words {
    zh: "逾期用电，违规在案",
    en: "drew power past its last lawful day; the violation stands",
};
/// How equipment stands.
pub const PROGRESS_LEFT_LATCHED: Words = Words {
    zh: "逾期用电，违规在案（见于此前的日志；网关启用新日志不解除违规）",
    en: "drew power past its last lawful day; the violation stands, in the log before this one",
};
/// How equipment stands.
pub const PROGRESS_DRAWING: Words = Words { zh: "在用电", en: "draws power" };
/// How equipment stands.
pub const PROGRESS_AT_REST: Words = Words { zh: "未用电", en: "draws no power" };
/// How equipment stands.
pub const PROGRESS_DOUBT: Words =
    Words { zh: "无法判断（不等于停用）", en: "cannot be told, which is not at rest" };
/// How equipment stands.
pub const PROGRESS_SILENT: Words = Words {
    zh: "此后再无证据（不等于停用）",
    en: "nothing was heard since, which is not at rest",
};
/// How equipment stands.
pub const PROGRESS_LEFT: Words = Words {
    zh: "其网关称已在别处，此处不再有证据（不等于停用）",
    en: "stands elsewhere, as its gateway says; of here nothing is told, which is not at rest",
};
/// How equipment stands.
pub const PROGRESS_UNHEARD: Words = Words { zh: "无任何证据", en: "nothing was ever heard of it" };

/// Which paper names the last lawful day.
pub const PAPER_ROSTER: Words = Words { zh: "名单", en: "roster" };
/// Which paper names the last lawful day.
pub const PAPER_CATALOGUE: Words = Words { zh: "目录", en: "catalogue" };
/// Which paper names the last lawful day.
pub const PAPER_DECLARED: Words = Words { zh: "企业申报", en: "its owner's declaration" };

/// Against the list before.
pub const CHANGE_NEW: Words = Words { zh: "新增", en: "new" };
/// Against the list before.
pub const CHANGE_GONE: Words =
    Words { zh: "不再列出，须说明原因", en: "no longer listed: say why" };
/// Against the list before.
pub const CHANGE_DEADLINE: Words =
    Words { zh: "期限已变，须说明原因", en: "another last day: say why" };
/// Against the list before.
pub const CHANGE_SAME: Words = Words { zh: "未变", en: "as before" };
/// Against the list before.
pub const CHANGE_UNKNOWN: Words = Words { zh: "未提供上次名单", en: "no list before was given" };
/// Against the list before.
pub const CHANGE_ELSEWHERE: Words = Words {
    zh: "所附上次名单属于其他行政区划，无从比较",
    en: "the list before is of another division, and says nothing of it",
};

/// Yes.
pub const YES: Words = Words { zh: "是", en: "yes" };
/// No.
pub const NO: Words = Words { zh: "否", en: "no" };
/// Two units bear one nameplate.
pub const SAME_PLATE: Words = Words {
    zh: "否：另有一台设备为同一铭牌，一台只能认定一次",
    en: "no: another unit has the same nameplate, and one is counted once",
};
/// It was used after it was said to be gone.
pub const DRAWS_SINCE: Words = Words {
    zh: "否：验收之后仍在用电",
    en: "no: it draws power since its demolition was accepted",
};
/// The log does not bear an order's end out.
pub const NOT_BORNE_OUT: Words = Words {
    zh: "否：日志或签名不支持该结论",
    en: "no: the log, or who signed it, does not bear it out",
};
/// A restart.
pub const RESTARTED: Words = Words {
    zh: "期限已过的设备在本期内用电（判定已锁存）",
    en: "equipment past its last lawful day drew power in this time, by the judge's latched verdict",
};

/// One of the two places of a finding, to whoever asks of the other.
pub const LIES_ELSEWHERE: Words = Words { zh: "（其他行政区划）", en: "(another division)" };
/// A restart that was told late.
pub const RESTARTED_LATE: Words = Words {
    zh: "期限已过的设备在此前期间用电，记录于本期送达（判定已锁存）",
    en: "equipment past its last lawful day drew power in an earlier time; the judge's latched verdict arrived in this one",
};
/// Beside energy of a time that was reported on already.
pub const ARRIVED_LATE: Words =
    Words { zh: "属此前期间，记录于本期送达", en: "of an earlier time, arrived late" };

/// Beside energy that no price document covers.
pub const NO_RATE: Words = Words { zh: "无适用电价文件", en: "no price document covers it" };
/// Beside energy of what is on no roster.
pub const NOT_CHARGED: Words = Words {
    zh: "未经主管机关列入名单，不计价",
    en: "on no roster of the authority, and not charged",
};
/// Beside energy whose day is not known.
pub const NO_DAY: Words = Words {
    zh: "跨日补证，不能确定用电日期，不计价",
    en: "drawn across days, nobody knows on which, and not priced",
};
/// Beside time that nobody saw.
pub const UNSEEN: Words = Words {
    zh: "无人见证的时间，用电量未知",
    en: "time that nobody saw: what was drawn in it is unknown",
};
/// A column.
pub const R_UNSEEN: Words = Words { zh: "无见证时间", en: "time unseen" };
/// What a figure says.
pub const NOTE_TRACE: Words = Words {
    zh: "每个数字均可追溯到所列签名记录；记录多于列出者以其清单的 SHA-256 表示",
    en: "every figure rests on the signed records named; of more than are named, the SHA-256 of their list is given",
};
/// What a missing figure says.
pub const NOTE_UNKNOWN: Words =
    Words { zh: "“–”表示未知，不等于零", en: "a dash is unknown, and never zero" };
/// Whose clock tells the days.
pub const NOTE_CLOCK: Words = Words {
    zh: "日期按网关时钟计算（北京时间），且不晚于记录送达之时；一刻钟计入其所在之日",
    en: "days are told by the gateways' clocks, in lawful time (+08:00), and never later than a record arrived; a quarter of an hour is of the day it lies on",
};
/// Before a file that a report rests on.
pub const RESTS_ON_FILE: Words = Words { zh: "所依据的文件", en: "rests on the file" };
/// Above what is wrong with files that were handed in.
pub const FILES_WRONG: Words =
    Words { zh: "上报文件之间不一致或有误", en: "The files handed in do not add up" };
/// Whose the names are.
pub const NOTE_NAMES: Words = Words {
    zh: "企业名称未经签名：取自所注来源，未知者为“–”；铭牌与能力取自签名记录",
    en: "names of enterprises are signed by nobody: they are from the source given, a dash where none is; nameplates and capacities stand in signed records",
};
/// Which language decides.
pub const NOTE_CHINESE: Words =
    Words { zh: "条文以中文为准", en: "of a clause the Chinese text decides" };
/// What attested means.
pub const NOTE_ATTESTED: Words = Words {
    zh: "完成量仅计有签名验收记录者；申报不计",
    en: "only what a signed record accepts as demolished counts as closed; no declaration does",
};
/// Whose the rates are.
pub const NOTE_RATES: Words = Words {
    zh: "电价不在通知内：取自所附电价文件，按其生效日期分段",
    en: "the notice names no price: it is taken from the price documents given, each for the days it is in force",
};
/// Findings convict nobody.
pub const NOTE_FINDINGS: Words = Words {
    zh: "线索为事实记录，不构成违规认定；仅“逾期用电”由判定锁存",
    en: "findings are facts to look into and convict nobody; only power past the last lawful day is convicted by the judge",
};
