//! The languages every label is written in.

use core::fmt;
use core::str::FromStr;

/// A language of the labels in `meters/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// English, the language everything falls back to.
    #[default]
    En,
    /// Dutch.
    Nl,
    /// Danish.
    Da,
    /// German.
    De,
    /// Swedish.
    Sv,
    /// Finnish.
    Fi,
    /// Norwegian Bokmål.
    Nb,
    /// Polish.
    Pl,
}

impl Language {
    /// All languages, in the order in which labels are stored.
    pub const ALL: [Self; 8] = [
        Self::En,
        Self::Nl,
        Self::Da,
        Self::De,
        Self::Sv,
        Self::Fi,
        Self::Nb,
        Self::Pl,
    ];

    /// The two-letter code, as Home Assistant and the data files write it.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Nl => "nl",
            Self::Da => "da",
            Self::De => "de",
            Self::Sv => "sv",
            Self::Fi => "fi",
            Self::Nb => "nb",
            Self::Pl => "pl",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    /// Accepts `nl`, `nl-BE`, `nl_NL.UTF-8` and, because systems say it, `no` and `nn` for
    /// Norwegian.
    fn from_str(tag: &str) -> Result<Self, Self::Err> {
        let primary = tag.split(['-', '_', '.']).next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("no") || primary.eq_ignore_ascii_case("nn") {
            return Ok(Self::Nb);
        }
        Self::ALL
            .into_iter()
            .find(|language| language.code().eq_ignore_ascii_case(primary))
            .ok_or(UnknownLanguage)
    }
}

/// The labels are not available in the language that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownLanguage;

impl fmt::Display for UnknownLanguage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no labels in this language; there are en, nl, da, de, sv, fi, nb and pl")
    }
}

impl core::error::Error for UnknownLanguage {}

/// One text in every language, in the order of [`Language::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Labels(pub(crate) [&'static str; 8]);

impl Labels {
    /// The text in one language.
    pub fn get(&self, language: Language) -> &'static str {
        self.0[language as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_stored_in_the_order_of_the_enum() {
        for (position, language) in Language::ALL.into_iter().enumerate() {
            assert_eq!(language as usize, position);
        }
    }

    #[test]
    fn tags_of_systems_and_browsers_are_understood() {
        assert_eq!("nl_NL.UTF-8".parse(), Ok(Language::Nl));
        assert_eq!("de-AT".parse(), Ok(Language::De));
        assert_eq!("no".parse(), Ok(Language::Nb));
        assert_eq!("fr".parse::<Language>(), Err(UnknownLanguage));
    }
}
