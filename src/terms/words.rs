//! The sentences a person reads, Chinese and English side by side, so that neither can be forgotten.

mod alarms;
mod certificate;
mod console;
mod dark;
mod explain;
mod findings;
mod inside;
mod orders;
mod page;
mod reports;
mod service;
mod setup;
mod share;
mod signs;

pub use alarms::*;
pub use certificate::*;
pub use console::*;
pub use dark::*;
pub use explain::*;
pub use findings::*;
pub use inside::*;
pub use orders::*;
pub use page::*;
pub use reports::*;
pub use service::*;
pub use setup::*;
pub use share::*;
pub use signs::*;

/// The two languages of every screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// 中文
    Chinese,
    /// English
    English,
}

impl Language {
    /// Chinese for a locale such as `zh_CN.UTF-8`, English for any other.
    pub fn of_locale(locale: &str) -> Language {
        if locale.starts_with("zh") { Language::Chinese } else { Language::English }
    }
}

/// One sentence in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// The Chinese text.
    pub zh: &'static str,
    /// The English text.
    pub en: &'static str,
}

impl Words {
    /// The text in one language.
    pub const fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::Chinese => self.zh,
            Language::English => self.en,
        }
    }
}

/// Shown wherever `dead` is shown.
pub const NOT_A_TEST_FOR_DEAD: Words = Words {
    zh: "远程未观测到电压。这不是验电。触碰前必须验电、接地、上锁。",
    en: "No voltage observed remotely. Not a test for dead. Test, earth and lock before touching.",
};
/// Shown wherever a cut is spoken of that no meter shows now.
pub const VOLTAGE_MAY_BE_PRESENT: Words = Words {
    zh: "可能带电：远程未证实无电压。触碰前必须验电、接地、上锁。",
    en: "Voltage may be present: nothing seen remotely says otherwise. Test, earth and lock before touching.",
};
/// Shown wherever `auxiliary` is shown.
pub const KEEP_COOLING: Words = Words {
    zh: "不得为消除此状态而切断冷却、吹扫、排水或检测。",
    en: "Never switch off cooling, purge, drainage or detection to clear this state.",
};

/// Shown wherever a current transformer is suspected.
pub const NEVER_OPEN_A_SECONDARY: Words = Words {
    zh: "严禁开路电流互感器二次侧；须由被授权人员在试验端子上短接。",
    en: "Never open a CT secondary; short it at the test block, authorised person only.",
};

/// `dead`
pub const DEAD: Words =
    Words { zh: "无电压、无电流、电度未动", en: "no voltage, no current, registers still" };
/// `energised`
pub const ENERGISED: Words =
    Words { zh: "带电但未用电", en: "voltage present, nothing drawn beyond no-load" };
/// `auxiliary`
pub const AUXILIARY: Words =
    Words { zh: "仅在申报的辅助用电之内", en: "drawing within the declared allowances" };
/// `drawing`
pub const DRAWING: Words = Words { zh: "正在用电", en: "drawing power beyond the declared allowances" };
/// `exporting`
pub const EXPORTING: Words = Words {
    zh: "向电网反送电，超出申报",
    en: "feeding back beyond what is declared, or alive behind a point that should be open",
};
/// `energised` where the voltage is taken before the breaker.
pub const BUS_LIVE: Words = Words {
    zh: "无电流，母线带电；断路器之后的线路看不到",
    en: "no current, bus live; nothing is seen of the line behind the breaker",
};
/// `energised` or `dead` of equipment that fuel runs and its drives show.
pub const DRIVES_NOT_DRAWING: Words = Words {
    zh: "传动未用电；燃料窑炉是否停火，电表无法证明",
    en: "drives not drawing; whether the fire is out no meter can tell",
};
/// Of equipment whose running no meter shows.
pub const NO_WITNESS: Words = Words {
    zh: "此类设备的运行不在电表上显现，以下读数不作证明",
    en: "the running of such equipment does not show at a meter: this proves nothing",
};
/// `auxiliary` within three days of the end of drawing.
pub const COOLING_DOWN: Words = Words {
    zh: "停机后冷却阶段（仅为物理状态标签，不是法定宽限）",
    en: "cooling down after it drew: a physical label, no legal grace",
};
/// Said of a meter whose floor is too high for its equipment.
pub const METER_UNFIT: Words = Words {
    zh: "电表不适合此设备：其盲区超过额定功率的 5 %",
    en: "meter unfit for this equipment: more than 5 % of its rating could hide below the floor",
};
/// Stands before the power that could hide below a floor.
pub const NOT_MEASURABLE_UP_TO: Words = Words { zh: "不可测量，至多", en: "not measurable, up to" };

