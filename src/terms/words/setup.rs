//! The comments of a configuration that `init` writes, and what it says beside.

use super::Words;

/// At the top of the file.
pub const SETUP_HEAD: Words = Words {
    zh: "Coldhearth 网关配置，由 `coldhearth init` 生成，可直接通过 `coldhearth check`。\n\
         同名 `.d` 目录中的 *.toml 按文件名次序覆盖本文件；其后是环境变量，如 COLDHEARTH__BROKER__HOST=10.0.0.5；最后是 --set。\n\
         同一 id 的 [[meter]] 等条目逐项合并。密码与私钥不得写在此处，只写其文件名。修改后执行 `systemctl reload coldhearth`。",
    en: "Coldhearth agent, written by `coldhearth init`; passes `coldhearth check` as it is.\n\
         Files of the folder with the same name and `.d` lie over this one in the order of their names; over those variables,\n\
         as COLDHEARTH__BROKER__HOST=10.0.0.5, and over those --set. Entries such as [[meter]] are united by their id.\n\
         Passwords and private keys never stand here, only their files. After an edit: `systemctl reload coldhearth`.",
};
/// `[gateway]`
pub const SETUP_GATEWAY: Words = Words {
    zh: "网关身份：写入日志后不可更改。",
    en: "Who this gateway is; a log that has begun keeps it for good.",
};
/// `id`
pub const SETUP_ID: Words = Words {
    zh: "1 至 24 个 a-z 0-9 _ -；出现在每个主题中",
    en: "1 to 24 of a-z 0-9 _ -; part of every topic",
};
/// `division`
pub const SETUP_DIVISION: Words =
    Words { zh: "GB/T 2260 县级行政区划代码", en: "GB/T 2260: province, prefecture, county" };
/// `uscc`
pub const SETUP_USCC: Words =
    Words { zh: "企业统一社会信用代码", en: "unified social credit code of the enterprise" };
/// `state_dir`
pub const SETUP_STATE: Words = Words {
    zh: "密钥与日志所在目录；相对路径从本文件算起",
    en: "key and journal; a relative path counts from this file",
};
/// `profiles`
pub const SETUP_PROFILES: Words = Words {
    zh: "电表寄存器表目录，可写多个：[\"meters\", \"my-meters\"]",
    en: "folders of meter profiles; several: [\"meters\", \"my-meters\"]",
};
/// `[broker]`
pub const SETUP_BROKER: Words = Words {
    zh: "MQTT 代理。加密与双向认证：取消注释并放好文件；默认端口随之为 8883。",
    en: "The MQTT broker. To encrypt, and to prove who is who: uncomment, put the files there; the port is then 8883.",
};
/// `[authority]`, known.
pub const SETUP_AUTHORITY: Words = Words {
    zh: "主管机关的公钥：只有它签的回执才算送达，只有它签的指令才被执行。",
    en: "The authority's public key: only its receipts are delivery, only its acts are obeyed.",
};
/// `[authority]`, not known yet.
pub const SETUP_NO_AUTHORITY: Words = Words {
    zh: "尚无主管机关公钥：在取得并核对其指纹之前，送达只凭代理一面之词。",
    en: "No key of the authority yet: until it is here and its fingerprint compared, the broker's word is all there is.",
};
/// `[journal]`
pub const SETUP_JOURNAL: Words = Words {
    zh: "已取得回执且早于此天数的记录才会清除；超出大小时先删最旧的已回执记录。",
    en: "Receipted records older than this many days are pruned; beyond the size, the oldest receipted ones whatever their age.",
};
/// `[[bus]]`
pub const SETUP_BUS: Words = Words {
    zh: "一条总线即一个连接，其后的电表逐一询问，只读。tcp:// rtu:// rtu+tcp:// tls://",
    en: "A bus is one connection; the meters behind it are asked one after the other, and only read. tcp:// rtu:// rtu+tcp:// tls://",
};
/// `[[equipment]]`
pub const SETUP_EQUIPMENT: Words = Words {
    zh: "应淘汰的设备。declared 为其铭牌，属性见产业目录；与读到的铭牌相比，从严者为准。",
    en: "What is to stay cold. `declared` is its nameplate in the catalogue's attributes; of declared and read the stricter counts.",
};
/// `kind`
pub const SETUP_KIND: Words = Words { zh: "目录中的设备种类", en: "the catalogue's word" };
/// `rated_power_w`
pub const SETUP_RATED: Words = Words { zh: "额定功率，瓦", en: "rated power, in watts" };
/// `decommissioned_on`
pub const SETUP_DAY: Words = Words {
    zh: "申报的最后合法运行日；目录或名单更早者为准",
    en: "the last lawful day as declared; an earlier one of the catalogue or the roster rules",
};
/// `decommissioned_on`, when none was given.
pub const SETUP_NO_DAY: Words = Words {
    zh: "若已申报淘汰日期，取消注释并填写",
    en: "uncomment, and write the last lawful day where one is declared",
};
/// `[[meter]]`
pub const SETUP_METER: Words = Words {
    zh: "计量点。用 `coldhearth probe` 与 `coldhearth tap` 核对读数。",
    en: "A metering point. Compare its readings with `coldhearth probe` and `coldhearth tap`.",
};
/// `nominal_v`
pub const SETUP_NOMINAL: Words = Words {
    zh: "额定线电压，伏；单相为相电压",
    en: "line to line, in volts; of one phase for 1p",
};
/// `ct`
pub const SETUP_CT: Words = Words {
    zh: "与电流互感器铭牌一致；直接接入写 rated_a = 100",
    en: "as on the plate of the current transformer; for a direct meter rated_a = 100",
};
/// `rated_a`
pub const SETUP_RATED_A: Words = Words {
    zh: "直接接入电表的额定电流，安",
    en: "rated current of a direct meter, in amperes",
};
/// `pt`
pub const SETUP_PT: Words =
    Words { zh: "与电压互感器铭牌一致", en: "as on the plate of the voltage transformer" };
