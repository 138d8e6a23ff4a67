//! The frame of a page: its head, its policy, its landmarks.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

/// The stylesheet. No rule of it names anything outside the page.
const STYLE: &str = include_str!("style.css");

/// The whole page.
pub(super) fn page(title: &Markup, header: &Markup, main: &Markup, footer: &Markup) -> Markup {
    // The element's text is what is hashed, to the byte.
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    // `img-src data:` is for the empty icon, without which a browser asks the server of the page for one.
    let policy =
        format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex";
                meta name="generator" content={ "reachform " (crate::VERSION) };
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the changes" }
                header { (header) }
                main #main tabindex="-1" { (main) }
                footer { (footer) }
            }
        }
    }
}
