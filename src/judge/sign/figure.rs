//! The figures a sign rests on, by name.

/// Most figures of one sign.
pub const MAX_FIGURES: usize = 6;

worded! {
    /// What a figure is; its unit is the end of its word.
    Figure {
        /// Active power.
        Power "power_w"
        /// Active power of the phases without their signs.
        PhasePowers "phase_powers_w"
        /// Active power that voltage and current allow or imply.
        Implied "implied_w"
        /// Power the equipment is rated for.
        Rated "rated_w"
        /// Reactive power.
        Reactive "reactive_var"
        /// Reactive power that was declared, at the present voltage.
        Declared "declared_var"
        /// Voltage times current, over all phases.
        Apparent "apparent_va"
        /// A current.
        Current "current_ma"
        /// A voltage.
        Voltage "voltage_mv"
        /// The voltage of its neighbours.
        OthersVoltage "others_mv"
        /// A frequency.
        Frequency "frequency_mhz"
        /// The frequency of its neighbours.
        OthersFrequency "others_mhz"
        /// A phase, 1 to 3, or a pair of phases such as 12.
        Phase "phase"
        /// A register before.
        Before "before_wh"
        /// A register after.
        After "after_wh"
        /// What the total register told.
        Total "total_wh"
        /// What its parts told.
        Parts "parts_wh"
        /// Energy nobody accounts for.
        Residual "residual_wh"
        /// What the sum of all errors explains.
        Error "error_wh"
        /// How far a clock was moved.
        Step "step_ms"
        /// How long it has been so.
        Span "span_ms"
        /// Answer time before.
        SlowBefore "answer_before_ms"
        /// Answer time now.
        SlowNow "answer_now_ms"
        /// A number of readings.
        Readings "readings"
        /// Primary side of a ratio.
        Primary "ratio_primary"
        /// Secondary side of a ratio.
        Secondary "ratio_secondary"
        /// Primary side of the ratio before.
        PrimaryBefore "before_primary"
        /// Secondary side of the ratio before.
        SecondaryBefore "before_secondary"
    }
}

/// Figures with their names. No figure twice.
pub type Figures = heapless::Vec<(Figure, i64), MAX_FIGURES>;

/// Figures from a list, in the order of their words; what a record cannot carry exactly stops at its limit.
pub fn figures<const N: usize>(list: [(Figure, i64); N]) -> Figures {
    const { assert!(N <= MAX_FIGURES) };
    const LIMIT: i64 = (1 << 53) - 1;
    let mut figures: Figures =
        list.into_iter().map(|(figure, value)| (figure, value.clamp(-LIMIT, LIMIT))).collect();
    figures.sort_unstable_by_key(|(figure, _)| figure.word());
    figures
}

/// An intermediate result as a figure; saturates.
pub fn whole(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}
