//! Three-valued logic: what is not known is neither held for true nor for false.

/// True, false, or not known. In ascending order, so that AND is the least and OR the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Truth {
    /// Surely not.
    False,
    /// May be.
    Unknown,
    /// Surely.
    True,
}

impl Truth {
    /// NOT; what is not known stays so.
    pub(super) const fn negated(self) -> Truth {
        match self {
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
            Truth::True => Truth::False,
        }
    }

    /// Several candidates decide only where all agree; none decide nothing.
    pub(super) fn agreed(candidates: impl IntoIterator<Item = Truth>) -> Truth {
        let mut candidates = candidates.into_iter();
        let Some(first) = candidates.next() else { return Truth::Unknown };
        if candidates.all(|other| other == first) { first } else { Truth::Unknown }
    }
}

impl From<bool> for Truth {
    fn from(is: bool) -> Truth {
        if is { Truth::True } else { Truth::False }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_or_and_not_are_kleenes() {
        use Truth::{False, True, Unknown};
        assert_eq!([True, Unknown, False].into_iter().min(), Some(False));
        assert_eq!(True.min(Unknown), Unknown);
        assert_eq!(False.max(Unknown), Unknown);
        assert_eq!(True.max(Unknown), True);
        assert_eq!([False, Unknown, True].map(Truth::negated), [True, Unknown, False]);
        assert_eq!(Truth::agreed([]), Unknown);
        assert_eq!(Truth::agreed([True, True]), True);
        assert_eq!(Truth::agreed([True, False]), Unknown);
        assert_eq!(Truth::agreed([False, Unknown]), Unknown);
    }
}
