//! The counts of a diff in one line.

use super::ProseDiff;
use crate::render::style::Glyphs;
use crate::render::values::{grouped, plural};

impl ProseDiff {
    /// `2,510 → 2,527 words · 3 hunks · −12 +29 · 99.4% same`, or what else there is to say.
    pub fn headline(&self, glyphs: Glyphs) -> String {
        let stats = &self.stats;
        let Glyphs { arrow, minus, dot, .. } = glyphs;
        if self.is_invisible() {
            let what = plural(stats.invisible, "change", "changes");
            return format!("{what} that cannot be seen (blanks or Unicode form)");
        }
        let words = if stats.words_before == stats.words_after {
            plural(stats.words_after, "word", "words")
        } else {
            format!("{} {arrow} {}", grouped(stats.words_before), plural(stats.words_after, "word", "words"))
        };
        let mut parts = vec![words];
        if stats.hunks > 0 {
            parts.push(plural(stats.hunks, "hunk", "hunks"));
            parts.push(format!("{minus}{} +{}", grouped(stats.words_removed), grouped(stats.words_added)));
        }
        if stats.words_moved > 0 {
            parts.push(format!("{} moved", grouped(stats.words_moved)));
        }
        if stats.invisible > 0 {
            parts.push(format!("{} unseen", grouped(stats.invisible)));
        }
        parts.push(format!("{}.{}% same", stats.same_per_mille / 10, stats.same_per_mille % 10));
        parts.join(&format!(" {dot} "))
    }
}
