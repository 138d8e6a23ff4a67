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
