//! Characters that a model or a machine reads and a person does not see.

/// Whether a character acts on a terminal or a reader without being seen: controls, bidirectional overrides, whatever
/// Unicode lets a program ignore when it draws a text, and the blank of Braille. [`is_joiner`] has what emoji and some
/// scripts need.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0D}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a character joins or varies its neighbours without a width of its own, and is good for something beside some
/// of them.
pub fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE0E}' | '\u{FE0F}')
}

/// Whether a character is not seen at all, whatever it is good for.
pub fn is_unseen(c: char) -> bool {
    is_hidden(c) || is_joiner(c)
}

/// Whether a character of a text is hidden where it is: a joiner too, unless it stands where an emoji or a script that
/// needs it would have one.
pub fn is_hidden_between(before: Option<char>, c: char, after: Option<char>) -> bool {
    if !is_joiner(c) {
        return is_hidden(c);
    }
    let is_used = match (before, c) {
        (Some('\u{FE0F}'), '\u{200D}') => true,
        (Some('0'..='9' | '#' | '*'), '\u{FE0F}') => after == Some('\u{20E3}'),
        (Some(before), _) => !before.is_ascii() && !before.is_whitespace() && !is_unseen(before),
        (None, _) => false,
    };
    !is_used
}

/// Each character of a text, with whether it is hidden where it is.
pub fn marked(text: &str) -> impl Iterator<Item = (char, bool)> + '_ {
    let mut before = None;
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        let c = chars.next()?;
        let hidden = is_hidden_between(before, c, chars.peek().copied());
        before = Some(c);
        Some((c, hidden))
    })
}

/// Characters that follow each other and are not seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HiddenRun {
    /// The line, counted from 0.
    pub line: usize,
    /// The characters.
    pub text: String,
}

/// All that is hidden in a text, but for the blanks that make lines and columns.
pub fn hidden_runs(text: &str) -> Vec<HiddenRun> {
    let mut found: Vec<HiddenRun> = Vec::new();
    let (mut line, mut goes_on) = (0, false);
    for (c, hidden) in marked(text) {
        let is_found = hidden && !matches!(c, '\n' | '\r' | '\t');
        match found.last_mut().filter(|_| is_found && goes_on) {
            Some(run) => run.text.push(c),
            None if is_found => found.push(HiddenRun { line, text: c.to_string() }),
            None => {}
        }
        goes_on = is_found;
        line += usize::from(c == '\n');
    }
    found
}

/// Text that is spelled in the invisible copies of the letters (the tag block), as the letters that a model reads in it.
pub fn spelled(text: &str) -> String {
    let letter = |c: char| match c {
        '\u{E0020}'..='\u{E007E}' => char::from_u32(u32::from(c) - 0xE0000),
        _ => None,
    };
    text.chars().filter_map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        marked(text).filter(|(_, hidden)| !hidden).map(|(c, _)| c).collect()
    }

    #[test]
    fn joiners_are_hidden_but_where_an_emoji_or_a_script_needs_one() {
        for text in ["👩\u{200D}⚕\u{FE0F}\u{200D}x ok", "1\u{FE0F}\u{20E3}", "می\u{200C}خواهم"] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("a\u{200D}b\u{FE0F} \u{200C}1\u{FE0F}x"), "ab 1x");
        assert_eq!(shown("👩\u{FE0F}\u{FE0F}\u{FE0E}"), "👩\u{FE0F}", "one says all that there is to say");
    }

    #[test]
    fn what_is_hidden_is_found_with_its_line_and_can_be_read() {
        let tags: String = "Call me".chars().filter_map(|c| char::from_u32(0xE0000 + u32::from(c))).collect();
        let found = hidden_runs(&format!("One\t\r\ntwo{tags} \u{202E}three"));
        assert_eq!(found.iter().map(|run| run.line).collect::<Vec<_>>(), [1, 1]);
        assert_eq!(spelled(&found[0].text), "Call me");
        assert_eq!(found[1].text, "\u{202E}");
    }

    #[test]
    fn whatever_a_program_may_leave_out_of_a_drawing_is_hidden() {
        for c in "\u{34F}\u{17B4}\u{180E}\u{2800}\u{2062}\u{FE01}\u{E0101}\u{E0041}\u{1160}\u{3164}".chars() {
            assert!(is_hidden(c), "U+{:04X}", u32::from(c));
        }
    }
}
