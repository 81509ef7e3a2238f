//! Sealed values as far as they can be known without a key.

use std::collections::BTreeMap;

use super::{Ciphertext, Ciphertexts, Form};

/// What stands for the form of a value that nobody opened: it fits wherever any value does.
const UNKNOWN_FORM: Form = Form::Word;

impl Ciphertexts {
    /// The sealed values that a deploy would use, for showing what it would change: `previous`, and
    /// for each name whose source is new an entry that is equal to no real one. It seals nothing.
    #[must_use]
    pub fn preview(
        previous: Option<&Self>,
        wanted: &BTreeMap<String, String>,
        namespace: &str,
    ) -> Self {
        let certificate = previous.map_or("", |previous| previous.certificate.as_str());
        let mut preview = Self::new(certificate, namespace);
        for (name, source) in wanted {
            let kept = previous
                .and_then(|previous| previous.secrets.get(name))
                .filter(|entry| entry.source == *source)
                .cloned();
            let entry = kept.unwrap_or_else(|| Ciphertext {
                ciphertext: format!("new {source}"),
                fingerprint: format!("new {source}"),
                form: UNKNOWN_FORM,
                source: source.clone(),
            });
            preview.secrets.insert(name.clone(), entry);
        }
        preview
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changed_sources_differ() {
        let source = |text: &str| BTreeMap::from([("A".to_owned(), text.to_owned())]);
        let first = Ciphertexts::preview(None, &source("sha256:1"), "uni");
        assert_eq!(
            Ciphertexts::preview(Some(&first), &source("sha256:1"), "uni"),
            first
        );
        assert_ne!(
            Ciphertexts::preview(Some(&first), &source("sha256:2"), "uni"),
            first
        );
    }
}
