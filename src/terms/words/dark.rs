//! The time in which the witness itself was dark, and how the life before it ended.

use super::Words;

/// The supply of the gateway's machine is failing.
pub const LAST_GASP: Words = Words {
    zh: "网关自身供电即将中断：最后消息",
    en: "the gateway's own supply is failing: its last word before it may go dark",
};
/// It was asked to stop.
pub const STOPPING: Words =
    Words { zh: "网关程序按要求停止", en: "the gateway's agent stops, as it was asked to" };
/// Asked to stop.
pub const ENDED_CLEAN: Words = Words { zh: "正常停止", en: "clean stop" };
/// Its supply failed, and it said so.
pub const ENDED_BY_POWER: Words =
    Words { zh: "供电中断，事前已告知", en: "power failed, last gasp on record" };
/// Nobody said.
pub const ENDED_UNKNOWN: Words = Words { zh: "原因不明", en: "reason unknown" };
/// A register that stood over the dark time.
pub const DARK_STILL: Words = Words {
    zh: "停机期间电度未动：无电能通过",
    en: "the register stood while nobody looked: no energy passed",
};
/// One that did not.
pub const DARK_MOVED: Words =
    Words { zh: "停机期间通过电能", en: "while nobody looked there passed" };
/// One that fell.
pub const DARK_UNTOLD: Words = Words {
    zh: "停机前后电度不连续：期间电能不明",
    en: "the register does not go on from before: what passed while nobody looked is not told",
};
/// On a certificate: times in which the witness was dark.
pub const C_DARKS: Words = Words { zh: "见证网关停机时段", en: "The witness itself was dark" };
/// On a certificate: the order was given in an earlier log.
pub const C_CONTINUES: Words = Words {
    zh: "本日志接续前一日志，此前状态仅凭网关自述：",
    en: "the log goes on after another, and how the order stood there is the gateway's word alone:",
};
