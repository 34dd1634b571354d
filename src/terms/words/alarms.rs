//! Alarms of the authority's desk: what they are about, how they stand, what was done about them.

use super::Words;

/// `violation`
pub const KIND_VIOLATION: Words = Words { zh: "违规", en: "violation" };
/// `evidence_missing`
pub const KIND_EVIDENCE_MISSING: Words = Words { zh: "证据缺失", en: "evidence missing" };
/// `tamper`
pub const KIND_TAMPER: Words = Words { zh: "疑似篡改", en: "tampering suspected" };
/// `device_fault`
pub const KIND_DEVICE_FAULT: Words = Words { zh: "设备故障", en: "device fault" };
/// `rule_data`
pub const KIND_RULE_DATA: Words = Words { zh: "规则或数据有误", en: "rule or data error" };

/// `high`
pub const PRIORITY_HIGH: Words = Words { zh: "高", en: "high" };
/// `medium`
pub const PRIORITY_MEDIUM: Words = Words { zh: "中", en: "medium" };
/// `low`
pub const PRIORITY_LOW: Words = Words { zh: "低", en: "low" };
/// `diagnostic`
pub const PRIORITY_DIAGNOSTIC: Words = Words { zh: "诊断", en: "diagnostic" };

/// `normal`
pub const ALARM_NORMAL: Words = Words { zh: "正常", en: "normal" };
/// `unack_active`
pub const ALARM_UNACK_ACTIVE: Words = Words { zh: "报警中，未确认", en: "active, not acknowledged" };
/// `ack_active`
pub const ALARM_ACK_ACTIVE: Words = Words { zh: "报警中，已确认", en: "active, acknowledged" };
/// `unack_returned`
pub const ALARM_UNACK_RETURNED: Words =
    Words { zh: "已消失，未确认", en: "gone by itself, not acknowledged" };
/// `latched`
pub const ALARM_LATCHED: Words = Words {
    zh: "已锁存，未确认：现未见用电，违规仍在案，只有主管机关签名复位才能解除",
    en: "latched, not acknowledged: not seen to draw now, the violation stands until the authority's signed reset",
};
/// `latched`, acknowledged
pub const ALARM_LATCHED_ACK: Words = Words {
    zh: "已锁存，已确认：现未见用电，违规仍在案，只有主管机关签名复位才能解除",
    en: "latched, acknowledged: not seen to draw now, the violation stands until the authority's signed reset",
};
/// Before the time at which a violation was told to the desk.
pub const VIOLATION_TOLD: Words = Words { zh: "违规，告知于", en: "violation, told at" };
/// After that time, before how it is now.
pub const NOW: Words = Words { zh: "；现在：", en: "; now: " };
/// How it is now.
pub const NOW_DRAWS: Words = Words { zh: "用电中", en: "it draws power" };
/// How it is now: at rest, or nobody can tell.
pub const NOW_NOT_DRAWING: Words = Words { zh: "未见用电", en: "not seen to draw power" };
/// A conviction that only a log tells which its gateway has left.
pub const LATCHED_BEFORE: Words = Words {
    zh: "违规已锁存，见于此前的日志",
    en: "violation latched, in the log before this one",
};
/// What is to be known of that.
pub const NO_JOURNAL_OPENS: Words =
    Words { zh: "网关启用新日志不解除锁存。", en: "A new journal opens no latch." };
/// `shelved`
pub const ALARM_SHELVED: Words = Words { zh: "已搁置", en: "shelved" };
/// `suppressed`
pub const ALARM_SUPPRESSED: Words =
    Words { zh: "已由上级告警涵盖", en: "suppressed by design: a wider alarm tells of it" };
/// `out_of_service`
pub const ALARM_OUT_OF_SERVICE: Words = Words { zh: "已停用", en: "out of service" };

/// Why nothing is done about an alarm that somebody saw as it was before.
pub const ALARM_CHANGED: Words = Words {
    zh: "此告警已有变化，请重新查看后再操作",
    en: "it has changed since, look at it again",
};

