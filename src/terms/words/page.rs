//! Short labels on the page of a certificate, and in the lines of `order status`.

use super::Words;

/// 自
pub const P_SINCE: Words = Words { zh: "自", en: "since" };
/// 截至
pub const P_AS_OF: Words = Words { zh: "截至", en: "as of" };
/// 出铁排空
pub const P_EMPTIED: Words = Words { zh: "出铁排空", en: "emptied" };
/// 冷却
pub const P_COOLED: Words = Words { zh: "冷却", en: "cooled" };
/// 吹扫
pub const P_PURGED: Words = Words { zh: "吹扫", en: "purged" };
/// 单线图
pub const P_SINGLE_LINE: Words = Words { zh: "单线图", en: "single-line diagram" };
/// 操作人
pub const P_BY: Words = Words { zh: "操作人", en: "by" };
/// 工作票
pub const P_TICKET: Words = Words { zh: "工作票", en: "ticket" };
/// 验电
pub const P_LIVE_DEAD_LIVE: Words = Words { zh: "验电", en: "live-dead-live" };
/// 接地
pub const P_EARTHED: Words = Words { zh: "接地", en: "earthed" };
/// 锁具
pub const P_LOCKS: Words = Words { zh: "锁具", en: "locks" };
/// 封条
pub const P_SEAL: Words = Words { zh: "封条", en: "seal" };
/// 夜
pub const P_NIGHTS: Words = Words { zh: "夜", en: "nights" };
/// 周末
pub const P_WEEKENDS: Words = Words { zh: "周末", en: "weekends" };
/// 已证
pub const P_PROVEN: Words = Words { zh: "已证", en: "proven" };
/// 此前各段
pub const P_EARLIER_HOLDS: Words = Words { zh: "此前各段", en: "earlier holds" };
/// 不计入
pub const P_NOT_COUNTED: Words = Words { zh: "不计入", en: "not counted" };
/// 最长
pub const P_LONGEST: Words = Words { zh: "最长", en: "longest" };
/// 电度走动
pub const P_MOVED: Words = Words { zh: "电度走动", en: "registers moved" };
/// 可分辨
pub const P_TOLD_FROM: Words = Words { zh: "可分辨", en: "told from" };
/// 一致
pub const P_AGREES: Words = Words { zh: "一致", en: "agrees" };
/// 逐日
pub const P_BY_DAY: Words = Words { zh: "逐日", en: "by day" };
/// 相符
pub const P_AGREE: Words = Words { zh: "相符", en: "agree" };
/// 不符
pub const P_DIFFER: Words = Words { zh: "不符", en: "differ" };
/// 步长
pub const P_STEP: Words = Words { zh: "步长", en: "step" };
/// 网关
pub const P_GATEWAY: Words = Words { zh: "网关", en: "gateway" };
/// 命令
pub const P_ORDER: Words = Words { zh: "命令", en: "order" };
/// 本书
pub const P_THIS_CERTIFICATE: Words = Words { zh: "本书", en: "this certificate" };
/// Since when a hold runs.
pub const HOLD_SINCE: Words = Words { zh: "无电持续自", en: "without power since" };
/// Minutes that are proven.
pub const MINUTES_PROVEN: Words = Words { zh: "分钟已证", en: "min proven" };
/// Minutes that were not seen.
pub const MINUTES_UNSEEN: Words = Words { zh: "分钟未见", en: "min not seen" };
/// Seconds of the longest gap.
pub const LONGEST_GAP: Words = Words { zh: "最长（秒）", en: "longest gap (s)" };
/// Where the equipment stands.
pub const BEHIND_GATEWAY: Words = Words { zh: "网关", en: "behind gateway" };
/// From when to when the supplier agrees.
pub const SUPPLIER_AGREES: Words =
    Words { zh: "供电企业读数一致", en: "the supplier's readings agree" };
