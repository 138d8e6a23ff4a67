//! Texts that hold a secret. They show as the names that they were written with and reveal themselves only on request.

use secrecy::{ExposeSecret as _, SecretString};

/// One piece of a text that holds a secret.
#[derive(Clone, Debug)]
pub enum SecretPart {
    /// Plain text around the secret.
    Text(String),
    /// A secret by its name, with its value where this run has one.
    Secret {
        /// The name behind `!secret`.
        name: String,
        /// The value; absent where the environment does not hold it.
        value: Option<SecretString>,
    },
}

/// A declared text of which at least one piece is a secret: `!secret NAME`, or `!format "Bearer {secret:NAME}"`.
#[derive(Clone, Debug)]
pub struct SecretText(pub Vec<SecretPart>);

impl SecretText {
    /// The names of the secrets in it, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            SecretPart::Secret { name, .. } => Some(name.as_str()),
            SecretPart::Text(_) => None,
        })
    }

    /// The names whose value this run does not have.
    pub fn missing(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            SecretPart::Secret { name, value: None } => Some(name.as_str()),
            SecretPart::Secret { value: Some(_), .. } | SecretPart::Text(_) => None,
        })
    }

    /// The text with its secrets in clear; `None` while a value is missing.
    pub fn reveal(&self) -> Option<String> {
        self.0
            .iter()
            .map(|part| match part {
                SecretPart::Text(text) => Some(text.clone()),
                SecretPart::Secret { value, .. } => value.as_ref().map(|value| value.expose_secret().to_owned()),
            })
            .collect()
    }

    /// Whether a text can be this one for some values of its secrets: what is around them is in it, in its order.
    pub fn fits(&self, text: &str) -> bool {
        let mut rest = text;
        let mut after_secret = false;
        for (index, part) in self.0.iter().enumerate() {
            let SecretPart::Text(literal) = part else {
                after_secret = true;
                continue;
            };
            if index + 1 == self.0.len() {
                return if after_secret { rest.ends_with(literal.as_str()) } else { rest == literal };
            }
            let at = if after_secret {
                rest.find(literal.as_str())
            } else {
                rest.starts_with(literal.as_str()).then_some(0)
            };
            let Some(at) = at else { return false };
            rest = rest.get(at + literal.len()..).unwrap_or_default();
            after_secret = false;
        }
        after_secret || rest.is_empty()
    }

    /// The whole text and every secret in it, in clear, as far as this run has their values: what must not be shown.
    pub fn in_clear(&self) -> Vec<String> {
        let values = self.0.iter().filter_map(|part| match part {
            SecretPart::Secret { value: Some(value), .. } => Some(value.expose_secret().to_owned()),
            SecretPart::Secret { value: None, .. } | SecretPart::Text(_) => None,
        });
        values.chain(self.reveal()).filter(|text| !text.is_empty()).collect()
    }

    /// The text with its secrets by name, which is what anyone may see: `!secret NAME`.
    pub fn named(&self) -> String {
        if let [SecretPart::Secret { name, .. }] = self.0.as_slice() {
            return format!("!secret {name}");
        }
        let mut out = String::from("!format ");
        for part in &self.0 {
            match part {
                SecretPart::Text(text) => out.push_str(text),
                SecretPart::Secret { name, .. } => {
                    out.push_str("{secret:");
                    out.push_str(name);
                    out.push('}');
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_fits_if_all_around_the_secrets_is_in_it() {
        let secret = || SecretPart::Secret { name: "S".to_owned(), value: None };
        let text = |text: &str| SecretPart::Text(text.to_owned());
        let around = SecretText(vec![text("Say "), secret(), text(" and "), secret(), text(".")]);
        assert!(around.fits("Say a and b.") && around.fits("Say  and ."));
        for other in ["Say a and b", "say a and b.", "Say a or b.", "Say a and b. Now", ""] {
            assert!(!around.fits(other), "{other}");
        }
        assert!(SecretText(vec![secret()]).fits("anything"));
        assert!(SecretText(vec![text("Bearer "), secret()]).fits("Bearer x"));
        assert!(!SecretText(vec![text("Bearer "), secret()]).fits("Basic x"));
        assert!(SecretText(vec![secret(), text("@host")]).fits("me@host@host"));
    }
}
