//! Providers as people name them: `microsoft`, `gmail`, `gmx.de`; for the server each is a group of mail hosts.

use doctor::replies::built_in;
use mail::Domain;

use super::find;
use crate::output::Failure;

/// Names that people use beside those of the list of providers.
const OTHER_NAMES: &[(&str, &[&str])] = &[
    ("microsoft", &["outlook", "microsoft365"]),
    ("office365", &["microsoft365"]),
    ("exchange-online", &["microsoft365"]),
    ("hotmail", &["outlook"]),
    ("gmail", &["google"]),
    ("aol", &["yahoo"]),
    ("icloud", &["apple"]),
    ("telekom", &["t-online"]),
];

/// The groups of a name: of a provider, or of a domain whose mail one of them keeps. Empty if there is none.
pub fn known(text: &str) -> Vec<String> {
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    if let Some((_, groups)) = OTHER_NAMES.iter().find(|(other, _)| *other == name) {
        return groups.iter().map(|group| (*group).to_owned()).collect();
    }
    let list = built_in();
    let found = list.provider(&name).or_else(|| list.provider_of("", &name));
    found.map(|found| found.id.clone()).into_iter().collect()
}

/// As [`known`], and any other domain for itself.
pub fn groups(text: &str) -> Result<Vec<String>, Failure> {
    let known = known(text);
    if !known.is_empty() {
        return Ok(known);
    }
    // A word without a dot is a mistyped provider rather than a domain.
    match Domain::parse(text.trim_end_matches('.')) {
        Ok(domain) if text.contains('.') => Ok(vec![domain.to_string()]),
        _ => Err(unknown(text)),
    }
}

/// Says which providers there are.
pub fn unknown(text: &str) -> Failure {
    let mut names: Vec<String> = built_in()
        .providers()
        .iter()
        .map(|provider| provider.id.clone())
        .collect();
    names.extend(OTHER_NAMES.iter().map(|(name, _)| (*name).to_owned()));
    Failure::usage(find::unknown(
        &format!("{text} is not a provider that this server knows"),
        text,
        names,
        "for a single domain name the domain",
    ))
}

/// What it calls itself.
pub fn name(group: &str) -> String {
    let provider = built_in().provider(group);
    provider.map_or_else(|| group.to_owned(), |provider| provider.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_s_names() {
        for (name, wanted) in [
            ("microsoft", vec!["outlook", "microsoft365"]),
            ("Gmail", vec!["google"]),
            ("gmail.com", vec!["google"]),
            ("t-online", vec!["t-online"]),
            ("web.de", vec!["gmx"]),
            ("there.example", vec!["there.example"]),
        ] {
            assert_eq!(groups(name).unwrap(), wanted, "{name}");
        }
        assert!(
            groups("microsof")
                .unwrap_err()
                .message
                .contains("microsoft")
        );
    }
}
