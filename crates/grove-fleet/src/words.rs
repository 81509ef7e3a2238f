//! Words that the fleet's files have for one of several things: each stands once, with what it means.

/// One text that a value may be.
#[derive(Debug)]
pub struct Choice {
    /// The text.
    pub value: &'static str,
    /// Whether this version does it.
    pub support: Support,
    /// What it means.
    pub doc: &'static str,
}

/// Whether this version does what a key or value asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It does.
    Now,
    /// A later version will; saying it is an error.
    NotYet,
    /// It does, for its own tests: no schema or help names it.
    Hidden,
}

impl Choice {
    pub(crate) const fn now(value: &'static str, doc: &'static str) -> Self {
        Self {
            value,
            support: Support::Now,
            doc,
        }
    }

    pub(crate) const fn later(value: &'static str, doc: &'static str) -> Self {
        Self {
            value,
            support: Support::NotYet,
            doc,
        }
    }

    pub(crate) const fn hidden(value: &'static str, doc: &'static str) -> Self {
        Self {
            value,
            support: Support::Hidden,
            doc,
        }
    }
}

/// An enum whose variants are words of the fleet's files.
///
/// A variant's documentation is what schemas and reference pages say of its word. `#[default]` stands
/// behind it.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $(#[default $($never:lifetime)?])?
                $variant:ident = $word:literal,
            )+
        }
    ) => {
        $(#[$attribute])*
        $visibility enum $name {
            $(
                $(#[doc = $doc])+
                $(#[default $($never)?])?
                $variant,
            )+
        }

        impl $name {
            /// Each of them, in the order of the schema.
            $visibility const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// Their words, as a value of the fleet's files.
            $visibility const CHOICES: &[$crate::words::Choice] = &[$(Self::$variant.choice()),+];

            /// The word that the fleet's files have for it.
            $visibility const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// What a word of the fleet's files means.
            $visibility fn from_name(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|known| known.name() == name)
            }

            /// Its word, and what that means.
            pub(crate) const fn choice(self) -> $crate::words::Choice {
                let doc = match self {
                    // What a documentation comment holds begins with a blank.
                    $(Self::$variant => concat!($($doc),+).trim_ascii_start(),)+
                };
                $crate::words::Choice::now(self.name(), doc)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    words! {
        /// Two ways.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        enum Way {
            /// It takes
            /// two lines.
            Long = "the-long-one",
            /// It takes one.
            #[default]
            Short = "short",
        }
    }

    #[test]
    fn a_word_is_written_read_and_explained() {
        assert_eq!(Way::ALL.map(Way::name), ["the-long-one", "short"]);
        assert_eq!(Way::from_name("the-long-one"), Some(Way::Long));
        assert_eq!(Way::from_name("long"), None);
        assert_eq!(Way::default(), Way::Short);
        assert_eq!(serde_json::json!(Way::Long), "the-long-one");
        assert_eq!(Way::CHOICES[0].doc, "It takes two lines.");
    }
}
