//! The frame of a page: its head, its policy, its landmarks.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use super::escape::text;

/// The stylesheet. No rule of it names anything outside the page.
pub(super) const STYLE: &str = include_str!("style.css");

/// The whole page. The parts are finished HTML.
pub(super) fn page(title: &str, header: &str, main: &str, footer: &str) -> String {
    // The element's text is what is hashed, to the byte.
    let style = format!("\n{STYLE}");
    let hash = BASE64_STANDARD.encode(Sha256::digest(style.as_bytes()));
    // `img-src data:` is for the empty icon, without which a browser asks the server of the page for one.
    let policy =
        format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'");
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\" />\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n\
         <meta name=\"color-scheme\" content=\"light dark\" />\n\
         <meta name=\"referrer\" content=\"no-referrer\" />\n\
         <meta name=\"robots\" content=\"noindex\" />\n\
         <meta name=\"generator\" content=\"reachform {version}\" />\n\
         <title>{title}</title>\n<link rel=\"icon\" href=\"data:,\" />\n<style>{style}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the changes</a>\n\
         <header>\n{header}</header>\n<main id=\"main\" tabindex=\"-1\">\n{main}</main>\n<footer>\n{footer}</footer>\n\
         </body>\n</html>\n",
        version = crate::VERSION,
        title = text(title),
    )
}
