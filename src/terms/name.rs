//! An identifier as it is written everywhere: configuration, topic, record, screen.

use std::fmt;

/// Longest identifier, in bytes.
pub const MAX_NAME_BYTES: usize = 24;

/// 1 to 24 of `[a-z0-9_-]`. `Copy`, so that no room needs a table to look names up in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    bytes: [u8; MAX_NAME_BYTES],
    len: u8,
}

impl Name {
    /// `None` unless 1 to 24 of `[a-z0-9_-]`.
    pub fn new(text: &str) -> Option<Name> {
        let lawful = |b: &u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        if text.is_empty() || !text.as_bytes().iter().all(lawful) {
            return None;
        }
        let mut bytes = [0; MAX_NAME_BYTES];
        bytes.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(Name { bytes, len: u8::try_from(text.len()).ok()? })
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|b| str::from_utf8(b).ok()).unwrap_or("")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub Name);

        impl $name {
            /// Reads an identifier; `None` unless it is a lawful [`Name`].
            pub fn new(text: &str) -> Option<$name> {
                Name::new(text).map($name)
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

identifiers! {
    /// A meter at its metering point.
    MeterId
    /// A piece of equipment under the law: a furnace, a kiln, a mill.
    AssetId
    /// One agent on one gateway.
    GatewayId
    /// A cut-off order.
    OrderId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_1_to_24_lower_case_letters_digits_and_dashes() {
        let longest = "a".repeat(24);
        for good in ["a", "eaf-2_b", longest.as_str()] {
            assert_eq!(Name::new(good).unwrap().as_str(), good);
        }
        let longer = "a".repeat(25);
        for bad in ["", "EAF", "a b", "炉", "a/b", "a+", longer.as_str()] {
            assert_eq!(Name::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn names_sort_as_their_text_does() {
        assert!(Name::new("a").unwrap() < Name::new("a-1").unwrap());
        assert!(Name::new("a-1").unwrap() < Name::new("b").unwrap());
    }
}
