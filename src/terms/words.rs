//! The sentences a person reads, Chinese and English side by side, so that neither can be forgotten.

mod alarms;
mod certificate;
mod console;
mod dark;
mod explain;
mod findings;
mod inside;
mod nameplate;
mod orders;
mod page;
mod reports;
mod service;
mod setup;
mod share;
mod signs;
mod ways;

pub use alarms::*;
pub use certificate::*;
pub use console::*;
pub use dark::*;
pub use explain::*;
pub use findings::*;
pub use inside::*;
pub use nameplate::*;
pub use orders::*;
pub use page::*;
pub use reports::*;
pub use service::*;
pub use setup::*;
pub use share::*;
pub use signs::*;
pub use ways::*;

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
