//! The sentences a person reads, Chinese and English side by side, so that neither can be forgotten.

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
/// Shown wherever `auxiliary` is shown.
pub const KEEP_COOLING: Words = Words {
    zh: "不得为消除此状态而切断冷却、吹扫、排水或检测。",
    en: "Never switch off cooling, purge, drainage or detection to clear this state.",
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
