//! How far a register map was proved. The program repeats it wherever the map matters.

use std::fmt;

use crate::terms::words::Words;

/// `tested = "..."`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tested {
    /// A frame of a real device, captured by somebody else, decodes to what its owner saw.
    Capture,
    /// The vendor's own worked example decodes to what it says.
    VendorExample,
    /// Power, a current and an energy counter each agree in two sources; no frame was decoded.
    SecondSource,
    /// One source, and nothing else.
    Untested,
    /// The map of a simulated meter.
    Simulated,
}

impl Tested {
    /// The words of the profile schema.
    pub const ALL: &'static [(&'static str, Tested)] = &[
        ("capture", Tested::Capture),
        ("vendor_example", Tested::VendorExample),
        ("second_source", Tested::SecondSource),
        ("untested", Tested::Untested),
        ("simulated", Tested::Simulated),
    ];

    /// What a person reads.
    pub const fn words(self) -> Words {
        match self {
            Tested::Capture => Words {
                zh: "已用真实电表的报文验证",
                en: "proved with captured frames of a real device",
            },
            Tested::VendorExample => Words {
                zh: "已用厂家文档的示例验证",
                en: "proved with the vendor's worked example",
            },
            Tested::SecondSource => Words {
                zh: "两处来源一致，未经真实电表验证",
                en: "two sources agree, not proved with a real device",
            },
            Tested::Untested => Words {
                zh: "仅一处来源，未经真实电表验证：投用前请用 probe 与表面读数核对",
                en: "one source only, untested on hardware: compare with the display by `probe` before use",
            },
            Tested::Simulated => {
                Words { zh: "仿真电表，并非真实设备", en: "simulated meter, no real device" }
            }
        }
    }
}

/// Both languages: whoever commissions a meter reads one of them.
impl fmt::Display for Tested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Words { zh, en } = self.words();
        write!(f, "{en} / {zh}")
    }
}
