//! Two records that do not go together: what is seen, never what it is taken for, and the clause that asks.

use super::Words;

/// Stands beside every finding.
pub const FINDING_IS_NO_CONVICTION: Words = Words {
    zh: "两条签名记录互不相符：此为事实，请查证；不构成违规认定",
    en: "two signed records do not go together: a fact to look into; nobody is convicted by it",
};
/// `transfer`
pub const TRANSFER: Words =
    Words { zh: "同一台设备出现在两个厂址", en: "one machine at two sites" };
/// The clause of `transfer`.
pub const TRANSFER_CLAUSE: Words = Words {
    zh: "国发〔2010〕7号三（二）：拆除落后设施装置，防止落后产能转移。类别与期限随设备走，通知未设转移许可",
    en: "State Council notice 7 [2010], III(2): dismantle backward facilities, prevent the transfer of backward capacity. \
         Class and deadline follow the machine, and the notice knows no permit to move it",
};
/// `place_changed`
pub const PLACE_CHANGED: Words = Words {
    zh: "同一网关为同一设备登记了另一厂址",
    en: "one gateway names another site for one machine",
};
/// What may be behind `place_changed`.
pub const PLACE_CHANGED_CLAUSE: Words = Words {
    zh: "行政区划调整或信用代码变更则无碍；设备连同网关迁移则属转移：请核对",
    en: "nothing where a county was renamed or the enterprise has another code; a transfer where the machine moved with its \
         gateway: look which",
};
/// `meter_twice`
pub const METER_TWICE: Words =
    Words { zh: "同一只电表在两个厂址应答", en: "one meter answers at two sites" };
/// What may be behind `meter_twice`.
pub const METER_TWICE_CLAUSE: Words = Words {
    zh: "未经换表文书移装、出厂编号重复，或有装置冒充该表：请到两处核对",
    en: "moved without papers, a number stamped twice, or something that answers in its place: look at both",
};
/// `listed_twice`
pub const LISTED_TWICE: Words = Words {
    zh: "同一网关以两个名称列出同一台设备",
    en: "one machine under two names at one gateway",
};
/// What may be behind `listed_twice`.
pub const LISTED_TWICE_CLAUSE: Words = Words {
    zh: "设备改名、配置错误，或一块铭牌用于两台设备；一台设备只能计一次淘汰",
    en: "renamed, a mistake, or one plate on two machines; a machine is retired once",
};
/// `rating_edited`
pub const RATING_EDITED: Words = Words {
    zh: "同一台设备的两块铭牌分居目录界限两侧",
    en: "two nameplates of one machine on two sides of a bound of the catalogue",
};
/// The clause of `rating_edited`.
pub const RATING_EDITED_CLAUSE: Words = Words {
    zh: "国发〔2010〕7号六（三）：对瞒报、谎报的地区依法依规追责。请核对实物铭牌",
    en: "State Council notice 7 [2010], VI(3): regions answer for concealment and false reports. Look at the stamped plate",
};
/// `eliminated_draws`
pub const ELIMINATED_DRAWS: Words = Words {
    zh: "已报淘汰的设备此后仍在用电",
    en: "equipment that was reported eliminated drew power later",
};
/// The clause of `eliminated_draws`.
pub const ELIMINATED_DRAWS_CLAUSE: Words = Words {
    zh: "国发〔2010〕7号三（二）：拆除落后设施装置；六（三）：对瞒报、谎报的地区依法依规追责",
    en: "State Council notice 7 [2010], III(2): dismantle backward facilities; VI(3): regions answer for false reports",
};
/// Before the record that was written first.
pub const SAID_FIRST: Words = Words { zh: "先", en: "first" };
/// Before the record that was written later.
pub const SAID_LATER: Words = Words { zh: "后", en: "later" };
/// Before the record of the paper that excuses a finding.
pub const EXCUSED_BY: Words = Words { zh: "凭据（已说明）", en: "excused by" };
/// Of equipment that its owner declares to be out of service.
pub const DECOMMISSIONED_ON: Words = Words { zh: "申报停用日", en: "declared out of service after" };
/// Of equipment whose demolition the authority accepted.
pub const DEMOLITION_ACCEPTED: Words = Words { zh: "拆除已验收", en: "demolition accepted" };