/// `unknown`
pub const UNKNOWN: Words = Words {
    zh: "未知：没有证据，不等于停用",
    en: "unknown: no evidence, which is not the same as off",
};

/// A verdict that says violation.
pub const VIOLATION: Words = Words {
    zh: "违规：已申报退出的设备在用电",
    en: "VIOLATION: equipment declared decommissioned draws power",
};
/// A verdict whose violation is over but not reset.
pub const LATCHED: Words = Words {
    zh: "违规已锁存，待主管机关复位",
    en: "violation latched until the authority resets it",
};
/// A signature that verified under a trusted or self-declared key.
pub const SIGNATURE_GOOD: Words = Words { zh: "签名有效", en: "signature valid" };
/// A record whose predecessor has not been seen.
pub const PLACE_PENDING: Words =
    Words { zh: "签名有效，链上位置待证", en: "signature valid, place in chain pending" };
/// Keys come from the log itself.
pub const SELF_ANCHORED: Words = Words {
    zh: "公钥取自记录自身（首次信任）。请用 --trust 固定公钥。",
    en: "the key came with the records themselves; pin it with --trust KEY",
};

// What stands between us and a bus: cause and next step.

/// No such serial device.
pub const NO_DEVICE: Words = Words {
    zh: "没有该串口设备；请检查适配器是否插好、路径是否正确",
    en: "there is no such serial device; see whether the adapter is plugged in and the path is right",
};
/// A serial device that is not for us.
pub const DEVICE_FORBIDDEN: Words = Words {
    zh: "无权打开串口设备；请将运行用户加入 dialout 组",
    en: "the serial device may not be opened; add the program's user to the group dialout",
};
/// A serial device that another program has.
pub const DEVICE_TAKEN: Words = Words {
    zh: "串口设备被另一程序占用；请先停止该程序",
    en: "another program has the serial device; stop it first",
};
/// A line on which somebody always talks.
pub const LINE_NOT_SILENT: Words = Words {
    zh: "线路始终不静默；可能有另一主站、波特率不符或接线有误",
    en: "the line does not fall silent: another master, a wrong baud rate, or bad wiring",
};
/// A port that takes connections and questions, and answers none.
pub const BUS_NOT_SERVED: Words = Words {
    zh: "端口已开放但无应答；网关可能只服务一个客户端，请检查是否有另一主站",
    en: "the port is open and nobody answers: does another master hold the only connection of this gateway?",
};
/// A bus that refuses our certificate.
pub const BUS_CERTIFICATE_REFUSED: Words = Words {
    zh: "对方拒绝我们的证书；请核对 [[bus]] 的 tls 中的 certificate 与 key",
    en: "the other side refuses our certificate; check `certificate` and `key` in the `tls` of this [[bus]]",
};
/// A bus whose certificate is not believed.
pub const BUS_PEER_NOT_BELIEVED: Words = Words {
    zh: "对方的证书不可信；请核对 [[bus]] 的 tls 中的 ca 与 server_name",
    en: "the other side's certificate is not believed; check `ca` and `server_name` in the `tls` of this [[bus]]",
};
/// A program without serial lines.
pub const NO_SERIAL_LINES: Words = Words {
    zh: "本程序未编译串口支持（功能 serial）",
    en: "this program was built without the feature `serial`",
};

// What the law says of a piece of equipment.

