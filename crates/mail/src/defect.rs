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

/// A set of defects, cheap to fill while scanning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Defects(u32);

impl Defects {
    pub(crate) fn add(&mut self, defect: Defect) {
        self.0 |= 1 << defect as u32;
    }

    /// In the order of [`Defect`].
    pub(crate) fn list(self) -> Vec<Defect> {
        ALL.iter()
            .copied()
            .filter(|defect| self.0 >> *defect as u32 & 1 == 1)
            .collect()
    }
}

const ALL: [Defect; 14] = [
    Defect::HeaderLineMalformed,
    Defect::HeaderUnterminated,
    Defect::BareLineFeed,
    Defect::FieldRepeated,
    Defect::ContentTypeMalformed,
    Defect::BoundaryMissing,
    Defect::MultipartEmpty,
    Defect::MultipartUnclosed,
    Defect::EncodingForbidden,
    Defect::EncodingUnknown,
    Defect::TooDeep,
    Defect::TooManyParts,
    Defect::HeaderNotUtf8,
    Defect::HeaderHasNul,
];
