//! What a register may mean. The canonical unit follows from the quantity and is never written twice.

macro_rules! quantities {
    ($($variant:ident $word:literal $unit:literal;)*) => {
        /// One measured quantity, by the word profiles use.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Quantity {
            $(#[doc = concat!("`", $word, "`, in thousandths of ", $unit)] $variant,)*
        }

        impl Quantity {
            /// Every quantity, in the order of their discriminants.
            pub const ALL: &'static [Quantity] = &[$(Quantity::$variant,)*];

            /// The word of the profile schema.
            pub const fn word(self) -> &'static str {
                match self { $(Quantity::$variant => $word,)* }
            }

            /// The unit of the profile schema; decoded values are thousandths of it.
            pub const fn unit(self) -> &'static str {
                match self { $(Quantity::$variant => $unit,)* }
            }
        }
    };
}

quantities! {
    Power "power" "W"; PowerL1 "power_l1" "W"; PowerL2 "power_l2" "W"; PowerL3 "power_l3" "W";
    VoltageL1 "voltage_l1" "V"; VoltageL2 "voltage_l2" "V"; VoltageL3 "voltage_l3" "V";
    VoltageL12 "voltage_l12" "V"; VoltageL23 "voltage_l23" "V"; VoltageL31 "voltage_l31" "V";
    CurrentL1 "current_l1" "A"; CurrentL2 "current_l2" "A"; CurrentL3 "current_l3" "A"; CurrentN "current_n" "A";
    Import "import" "kWh"; ImportL1 "import_l1" "kWh"; ImportL2 "import_l2" "kWh"; ImportL3 "import_l3" "kWh";
    Export "export" "kWh"; ExportL1 "export_l1" "kWh"; ExportL2 "export_l2" "kWh"; ExportL3 "export_l3" "kWh";
    Energy "energy" "kWh";
    Reactive "reactive" "var"; ReactiveL1 "reactive_l1" "var"; ReactiveL2 "reactive_l2" "var";
    ReactiveL3 "reactive_l3" "var";
    Apparent "apparent" "VA"; ApparentL1 "apparent_l1" "VA"; ApparentL2 "apparent_l2" "VA";
    ApparentL3 "apparent_l3" "VA";
    Pf "pf" "1"; PfL1 "pf_l1" "1"; PfL2 "pf_l2" "1"; PfL3 "pf_l3" "1";
    Frequency "frequency" "Hz";
    ReactiveImport "reactive_import" "kvarh"; ReactiveExport "reactive_export" "kvarh";
    Clock "clock" "s"; UptimeS "uptime_s" "s"; RunHours "run_hours" "h";
}

/// How many quantities there are.
pub const QUANTITIES: usize = Quantity::ALL.len();

impl Quantity {
    /// Reads the word of the profile schema.
    pub fn from_word(word: &str) -> Option<Quantity> {
        Quantity::ALL.iter().copied().find(|q| q.word() == word)
    }

    /// Position in tables of all quantities.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether it only ever counts up: an energy register.
    pub const fn is_register(self) -> bool {
        matches!(
            self,
            Quantity::Import
                | Quantity::ImportL1
                | Quantity::ImportL2
                | Quantity::ImportL3
                | Quantity::Export
                | Quantity::ExportL1
                | Quantity::ExportL2
                | Quantity::ExportL3
                | Quantity::Energy
                | Quantity::ReactiveImport
                | Quantity::ReactiveExport
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_positions_agree() {
        for (position, quantity) in Quantity::ALL.iter().enumerate() {
            assert_eq!(quantity.index(), position);
            assert_eq!(Quantity::from_word(quantity.word()), Some(*quantity));
        }
    }
}
