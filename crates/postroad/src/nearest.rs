//! The nearest known word to one that is not known, for errors that help.

/// The candidate that a typing slip may have turned into `word`, if there is one.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_ascii_lowercase();
    // One slip in short words, one more for every three letters.
    let slips_max = 1 + word.chars().count() / 3;
    candidates
        .into_iter()
        .map(|candidate| (slips(&word, candidate), candidate))
        .filter(|(slips, _)| *slips <= slips_max)
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate)
}

fn slips(word: &str, candidate: &str) -> usize {
    strsim::damerau_levenshtein(word, &candidate.to_ascii_lowercase())
}
