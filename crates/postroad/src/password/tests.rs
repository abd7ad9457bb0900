//! What is made up and what is taken.

use super::*;

#[test]
fn made_up_passwords_are_readable_and_differ() {
    let first = generate(&world::OsRandom);
    let second = generate(&world::OsRandom);
    assert_eq!(first.len(), 19, "{first}");
    assert_eq!(
        first.split('-').map(str::len).collect::<Vec<_>>(),
        [4, 4, 4, 4]
    );
    assert_ne!(first, second);
}

#[test]
fn only_the_first_line_counts_and_spaces_stay() {
    let read = |text: &str| first_line(&mut text.as_bytes()).unwrap();
    assert_eq!(read("correct horse \nbattery"), "correct horse ");
    assert_eq!(read("correct horse\r\n"), "correct horse");
    assert_eq!(read(""), "");
}

#[test]
fn what_is_refused() {
    assert!(check("short".to_owned()).is_err());
    assert!(check("x".repeat(2000)).is_err());
    assert!(check("gr\u{fc}n\u{e4}ug\u{e4}s".to_owned()).is_ok());
}
