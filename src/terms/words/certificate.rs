//! Certificates of cut-off orders: the page that is printed.

use super::Words;

/// Its title.
pub const CERTIFICATE: Words = Words { zh: "停止供电见证书", en: "Certificate of a cut that holds" };
/// Under the title.
pub const CERTIFICATE_IS: Words = Words {
    zh: "由网关签名日志逐条重放得出；见证而不操作。只述所见，不断言企业未生产。",
    en: "Made by replaying the gateway's signed log, which witnesses and never switches. It tells what was seen, not what \
         the enterprise did.",
};
/// What the order is.
pub const C_ORDER: Words = Words { zh: "命令", en: "Order" };
/// On which basis.
pub const C_BASIS: Words = Words { zh: "法律依据", en: "Legal basis" };
/// Which equipment.
pub const C_ASSET: Words = Words { zh: "设备", en: "Equipment" };
/// Where it is cut.
pub const C_POINTS: Words = Words { zh: "计量点与断开点", en: "Metering and cutting points" };
/// What the supplier says it did.
pub const C_CLAIM: Words = Words { zh: "供电企业操作记录", en: "Supplier's own record" };
/// Where it stands.
pub const C_STANDS: Words = Words { zh: "结论", en: "It stands" };
/// How long it has held.
pub const C_HOLD: Words = Words { zh: "无电持续", en: "Hold" };
/// What was asked.
pub const C_ASKED: Words = Words { zh: "要求", en: "Asked for" };
/// What was not seen.
pub const C_GAPS: Words = Words { zh: "未见时段", en: "Not seen" };
/// The first witness.
pub const C_FIRST_WITNESS: Words =
    Words { zh: "第一见证：网关电表", en: "First witness: the gateway's meters" };
/// The second witness.
pub const C_SECOND_WITNESS: Words =
    Words { zh: "第二见证：供电企业读数", en: "Second witness: the supplier's own readings" };
/// What was seen when.
pub const C_STEPS: Words = Words { zh: "经过", en: "What was seen when" };
/// Keys and hashes.
pub const C_KEYS: Words = Words { zh: "密钥与摘要", en: "Keys and hashes" };
/// How to check it.
pub const C_CHECK: Words = Words { zh: "离线核验", en: "Check it offline" };
/// What checking it takes.
pub const C_CHECK_HOW: Words = Words {
    zh: "用网关日志（或导出包文件夹）、网关首把公钥与主管机关公钥，无需网络；日志或本页改动一个字节即不通过：",
    en: "With the gateway's log or its bundle's folder, the gateway's first and the authority's public key, no network; one \
         changed byte of log or page fails:",
};
/// What the order wants to be shown beside the meters.
pub const C_REQUIRED: Words = Words { zh: "命令另要求", en: "The order also requires" };
/// A test for dead on the spot.
pub const C_ON_SITE_TEST: Words = Words { zh: "现场验电", en: "on-site test" };
/// Photographs.
pub const C_PHOTOS: Words = Words { zh: "照片", en: "photographs" };
/// A seal.
pub const C_SEAL: Words = Words { zh: "封条", en: "seal" };
/// It was told of.
pub const C_TOLD: Words = Words { zh: "已申报", en: "told" };
/// Nobody has told of it.
pub const C_NOT_TOLD: Words = Words { zh: "未申报", en: "NOT told" };
/// The supplier says that it cut before the order let it.
pub const CLAIMED_TOO_EARLY: Words = Words {
    zh: "申报的断开时间早于命令允许的时间",
    en: "the cut is claimed before the order allowed it:",
};
/// The order names no key of the supplier's.
pub const READINGS_BY_AUTHORITY: Words = Words {
    zh: "供电企业读数由主管机关自行录入并签名：没有第二方签名",
    en: "the authority itself entered the supplier's reading: no second party signed",
};
/// It does, and readings that anybody else signed count for nothing.
pub const READINGS_BY_SUPPLIER: Words = Words {
    zh: "读数由命令所载供电企业自己的密钥签名：",
    en: "signed by the supplier's own key, which the order names:",
};
/// Safety and limits.
pub const C_SAFETY: Words = Words { zh: "安全", en: "Safety" };
/// The equipment is empty.
pub const C_SAFE_STATE: Words = Words { zh: "安全状态声明", en: "Safe state, as declared" };
/// The point's own meter carries the proof.
pub const CARRIER_OWN: Words = Words {
    zh: "由断开点自身电表见证（另有供电）",
    en: "proven by the point's own meter, on another supply",
};
/// The meter upstream does.
pub const CARRIER_UPSTREAM: Words = Words {
    zh: "断开点电表随之失电：由上级电表见证",
    en: "the point's own meter went dark with the cut: proven by the meter upstream",
};
/// The supplier's does.
pub const CARRIER_UTILITY: Words = Words {
    zh: "断开点电表随之失电：仅由供电企业电表见证",
    en: "the point's own meter went dark with the cut: proven by the supplier's meter alone",
};
/// Voltage is taken behind the cut.
pub const BEHIND_THE_BREAKER_SEEN: Words = Words {
    zh: "电压取自断路器之后：电表在线时有电即可见",
    en: "voltage is taken behind the breaker, and is seen while the meter answers",
};
/// Where it is taken is not told.
pub const VOLTAGE_POINT_UNTOLD: Words =
    Words { zh: "电压取自何处，日志未载明", en: "the log does not tell where voltage is taken" };
/// The meter goes dark with what it watches.
pub const METER_HANGS_ON_IT: Words = Words {
    zh: "电表由其所监视的馈线供电：断电即失声",
    en: "the meter hangs on the feeder it watches: a cut silences it",
};
/// The gateway does.
pub const GATEWAY_HANGS_ON_IT: Words = Words {
    zh: "网关由此馈线供电：断电即失声",
    en: "the gateway hangs on this feeder: a cut silences it",
};
/// There was no gap.
pub const NO_GAP: Words = Words { zh: "无", en: "none" };
/// More than is listed.
pub const AND_EARLIER: Words = Words { zh: "另有较早者", en: "earlier ones besides:" };
/// The supplier's meters that the order itself names.
pub const SERIAL_BY_ORDER: Words = Words {
    zh: "供电企业电表编号由命令载明",
    en: "the supplier's meter, as the order names it:",
};
/// Those that it does not.
pub const SERIAL_BY_READING: Words = Words {
    zh: "供电企业电表编号仅由首个读数载明，命令未载",
    en: "the supplier's meter, as its first reading names it and the order does not:",
};
/// What the meter upstream cannot tell from nothing.
pub const UPSTREAM_BLIND: Words = Words {
    zh: "上级电表分辨不出的电量至多",
    en: "what could have passed unseen by the meter upstream, at most:",
};
/// Which meter is upstream of which.
pub const UPSTREAM_OF: Words = Words { zh: "上级电表", en: "meter upstream:" };
/// The certificate holds.
pub const CERTIFICATE_HOLDS: Words =
    Words { zh: "见证书与日志逐字一致", en: "the certificate says what the log says, to the byte" };
/// It does not.
pub const CERTIFICATE_FAILS: Words = Words { zh: "见证书不成立", en: "THE CERTIFICATE DOES NOT HOLD" };
