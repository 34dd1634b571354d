//! What the service manager shows of a program, and what is said of the machine's clock.

use super::Words;

/// Before what each piece of equipment is said to be.
pub const ATTESTS_NOW: Words = Words { zh: "当前证明", en: "attests now" };
/// Before the first verdict.
pub const NOTHING_JUDGED: Words = Words { zh: "尚未作出判定", en: "nothing is judged yet" };
/// After the pieces of equipment that are shown, before the number of the others.
pub const FURTHER: Words = Words { zh: "另有设备数", en: "further equipment" };
/// Before the number of records a collector has kept.
pub const RECORDS_KEPT: Words = Words { zh: "已保存记录", en: "records kept" };
/// Before the number of receipts a collector has sent.
pub const RECEIPTS_SENT: Words = Words { zh: "已发回执", en: "receipts sent" };
/// A collector that is well.
pub const COLLECTS: Words = Words { zh: "正在收集", en: "collecting" };

/// `ntp`
pub const CLOCK_NTP: Words = Words { zh: "由时间服务器校准", en: "disciplined by a time server" };
/// Before a bound in milliseconds.
pub const CLOCK_OFF_BY: Words = Words { zh: "误差不超过", en: "off by no more than" };
/// `rtc`
pub const CLOCK_RTC: Words = Words {
    zh: "自由运行，无时间服务器；计误差 15 分钟",
    en: "runs free, no time server disciplines it; 15 minutes are allowed for",
};
/// `none`
pub const CLOCK_UNSET: Words = Words {
    zh: "从未校准：记录照写并注明，但不据此认定违规；请先校准",
    en: "was never set: records go on and say so, and convict nobody by it; set it",
};
/// What to do about a clock without a time server.
pub const CLOCK_SET_IT: Words = Words {
    zh: "校准：timedatectl set-ntp true；无网络时：timedatectl set-timezone Asia/Shanghai && timedatectl set-ntp false && timedatectl set-time '年-月-日 时:分:秒'，再以 coldhearth clock --by 核对",
    en: "to set it: timedatectl set-ntp true; without a network: timedatectl set-timezone Asia/Shanghai && timedatectl \
         set-ntp false && timedatectl set-time 'YYYY-MM-DD HH:MM:SS', then check it with coldhearth clock --by",
};
/// Before the battery clock's time.
pub const CLOCK_BATTERY: Words = Words { zh: "电池时钟", en: "battery clock" };
/// A machine without one.
pub const CLOCK_NO_BATTERY: Words = Words {
    zh: "无电池时钟：断电后时间将丢失，须再次校准",
    en: "none: after each power cut the time is lost, and has to be set again",
};
/// The battery clock is further from this one than it should be.
pub const CLOCK_BATTERY_OFF: Words = Words {
    zh: "与系统时钟不符；写入：hwclock --systohc",
    en: "not this clock's time; write it: hwclock --systohc",
};
/// Before the difference to the authority's clock.
pub const CLOCK_AUTHORITY: Words = Words { zh: "主管部门", en: "authority" };
/// A clock that was set in another zone.
pub const CLOCK_EIGHT_HOURS: Words = Words {
    zh: "正好差八小时：本机时区不是北京时间；先设时区再校时",
    en: "just eight hours: this machine's time zone is not China's; set the zone before the time",
};
/// No receipt tells the authority's time.
pub const CLOCK_NO_RECEIPT: Words =
    Words { zh: "尚无回执，无从比较", en: "no receipt yet, so its time is not known" };
/// When the latest receipt came.
pub const CLOCK_WHEN_RECEIPT_CAME: Words =
    Words { zh: "最近一份回执到达时", en: "when its latest receipt came" };
/// This clock is ahead.
pub const CLOCK_AHEAD: Words = Words { zh: "本机快", en: "this clock was ahead by" };
/// This clock is behind.
pub const CLOCK_BEHIND: Words = Words { zh: "本机慢", en: "this clock was behind by" };
/// Before the time that somebody reads elsewhere.
pub const CLOCK_BY_HAND: Words = Words { zh: "人工核对", en: "by hand" };
/// A difference within what a clock may err.
pub const CLOCK_WITHIN: Words = Words { zh: "在允许范围内", en: "within what is allowed for" };
/// A difference beyond it.
pub const CLOCK_BEYOND: Words =
    Words { zh: "超出 15 分钟：请校准", en: "more than the 15 minutes that are allowed for: set it" };
