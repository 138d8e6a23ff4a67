//! The one way in which formatted text is put behind a text or a page.

use std::fmt;

/// Writes text behind `out`.
pub(super) fn put(out: &mut String, text: fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _written = fmt::Write::write_fmt(out, text);
}
