//! Trace ids print as sixteen characters and are read back.

use super::*;

#[test]
fn prints_sixteen_characters_and_reads_them_back() {
    for bytes in [
        [0; 10],
        [255; 10],
        *b"0123456789",
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ] {
        let id = TraceId::from_random(bytes);
        let text = id.to_string();
        assert_eq!(text.len(), 16);
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.to_lowercase().parse(), Ok(id));
    }
    assert_eq!(
        TraceId::from_random([255; 10]).to_string(),
        "ZZZZZZZZZZZZZZZZ"
    );
}

#[test]
fn reads_what_people_misread() {
    assert_eq!(
        "OIL0000000000000".parse::<TraceId>(),
        "0110000000000000".parse()
    );
    for bad in [
        "",
        "0",
        "000000000000000U",
        "00000000000000000",
        "é00000000000000",
    ] {
        assert_eq!(bad.parse::<TraceId>(), Err(TraceIdError), "{bad}");
    }
}
