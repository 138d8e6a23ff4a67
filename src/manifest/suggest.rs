//! "Did you mean": the known word that is nearest to an unknown one.

/// Longest word that is compared. The work grows with the square of it, and nobody mistypes a longer name.
const LONGEST: usize = 80;

/// The candidate nearest to `word`, if one is near enough to be what was meant. Ties go to the first.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let folded = fold(word);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        // A third of the word may be wrong: `phone_number` and `desciption` are understood, `time` for `name` is not.
        .filter(|(distance, candidate)| *distance * 3 <= word.chars().count().max(candidate.chars().count()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Case and the three ways to write two words together do not tell words apart.
fn fold(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_a_different_word_is_not() {
        let words = ["name", "phone_numbers", "description"];
        assert_eq!(nearest("phoneNumber", words), Some("phone_numbers"));
        assert_eq!(nearest("desciption", words), Some("description"));
        assert_eq!(nearest("time", words), None);
        assert_eq!(nearest("", words), None);
    }
}