/// `voltage_point`
pub const SETUP_VOLTAGE_POINT: Words = Words {
    zh: "电压取自：bus 断路器前，line 断路器后，load 设备处",
    en: "where the voltage is taken: bus (before the breaker), line (behind it), load (at the equipment)",
};
/// Accuracy classes.
pub const SETUP_CLASSES: Words = Words {
    zh: "铭牌上的准确度等级；缺省时按最差假定，check 会说明",
    en: "classes as on the plates; what is missing is assumed, and `check` says what",
};
/// `[meter.papers]`
pub const SETUP_PAPERS: Words = Words {
    zh: "证明此表计量此设备的文件；缺失会写入记录。",
    en: "What shows that this meter measures this equipment; what is missing is said to be missing, in every record.",
};
/// `[[meter.allowance]]`
pub const SETUP_ALLOWANCE: Words = Words {
    zh: "可合法用电的项目，逐项申报。kind：lamps crane heaters barring cooling compensation generation other",
    en: "What may lawfully draw, item by item. kind: lamps crane heaters barring cooling compensation generation other",
};
/// Stands before what nobody has told yet.
pub const SETUP_FILL_IN: Words = Words { zh: "待填：", en: "FILL IN: " };
/// After the file was written, when something is to be filled in.
pub const SETUP_TO_FILL_IN: Words = Words {
    zh: "文件中标有“待填”的各行须按铭牌改正，其值仅为占位：",
    en: "lines marked FILL IN hold placeholders; correct them from the plates:",
};
/// Beside the list of what is to be filled in.
pub const SETUP_PLACEHOLDERS: Words = Words {
    zh: "按铭牌填好一项，即从此处删去一项；在此之前 check 和 run 都会提醒",
    en: "take each out once it says what the plate says; until then `check` and `run` warn of it",
};
/// After the file was written, when there was a key of the gateway already.
pub const SETUP_KEY_KEPT: Words = Words {
    zh: "本网关的密钥已存在，保持不变：",
    en: "this gateway's key was there already, and is kept:",
};
/// After the file was written, about the gateway's key.
pub const SETUP_HAND_OVER: Words = Words {
    zh: "将公钥交给主管机关，并以另一途径（电话、当面）读出指纹。",
    en: "Hand the public key over, and read the fingerprint out to the authority by another way.",
};
/// After the file was written, about the authority's key.
pub const SETUP_COMPARE: Words = Words {
    zh: "请与主管机关读出的指纹比对；不一致则勿启动。",
    en: "Compare it with what the authority reads out; do not start if it differs.",
};