/// `in_scope`
pub const CLASS_IN_SCOPE: Words = Words { zh: "属于淘汰范围", en: "in scope: to be eliminated" };
/// `undetermined`
pub const CLASS_UNDETERMINED: Words = Words {
    zh: "尚不能认定：缺少铭牌数据或主管机关认定",
    en: "undetermined: a line of the nameplate or the authority's ruling is missing",
};
/// `exempt`
pub const CLASS_EXEMPT: Words = Words { zh: "条款除外", en: "exempt by the entry itself" };
/// `out_of_scope`
pub const CLASS_OUT_OF_SCOPE: Words = Words { zh: "不属于淘汰范围", en: "out of scope" };
/// `pre_deadline`
pub const PHASE_PRE_DEADLINE: Words =
    Words { zh: "期限未到，用电仅作记录", en: "not over: drawing is information" };
/// `overdue`
pub const PHASE_OVERDUE: Words = Words { zh: "已逾期，必须停用", en: "over: it must be cold" };
/// Before the day itself.
pub const LAST_LAWFUL_DAY: Words = Words { zh: "最后合法运行日", en: "last lawful day" };
/// The last lawful day nears.
pub const DEADLINE_WARNING: Words = Words {
    zh: "最后合法运行日将至。停炉需要时间：请按规程安排降温、排空、吹扫，期间不得切断冷却、吹扫、排水或检测。",
    en: "The last lawful day nears. An orderly shutdown takes time: plan cooling, emptying and purging, and keep cooling, purge, drainage and detection on meanwhile.",
};
/// Nameplate and declaration differ.
pub const PLATE_DIFFERS: Words =
    Words { zh: "铭牌与申报不符", en: "the nameplate says something else than was declared" };
/// An edit crossed a bound.
pub const CLASS_CHANGED: Words =
    Words { zh: "铭牌改动跨越法定界限", en: "an EDIT OF THE NAMEPLATE crossed a bound of the law" };
/// In scope and not listed.
pub const NOT_ON_ROSTER: Words = Words {
    zh: "属于淘汰范围，但不在主管机关的名单上",
    en: "in scope, but the authority's roster does not list it",
};

// What a broker, or the way to it, may have against us: cause and next step.

/// Nobody subscribes to the topic, so the broker kept nothing.
pub const NO_SUBSCRIBER: Words = Words {
    zh: "无人订阅该主题；记录留在日志中等待",
    en: "nobody subscribes; the record waits in the journal",
};
/// A limit of the broker.
pub const BROKER_QUOTA: Words = Words {
    zh: "已达 MQTT 服务器的配额；请提高配额或等待",
    en: "a quota of the broker is reached; raise it or wait",
};
/// The login.
pub const LOGIN_REFUSED: Words = Words {
    zh: "MQTT 服务器拒绝此登录；请核对用户名、密码文件和允许的客户端",
    en: "the broker refuses this login; check user, password file and the clients it allows",
};
/// The access rules, at one topic.
pub const TOPIC_FORBIDDEN: Words = Words {
    zh: "MQTT 服务器的访问规则不允许此主题；请在其 ACL 中为本客户端开放 coldhearth/v1/#",
    en: "the broker's access rules forbid this topic; allow this client coldhearth/v1/# in its ACL",
};
/// Somebody else connected under our name.
pub const TAKEN_OVER: Words = Words {
    zh: "另一客户端在使用我们的客户端标识；两个网关程序不得共用网关编号和企业代码，两个采集程序不得共用客户端标识",
    en: "another client uses our client id; two agents must not share gateway id and enterprise, nor two collectors a client id",
};
/// The broker hangs up again and again, without a word.
pub const HUNG_UP: Words = Words {
    zh: "MQTT 服务器一再接受我们，随即不说原因地断开：多半另一客户端在使用我们的客户端标识；两个网关程序不得共用网关编号和企业代码，两个采集程序不得共用客户端标识；MQTT 服务器的日志会说明",
    en: "the broker takes us and hangs up again and again without a word: most likely another client uses our client id; two agents must not share gateway id and enterprise, nor two collectors a client id; the broker's log tells",
};
/// A packet that cannot be taken.
pub const PACKET_TOO_LARGE: Words = Words {
    zh: "有人发布了超过 320 KiB 的消息，MQTT 服务器把它转发给了我们；我们请服务器丢弃为我们保存的全部消息后重新连接，缺失的记录将另行索取；请在 MQTT 服务器上限制消息大小（mosquitto：max_packet_size 262144；nats-server：max_payload 262144）",
    en: "somebody published a message of more than 320 KiB and the broker brought it; we connect again once the broker has let go of all it kept for us, and records that are missing are asked for; limit the size of messages at the broker (mosquitto: max_packet_size 262144; nats-server: max_payload 262144)",
};
/// The protocol's version.
pub const NO_COMMON_VERSION: Words = Words {
    zh: "MQTT 服务器既不接受 MQTT 5 也不接受 3.1.1；请升级 MQTT 服务器",
    en: "the broker takes neither MQTT 5 nor 3.1.1; upgrade it",
};
/// Any other reason of the broker.
pub const REFUSED_BY_BROKER: Words =
    Words { zh: "MQTT 服务器拒绝；原因见其日志", en: "the broker refused; its log says why" };