/// Why an alarm is not put aside again.
pub const SHELVED_BEFORE: Words = Words {
    zh: "自发生后首次搁置起满七日，不得再搁置",
    en: "it was put aside before since it was raised: no longer than seven days from the first time",
};

/// Why an alarm is not put aside by somebody who answers for a wider division.
pub const SHELVED_BY_ITS_OWN: Words = Words {
    zh: "违规及疑似篡改告警只能由其所在行政区搁置，请改为确认",
    en: "a violation or tampering is put aside by its own division alone; acknowledge it instead",
};
/// Why a violation is not taken out of service.
pub const NEVER_RETIRED: Words = Words {
    zh: "此类告警不得停用，只能限时搁置",
    en: "never out of service; it may be shelved for a time",
};

/// `violation`
pub const CAUSE_VIOLATION: Words = Words {
    zh: "违规已锁存：设备曾在期限之后用电",
    en: "violation latched: equipment drew power after its last lawful day",
};
/// `latched_elsewhere`
pub const CAUSE_LATCHED_ELSEWHERE: Words = Words {
    zh: "违规已锁存于该网关此前在他处的日志：迁来不解除",
    en: "violation latched elsewhere, in the log that its gateway kept before: moving here opens no latch",
};
/// `cut_violated`
pub const CAUSE_CUT_VIOLATED: Words =
    Words { zh: "断电令所指断开点之后有电", en: "power behind an ordered cut" };
/// `fed_behind_cut`
pub const CAUSE_FED_BEHIND_CUT: Words = Words {
    zh: "断开点之后出现电压，危险：不得触碰",
    en: "voltage behind a cut: danger, do not touch",
};
/// `silent`
pub const CAUSE_SILENT: Words = Words {
    zh: "网关无消息：不等于设备停用",
    en: "a gateway is silent, which says nothing of its equipment",
};
/// `outage`
pub const CAUSE_OUTAGE: Words = Words {
    zh: "该区域多数网关同时无消息：疑网络或服务器中断",
    en: "most gateways of a division are silent at once: a network or a broker may be down",
};
/// `unreachable`
pub const CAUSE_UNREACHABLE: Words = Words {
    zh: "本采集程序与 MQTT 服务器失去联系：期间不判断网关是否在线",
    en: "the collector has lost its broker: meanwhile no gateway is called silent",
};
/// `never_heard`
pub const CAUSE_NEVER_HEARD: Words = Words {
    zh: "已准入的网关从未有过任何记录：其厂无任何证据",
    en: "a gateway was admitted and never heard: nothing tells anything of its plant",
};
/// `untold`
pub const CAUSE_UNTOLD: Words = Words {
    zh: "网关仍在上报，但没有该设备当前状态的证据：可能已被移出其配置，或数据在途中延迟",
    en: "its gateway speaks, and of this equipment as it is now no longer: taken out of the configuration, or delayed on the way",
};
/// `no_evidence`
pub const CAUSE_NO_EVIDENCE: Words = Words {
    zh: "应停设备无法判断是否用电",
    en: "nothing proves whether equipment under a duty draws power",
};
/// `indeterminate`
pub const CAUSE_INDETERMINATE: Words =
    Words { zh: "断电令的证据中断", en: "the evidence of an ordered cut has ended" };
/// `gap`
pub const CAUSE_GAP: Words =
    Words { zh: "网关声明有记录被丢弃", en: "a gateway declares that records were dropped" };
/// `tamper`
pub const CAUSE_TAMPER: Words =
    Words { zh: "电表有强篡改迹象", en: "a strong sign of tampering stands at a meter" };
/// `fork`
pub const CAUSE_FORK: Words =
    Words { zh: "同一日志出现两份签名历史", en: "two signed histories of one log" };
