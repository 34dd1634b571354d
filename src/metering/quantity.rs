//! What a register may mean. The canonical unit, the ratios in its way and its bounds follow from the quantity and are
//! never written twice.

use super::profile::Times;

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
    ImportT1 "import_t1" "kWh"; ImportT2 "import_t2" "kWh"; ImportT3 "import_t3" "kWh"; ImportT4 "import_t4" "kWh";
    Energy "energy" "kWh";
    Reactive "reactive" "var"; ReactiveL1 "reactive_l1" "var"; ReactiveL2 "reactive_l2" "var";
    ReactiveL3 "reactive_l3" "var";
    Apparent "apparent" "VA"; ApparentL1 "apparent_l1" "VA"; ApparentL2 "apparent_l2" "VA";
    ApparentL3 "apparent_l3" "VA";
    Pf "pf" "1"; PfL1 "pf_l1" "1"; PfL2 "pf_l2" "1"; PfL3 "pf_l3" "1";
    Frequency "frequency" "Hz";
    ReactiveImport "reactive_import" "kvarh"; ReactiveExport "reactive_export" "kvarh";
    Clock "clock" "s"; UptimeS "uptime_s" "s"; RunHours "run_hours" "h";
    MaxDemand "max_demand" "W"; PowerFails "power_fails" "1";
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
        self.register_index().is_some()
    }

    /// Position in tables of all energy registers.
    pub const fn register_index(self) -> Option<usize> {
        let (mut position, mut rest): (usize, &[Quantity]) = (0, &COUNTERS);
        while let Some((counter, after)) = rest.split_first() {
            if counter.index() == self.index() {
                return Some(position);
            }
            (position, rest) = (position + 1, after);
        }
        None
    }

    /// The transformers that stand between the line and a meter that measures this on its own side.
    pub const fn times(self) -> Times {
        match self.sort() {
            Sort::Voltage => Times::PT,
            Sort::Current => Times::CT,
            Sort::Power | Sort::Counter => Times::BOTH,
            Sort::Factor | Sort::Frequency | Sort::Life => Times::NONE,
        }
    }

    /// Whether a meter of this world can truly show this, primary side, in thousandths of the unit. What cannot be is
    /// a sentinel nobody declared or a map that does not fit, and never a number.
    pub const fn is_plausible(self, value: i64) -> bool {
        match self.sort() {
            // The highest line of the world carries 1 100 kV.
            Sort::Voltage => value >= 0 && value <= 1_500_000 * 1_000,
            // Pot lines reach 600 kA; the sign is a direction.
            Sort::Current => value.unsigned_abs() <= 1_000_000 * 1_000,
            // The largest power station has 22.5 GW.
            Sort::Power => value.unsigned_abs() <= 30_000_000_000 * 1_000,
            // Rounding of the meter may lead a little past one.
            Sort::Factor => value.unsigned_abs() <= 1_010,
            // 16.7, 50 and 60 Hz; a dead line has none.
            Sort::Frequency => value == 0 || (value >= 15_000 && value <= 100_000),
            // A combined total may be a balance.
            Sort::Counter => value >= if matches!(self, Quantity::Energy) { -MAX_VALUE } else { 0 },
            Sort::Life => value >= 0,
        }
    }

    const fn sort(self) -> Sort {
        match self {
            Quantity::VoltageL1
            | Quantity::VoltageL2
            | Quantity::VoltageL3
            | Quantity::VoltageL12
            | Quantity::VoltageL23
            | Quantity::VoltageL31 => Sort::Voltage,
            Quantity::CurrentL1 | Quantity::CurrentL2 | Quantity::CurrentL3 | Quantity::CurrentN => {
                Sort::Current
            }
            Quantity::Power
            | Quantity::PowerL1
            | Quantity::PowerL2
            | Quantity::PowerL3
            | Quantity::Reactive
            | Quantity::ReactiveL1
            | Quantity::ReactiveL2
            | Quantity::ReactiveL3
            | Quantity::Apparent
            | Quantity::ApparentL1
            | Quantity::ApparentL2
            | Quantity::ApparentL3
            | Quantity::MaxDemand => Sort::Power,
            Quantity::Pf | Quantity::PfL1 | Quantity::PfL2 | Quantity::PfL3 => Sort::Factor,
            Quantity::Frequency => Sort::Frequency,
            Quantity::Import
            | Quantity::ImportL1
            | Quantity::ImportL2
            | Quantity::ImportL3
            | Quantity::Export
            | Quantity::ExportL1
            | Quantity::ExportL2
            | Quantity::ExportL3
            | Quantity::ImportT1
            | Quantity::ImportT2
            | Quantity::ImportT3
            | Quantity::ImportT4
            | Quantity::Energy
            | Quantity::ReactiveImport
            | Quantity::ReactiveExport => Sort::Counter,
            Quantity::Clock | Quantity::UptimeS | Quantity::RunHours | Quantity::PowerFails => Sort::Life,
        }
    }
}

/// Largest magnitude a decoded value may have, in thousandths of its unit: what a record can carry exactly.
pub const MAX_VALUE: i64 = (1 << 53) - 1;

/// What quantities of one kind have in common.
#[derive(Clone, Copy)]
enum Sort {
    Voltage,
    Current,
    Power,
    Factor,
    Frequency,
    Counter,
    Life,
}

/// The energy registers a meter may have.
const COUNTERS: [Quantity; REGISTERS] = [
    Quantity::Import,
    Quantity::ImportL1,
    Quantity::ImportL2,
    Quantity::ImportL3,
    Quantity::Export,
    Quantity::ExportL1,
    Quantity::ExportL2,
    Quantity::ExportL3,
    Quantity::ImportT1,
    Quantity::ImportT2,
    Quantity::ImportT3,
    Quantity::ImportT4,
    Quantity::Energy,
    Quantity::ReactiveImport,
    Quantity::ReactiveExport,
];

/// How many energy registers a meter may have.
pub const REGISTERS: usize = 15;

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

    #[test]
    fn every_counter_has_a_place_of_its_own() {
        let counters = Quantity::ALL.iter().filter(|quantity| quantity.unit().ends_with('h'));
        let places: Vec<_> = counters.filter_map(|quantity| quantity.register_index()).collect();
        assert_eq!(places, (0..REGISTERS).collect::<Vec<_>>());
        assert!(!Quantity::RunHours.is_register() && !Quantity::Power.is_register());
    }

    #[test]
    fn what_no_meter_can_show_is_not_plausible() {
        for (quantity, good, bad) in [
            (Quantity::Frequency, 49_980, 6_553_500),
            (Quantity::Frequency, 0, 5_000),
            (Quantity::VoltageL1, 230_000, -1),
            (Quantity::Pf, -1_000, 32_767),
            (Quantity::Import, 0, -10),
            (Quantity::Energy, -10, i64::MIN),
            (Quantity::Power, -150_000_000_000, i64::MIN),
            (Quantity::CurrentN, 600_000_000, 2_147_483_647),
        ] {
            assert!(quantity.is_plausible(good) && !quantity.is_plausible(bad), "{quantity:?}");
        }
    }
}