/// Nobody answers at the address.
pub const BROKER_UNREACHABLE: Words = Words {
    zh: "该地址没有 MQTT 服务器；请核对主机、端口及其是否运行",
    en: "no broker at that address; check host, port and that it runs",
};
/// The connection broke.
pub const CONNECTION_BROKEN: Words = Words {
    zh: "与 MQTT 服务器的连接中断；正在重连",
    en: "the connection to the broker broke; connecting again",
};
/// Whoever answers closed the connection at our first word.
pub const CONNECTION_DROPPED: Words = Words {
    zh: "对方接受连接后立即关闭；该端口可能要求 TLS（请配置 tls），或不是 MQTT 端口",
    en: "whoever answers closes the connection at our greeting; the port may want TLS (configure `tls`) or be no MQTT port",
};
/// The broker stopped answering.
pub const BROKER_SILENT: Words = Words {
    zh: "MQTT 服务器不再应答；正在重连",
    en: "the broker stopped answering; connecting again",
};
/// We took leave ourselves.
pub const DISCONNECTED: Words = Words { zh: "已按要求断开", en: "disconnected on request" };
/// We took leave ourselves, to come back with a new certificate.
pub const CERTIFICATE_RENEWED: Words = Words {
    zh: "证书文件已更新；正在用新证书重连",
    en: "the certificate files are new; connecting again with them",
};
/// We took leave ourselves, to be brought again what we had passed over.
pub const BROUGHT_AGAIN: Words = Words {
    zh: "数据库已赶上；正在重连，以取回积压时未能收下的消息",
    en: "the database has caught up; connecting again for the messages that could not be taken meanwhile",
};
/// Our authority did not issue the broker's certificate.
pub const AUTHORITY_UNKNOWN: Words = Words {
    zh: "MQTT 服务器的证书不是由我们的 CA 签发；请在 `ca` 中给出签发它的 CA，否则有人冒充 MQTT 服务器",
    en: "the broker's certificate was not issued by our authority; name the authority that issued it in `ca`, or somebody poses as the broker",
};
/// The broker's certificate has expired.
pub const BROKER_EXPIRED: Words = Words {
    zh: "MQTT 服务器的证书已过期；请在 MQTT 服务器上更新证书，并核对本机时钟",
    en: "the broker's certificate has expired; renew it at the broker, and check this machine's clock",
};
/// The broker's certificate is not valid yet.
pub const BROKER_NOT_YET_VALID: Words = Words {
    zh: "MQTT 服务器的证书尚未生效；请先核对本机时钟，再核对证书的起始日期",
    en: "the broker's certificate is not valid yet; check this machine's clock first, then the date the certificate begins",
};
/// The broker's certificate is for another host.
pub const WRONG_NAME: Words = Words {
    zh: "MQTT 服务器的证书属于另一主机；请按证书中的名称填写 `host`，或设置 `server_name`",
    en: "the broker's certificate is for another host; write `host` as the certificate does, or set `server_name`",
};
/// The broker's certificate cannot be used for another reason.
pub const BROKER_CERTIFICATE: Words = Words {
    zh: "MQTT 服务器的证书无法使用；请让其 CA 签发一张用于服务器的 X.509 v3 证书",
    en: "the broker's certificate cannot be used; have its authority issue an X.509 v3 certificate for servers",
};
/// The broker wants a certificate of us, and we have none.
pub const CERTIFICATE_MISSING: Words = Words {
    zh: "MQTT 服务器要求客户端证书而我们没有；请设置 `certificate` 和 `key`",
    en: "the broker wants a client certificate and we show none; set `certificate` and `key`",
};
/// The broker does not trust our certificate.
pub const CERTIFICATE_UNTRUSTED: Words = Words {
    zh: "MQTT 服务器不信任我们的客户端证书；请用它所信任的 CA 签发证书，或让它信任我们的 CA",
    en: "the broker does not trust our client certificate; have it issued by an authority the broker trusts, or let the broker trust ours",
};
/// Our certificate has expired.
pub const CERTIFICATE_EXPIRED: Words = Words {
    zh: "我们的客户端证书已过期；请放入新的证书和密钥文件，无需重启",
    en: "our client certificate has expired; put new certificate and key files in place, no restart needed",
};
/// Whoever answers does not speak TLS.
pub const NOT_TLS: Words = Words {
    zh: "该端口不使用 TLS；请核对端口（TLS 通常为 8883），或去掉 `tls`",
    en: "that port does not speak TLS; check the port (8883 is usual for TLS), or leave `tls` out",
};
/// The two sides find no way to encrypt that both know.
pub const NO_COMMON_TLS: Words = Words {
    zh: "双方没有共同的加密方式；请让 MQTT 服务器支持 TLS 1.2 或 1.3，若它要求客户端证书则设置 `certificate` 和 `key`",
    en: "no way to encrypt that both sides know; let the broker offer TLS 1.2 or 1.3, and if it wants a client certificate set `certificate` and `key`",
};
/// Our own certificate files cannot be used.
pub const CERTIFICATE_FILES_UNFIT: Words = Words {
    zh: "证书文件无法使用；具体见日志，更正后自动重试",
    en: "our certificate files cannot be used; the log says which and why, and they are read again by themselves",
};

