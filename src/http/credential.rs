//! Who we are to the service. A credential that cannot work is refused before the first request.

use secrecy::{ExposeSecret as _, SecretString};

/// What a personal access token begins with. It acts as a person, so the organization must be named beside it.
const PERSONAL_PREFIX: &str = "pat_";

/// A token and, where the token does not carry it, the organization.
#[derive(Clone, Debug)]
pub struct Credential {
    token: SecretString,
    organization: Option<String>,
}

/// Why a credential was refused. No variant holds any part of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// There is nothing in it.
    #[error("the token is empty")]
    Empty,
    /// It holds something that no header can carry.
    #[error("the token contains a character that is not allowed (a space, a line break or one that is not ASCII)")]
    Unprintable,
    /// A personal token without an organization, which the service would answer with 401.
    #[error("a personal token (`pat_…`) needs the organization that it works in: set ANYREACH_ORG_ID")]
    MissingOrganization,
    /// The organization holds something that no header can carry.
    #[error(
        "the organization id contains a character that is not allowed (a space, a line break or one that is not ASCII)"
    )]
    BadOrganization,
}

impl Credential {
    /// Checks and keeps a credential. Blanks around both parts are dropped: files and copied variables end in them.
    pub fn new(token: &SecretString, organization: Option<&str>) -> Result<Self, CredentialError> {
        let token = token.expose_secret().trim();
        let organization = organization.map(str::trim).filter(|text| !text.is_empty());
        if token.is_empty() {
            return Err(CredentialError::Empty);
        }
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CredentialError::Unprintable);
        }
        if organization.is_some_and(|text| !text.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(CredentialError::BadOrganization);
        }
        if token.starts_with(PERSONAL_PREFIX) && organization.is_none() {
            return Err(CredentialError::MissingOrganization);
        }
        Ok(Self { token: token.into(), organization: organization.map(str::to_owned) })
    }

    /// The token, for the header and for the redactor.
    pub fn token(&self) -> &SecretString {
        &self.token
    }

    /// The organization.
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(token: &str, organization: Option<&str>) -> Result<Credential, CredentialError> {
        Credential::new(&token.into(), organization)
    }

    #[test]
    fn a_personal_token_without_an_organization_is_refused() {
        assert_eq!(new("pat_abc", None).unwrap_err(), CredentialError::MissingOrganization);
        assert_eq!(new("pat_abc", Some(" ")).unwrap_err(), CredentialError::MissingOrganization);
        assert_eq!(new("pat_abc", Some("org_1")).unwrap().organization(), Some("org_1"));
        assert!(new("ak_1.secret", None).is_ok());
    }

    #[test]
    fn blanks_around_a_token_go_and_blanks_inside_are_refused() {
        assert_eq!(new(" ak_1.s\r\n", None).unwrap().token().expose_secret(), "ak_1.s");
        assert_eq!(new("\n", None).unwrap_err(), CredentialError::Empty);
        assert_eq!(new("ak 1", None).unwrap_err(), CredentialError::Unprintable);
        assert_eq!(new("ak", Some("or\ng")).unwrap_err(), CredentialError::BadOrganization);
    }

    #[test]
    fn a_credential_never_prints_its_token() {
        assert!(!format!("{:?}", new("ak_1.hunter2", None).unwrap()).contains("hunter2"));
    }
}