/// `foreign_act`
pub const CAUSE_FOREIGN_ACT: Words = Words {
    zh: "网关执行了非主管机关签名的指令：复位、许可、名单或密钥",
    en: "a gateway obeyed a reset, permit, roster or key that the authority did not sign",
};
/// `plate_edited`
pub const CAUSE_PLATE_EDITED: Words = Words {
    zh: "铭牌改动跨越目录界限",
    en: "an edited nameplate crosses a bound of the catalogue",
};
/// `rollback`
pub const CAUSE_ROLLBACK: Words = Words {
    zh: "网关日志少于已收讫的记录",
    en: "a gateway has fewer records than were receipted",
};
/// `meter_fault`
pub const CAUSE_METER_FAULT: Words = Words {
    zh: "应停设备的电表不应答或缺少读数",
    en: "a meter of equipment under a duty fails or lacks a reading",
};
/// `disk_full`
pub const CAUSE_DISK_FULL: Words = Words { zh: "网关磁盘曾满", en: "a gateway's disk was full" };
/// `journal_damaged`
pub const CAUSE_JOURNAL_DAMAGED: Words =
    Words { zh: "网关日志受损", en: "a gateway's journal was damaged" };
/// `certificate_expiring`
pub const CAUSE_CERTIFICATE_EXPIRING: Words =
    Words { zh: "网关证书即将或已经到期", en: "a gateway's certificate ends soon, or has ended" };
/// `last_gasp`
pub const CAUSE_LAST_GASP: Words =
    Words { zh: "网关自身供电中断", en: "a gateway's own supply fails" };
/// `oversized`
pub const CAUSE_OVERSIZED: Words =
    Words { zh: "有记录超过服务器允许的大小", en: "a record is larger than the broker takes" };
/// `clock_stepped`
pub const CAUSE_CLOCK_STEPPED: Words =
    Words { zh: "网关时钟被拨动", en: "a gateway's clock was moved" };
/// `plate_unreadable`
pub const CAUSE_PLATE_UNREADABLE: Words = Words { zh: "铭牌读不出", en: "a nameplate cannot be read" };
/// `plate_differs`
pub const CAUSE_PLATE_DIFFERS: Words =
    Words { zh: "铭牌读数与申报不符", en: "a nameplate as read differs from the declared one" };
/// `not_on_roster`
pub const CAUSE_NOT_ON_ROSTER: Words =
    Words { zh: "在目录之内而名单未列", en: "in scope, and the roster does not list it" };
/// `undetermined`
pub const CAUSE_UNDETERMINED: Words =
    Words { zh: "类别尚不能确定", en: "its class cannot be told yet" };
/// `reconcile`
pub const CAUSE_RECONCILE: Words =
    Words { zh: "网关与供电企业电度不符", en: "gateway and supplier counted differently" };

/// What a step did: `raise`.
pub const STEP_RAISE: Words = Words { zh: "触发", en: "raised" };
/// `settle`
pub const STEP_SETTLE: Words = Words { zh: "用电停止，锁存仍在", en: "rests; the latch stands" };
/// `clear`
pub const STEP_CLEAR: Words = Words { zh: "条件消失", en: "its condition is gone" };
/// `acknowledge`
pub const STEP_ACKNOWLEDGE: Words = Words { zh: "确认", en: "acknowledged" };
/// `shelve`
pub const STEP_SHELVE: Words = Words { zh: "搁置", en: "shelved" };
/// `unshelve`
pub const STEP_UNSHELVE: Words = Words { zh: "取消搁置", en: "taken off the shelf" };
/// `inhibit`
pub const STEP_INHIBIT: Words = Words { zh: "由上级告警涵盖", en: "a wider alarm tells of it" };
/// `release`
pub const STEP_RELEASE: Words =
    Words { zh: "不再由上级告警涵盖", en: "no wider alarm tells of it any more" };
/// `retire`
pub const STEP_RETIRE: Words = Words { zh: "停用", en: "taken out of service" };
/// `restore`
pub const STEP_RESTORE: Words = Words { zh: "恢复使用", en: "back in service" };
/// `escalate`
pub const STEP_ESCALATE: Words = Words { zh: "上报上一级", en: "handed to the level above" };

/// Beside a count of alarms that a notification has no room for.
pub const AND_FURTHER: Words = Words { zh: "其余", en: "further" };