// What the law says of a nameplate, and what to do about it.

/// In scope, before the deadline.
pub const STILL_LAWFUL: Words = Words {
    zh: "属淘汰范围，期限未到：可运行至期限日24时（北京时间），须在此前停产并安排拆除，不得转移",
    en: "IN SCOPE, deadline not yet reached: it may run to the end of that day (+08:00); stop it and arrange its dismantling by then, and do not move it elsewhere",
};
/// In scope, after the deadline.
pub const OVERDUE: Words = Words {
    zh: "属淘汰范围，期限已过：必须停产并拆除，不得转移",
    en: "IN SCOPE, overdue: it must stand still and be dismantled, and may not be moved elsewhere",
};
/// Undetermined.
pub const UNDETERMINED: Words = Words {
    zh: "尚不能认定：补齐所缺资料之前，既不得视为淘汰范围内，也不得视为范围外",
    en: "UNDETERMINED: until what is missing is supplied, it counts neither as in scope nor as out of scope",
};
/// Exempt.
pub const EXEMPT: Words = Words {
    zh: "属例外情形，不在淘汰之列：请保存例外依据以备核查",
    en: "EXEMPT: keep the proof of the exemption for inspection",
};
/// Out of scope.
pub const OUT_OF_SCOPE: Words = Words {
    zh: "不属于所列各文件的淘汰范围",
    en: "OUT OF SCOPE: no entry of these instruments catches it",
};
/// Before the deadline's day.
pub const DEADLINE: Words = Words { zh: "期限", en: "last lawful day" };
/// Before what is missing.
pub const MISSING: Words = Words { zh: "请补充", en: "supply" };
/// Before an authority's ruling that is missing.
pub const RULING_OF_AUTHORITY: Words =
    Words { zh: "主管部门对该类的认定", en: "a ruling of the authority on" };
