//! What is wrong with a message that was read all the same.
//! Policy elsewhere decides what a defect costs; reading never fails.

/// One departure from the standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Defect {
    /// A header line has no colon, or a name with characters that names cannot have. RFC 5322 §2.2.
    HeaderLineMalformed,
    /// The header does not end with an empty line.
    HeaderUnterminated,
    /// A line ends with LF alone.
    BareLineFeed,
    /// A header field that may stand once stands twice. RFC 5322 §3.6.
    FieldRepeated,
    /// `Content-Type` could not be read; taken for text/plain. RFC 2045 §5.2.
    ContentTypeMalformed,
    /// A multipart without `boundary`; its body is taken for text.
    BoundaryMissing,
    /// A multipart whose boundary never appears; its body is taken for text.
    MultipartEmpty,
    /// A multipart without its closing delimiter.
    MultipartUnclosed,
    /// A multipart or message claims an encoding that it cannot have. RFC 2045 §6.4.
    EncodingForbidden,
    /// `Content-Transfer-Encoding` names something unknown.
    EncodingUnknown,
    /// Parts are nested deeper than is followed.
    TooDeep,
    /// More parts than are followed.
    TooManyParts,
    /// The header holds bytes that are not UTF-8. RFC 6532 §3.
    HeaderNotUtf8,
    /// The header holds NUL.
    HeaderHasNul,
}