/// Before the clause an entry rests on.
pub const CLAUSE: Words = Words { zh: "依据", en: "clause" };
/// Before the clause of an exemption.
pub const EXEMPTION: Words = Words { zh: "例外", en: "exemption" };
/// Before the files that were asked.
pub const RULE_FILE: Words = Words { zh: "规则文件", en: "file" };
/// Before advisories.
pub const LOOK_AT: Words = Words { zh: "请注意", en: "look at" };
/// Before lint.
pub const LOOSENS: Words =
    Words { zh: "地方文件试图放宽（无效）", en: "an overlay tries to loosen (without effect)" };
/// What an advisory or a finding of the lint means, by the word before its colon.
pub const ADVICE: &[(&str, Words)] = &[
    (
        "bound-exact",
        Words {
            zh: "铭牌值恰在界线上：“以下”是否含本数有两种读法，请主管部门认定",
            en: "the plate stands exactly on the bound, and 以下 can be read to include it: let the authority decide",
        },
    ),
    (
        "reading",
        Words {
            zh: "条文适用范围有争议，按中文本读法认定",
            en: "the clause can be read more narrowly; the Chinese text was followed",
        },
    ),
    (
        "presume-in-scope",
        Words {
            zh: "已符合淘汰条件，例外未经证明：由主张例外者举证，暂不列入处罚名单",
            en: "caught unless an exemption is proved: whoever claims it has the proof; not for sanction lists yet",
        },
    ),
    (
        "possible-earlier-deadline",
        Words {
            zh: "另有期限更早的条目尚未认定", en: "an undecided entry has an earlier deadline"
        },
    ),
    (
        "transfer",
        Words {
            zh: "通知印发后迁入：落后产能转移",
            en: "moved here after the notice: a transfer of backward capacity",
        },
    ),
    (
        "new-backward-capacity",
        Words {
            zh: "通知印发后新增的落后产能", en: "new backward capacity, built after the notice"
        },
    ),
    (
        "rolling-age",
        Words {
            zh: "期限日未超使用年限，现已超过",
            en: "within its years of service on the deadline, past them by now",
        },
    ),
    (
        "contradiction",
        Words {
            zh: "铭牌数据互相矛盾，未予采用", en: "these contradict each other, so neither was used"
        },
    ),
    ("repeal", Words { zh: "废止国家条目", en: "repeals a national entry" }),
    ("later-deadline", Words { zh: "推迟期限", en: "a later deadline" }),
    ("narrower-bound", Words { zh: "缩小界线", en: "a narrower bound" }),
    ("inclusive-to-exclusive", Words { zh: "把含本数改为不含本数", en: "excludes the bound's own figure" }),
    ("added-criterion", Words { zh: "增加条件", en: "a further condition" }),
    ("added-exemption", Words { zh: "增加例外", en: "a further exemption" }),
    ("widened-exemption", Words { zh: "扩大例外", en: "a wider exemption" }),
];
/// `full`
pub const WITNESS_FULL: Words =
    Words { zh: "电表可直接证明其运行，测点", en: "an electricity meter witnesses it at" };
/// `drives`
pub const WITNESS_DRIVES: Words = Words {
    zh: "电表只能通过下列传动设备间接证明（不可用整条馈线）",
    en: "an electricity meter witnesses only these drives of it, never the whole feeder",
};
/// `none`
pub const WITNESS_NONE: Words = Words {
    zh: "电表不能证明其是否运行",
    en: "an electricity meter cannot witness whether it runs",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_follows_the_locale() {
        assert_eq!(UNKNOWN.in_language(Language::of_locale("zh_CN.UTF-8")), UNKNOWN.zh);
        assert_eq!(UNKNOWN.in_language(Language::of_locale("C")), UNKNOWN.en);
    }

    #[test]
    fn unknown_is_never_worded_as_off() {
        for word in ["cold", "off,", "zero", "idle"] {
            assert!(!UNKNOWN.en.contains(word), "{word}");
        }
        assert!(UNKNOWN.zh.contains("不等于停用"));
    }
}
