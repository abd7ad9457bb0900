//! The bounds of this room, each with its reason.
//! A hostile message may cost what an ordinary long one costs, and no more.

/// How much of a message's header is looked at. Real ones end below 20 KB; long chains of relays at 64.
pub const HEADER_BYTES_MAX: usize = 64 * 1024;

/// Most header fields that are looked at.
pub const FIELDS_MAX: usize = 400;

/// Longest value of a header field that is kept; the rest is cut. A field of many recipients may be long.
pub const FIELD_BYTES_MAX: usize = 4 * 1024;

/// Most mailboxes kept of From, Reply-To or To.
pub const MAILBOXES_MAX: usize = 20;

/// How much of one text part is decoded, as it lies in the message: newsletters carry 100 KB of markup.
pub const TEXT_SOURCE_BYTES_MAX: usize = 256 * 1024;

/// How much text that a reader sees is kept of all parts together. What the message wants is said by then.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// How much text that a reader does not see is kept.
pub const HIDDEN_BYTES_MAX: usize = 16 * 1024;

/// Most links kept.
pub const LINKS_MAX: usize = 300;

/// Longest target of a link; the rest is cut. Tracking links have 1 KB.
pub const LINK_TARGET_BYTES_MAX: usize = 2 * 1024;

/// Longest shown text of a link.
pub const LINK_TEXT_BYTES_MAX: usize = 300;

/// Most parts that are looked at.
pub const PARTS_MAX: usize = 100;

/// Most parts, names and files in texts that are looked at beside those: more is hiding.
pub const FILES_BESIDE_MAX: usize = 1_000;

/// How much of the parts beyond [`PARTS_MAX`] is decoded: what they are shows by then.
pub const LATE_BYTES_MAX: usize = 4 * 1024;

/// Parts that are nested deeper hide something: programs put three into one another, forwarded mail ten.
pub const NESTING_MAX: usize = 25;

/// Most names of one part that are looked at.
pub const NAMES_OF_PART_MAX: usize = 20;

/// How often a message inside may be encoded, with another one inside that is, ...
pub const ENCODED_MESSAGES_MAX: usize = 3;
/// ... and how long it may be.
pub const ENCODED_MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much of one attached file is decoded.
pub const ATTACHMENT_BYTES_MAX: usize = 1024 * 1024;

/// How much of any attached file is decoded, though the bound for all is spent: what it is shows by then.
pub const ATTACHMENT_BYTES_MIN: usize = 64 * 1024;

/// How much of archives is decoded, as they lie in the message: their directories stand at the end, so they are read
/// whole. More than the largest message that is taken.
pub const ARCHIVES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How often a message is read again where parts give their type twice.
pub const TYPES_TWICE_MAX: usize = 3;

/// How much of all attached files together is decoded.
pub const ATTACHMENTS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Deepest nesting of elements that hide their content that is followed.
pub const HIDING_DEPTH_MAX: usize = 100;

/// Most tags of a page whose order is looked at.
pub const TAGS_MAX: usize = 1_500;

/// Most words of a text that become features: about eight pages.
pub const WORDS_MAX: usize = 4_000;

/// Most features of one message.
pub const FEATURES_MAX: usize = 8_192;

/// Most features of one message that learning keeps: each is a row for an account.
pub const LEARNING_FEATURES_MAX: usize = 400;

/// Longest detail of a reason: a host name or file name that a person can still read.
pub const DETAIL_BYTES_MAX: usize = 120;

/// Most details of one reason.
pub const DETAILS_MAX: usize = 2;

/// Most findings of rules that are weighed.
pub const FINDINGS_MAX: usize = 100;

/// Longest line of our header field before it is folded. RFC 5322 §2.1.1
pub const HEADER_LINE: usize = 76;

/// What a tab at the start of a folded line counts.
pub const TAB: usize = 8;

/// Most reasons that go into the header: the loudest; nobody reads more.
pub const HEADER_REASONS_MAX: usize = 40;

/// Longest header field of ours that is read back: all reasons with escaped details.
pub const RECORDED_BYTES_MAX: usize = 40 * 1024;

/// The most that an operator can make a kind of reason count. More would let one signal decide alone.
pub const MULTIPLIER_MAX: f32 = 10.0;

/// A threshold below this junks what nobody complains about (the odds of a coin).
pub const THRESHOLD_MIN: f32 = 0.0;

/// A threshold above this is reached by orders only.
pub const THRESHOLD_MAX: f32 = 20.0;

/// Reasons that weigh less are not named: they would be printed as 0.0.
pub const WEIGHT_MIN: f32 = 0.05;

/// How far beyond the threshold an order puts a message, whatever else was found.
pub const ORDER_MARGIN: f32 = 8.0;

/// How much of the model's voice goes to those who taught here, once they are sure.
pub const TAUGHT_OVER_MODEL: f32 = 0.5;

/// What is left of the weight of strange links in bulk mail whose sender is proven: their counters look so.
pub const BULK_LINK_SHARE: f32 = 0.5;

/// What a broken signature weighs where a mailing list or a forwarder explains it.
pub const BROKEN_BY_DETOUR: f32 = 0.2;

/// One wanted message that came before; each further one counts less (logarithm).
pub const FAMILIAR_STEP: f32 = 0.8;

/// From this weight on (as a number above nothing) somebody is known well enough that nothing soft junks the mail.
pub const TRUST_MIN: f32 = 1.0;

/// How much soft signals may weigh against somebody known: this, and a share of the trust. Together with the trust it
/// stays well below any threshold: 2 + 6/3 - 6 = -2 for a correspondent, 2 + 2.5/3 - 2.5 = 0.3 for the domain of one.
pub const SOFT_TRUSTED_BASE: f32 = 2.0;
/// See [`SOFT_TRUSTED_BASE`].
pub const SOFT_TRUSTED_SHARE: f32 = 1.0 / 3.0;

/// How much soft findings of rules weigh together: below the threshold, so that they never junk alone.
pub const SOFT_RULES_MAX: f32 = 2.5;

/// How much tricks weigh together. Two clear ones suffice; more cannot outvote an order.
pub const HARD_MAX: f32 = 10.0;

/// How much a good past of a host weighs. Little: hosts are shared, and are taken over.
pub const ADDRESS_HAM_MIN: f32 = -1.0;

/// How much a good past of a network weighs.
pub const NETWORK_HAM_MIN: f32 = -0.5;

/// How much a good past of a proven domain weighs.
pub const DOMAIN_HAM_MIN: f32 = -1.5;

/// How much all lists together weigh that name the sending host: shared hosts of big providers are listed at times.
pub const PEER_LISTED_MAX: f32 = 4.5;

/// How much all lists together weigh that name the sender's domain.
pub const SENDER_LISTED_MAX: f32 = 4.5;

/// How much all lists together weigh that name links.
pub const LINK_LISTED_MAX: f32 = 5.5;

/// Most listings of one sort that are weighed.
pub const LISTED_MAX: usize = 20;

/// Most other filters that are heard.
pub const OTHER_FILTERS_MAX: usize = 10;

/// What another filter weighs that has just reached its own threshold.
pub const FILTER_AT_THRESHOLD: f32 = 3.0;

/// What another filter weighs at most.
pub const FILTER_SPAM_MAX: f32 = 5.0;

/// What another filter weighs at most that calls a message good.
pub const FILTER_HAM_MIN: f32 = -1.0;

/// Fields on top of a stored message that are looked at for where it came from: this server writes five.
pub const ORIGIN_FIELDS_MAX: usize = 12;

/// Results in our own field that are looked at: one for each signature, and some more.
pub const ORIGIN_RESULTS_MAX: usize = 100;

/// Most names read of one archive. Those that people send by mail have a few hundred.
pub const ARCHIVE_NAMES_MAX: usize = 2_000;

/// Most names read of all archives of one message: small archives full of names unpack from next to nothing.
pub const ARCHIVES_NAMES_MAX: usize = 20_000;

/// Deepest nesting of archives that is opened: a gzip around a tar around a zip is honest, more is hiding.
pub const ARCHIVE_DEPTH_MAX: usize = 4;

/// Most archives of one message that are opened; documents of the new kind are archives too.
pub const ARCHIVES_MAX: usize = 200;

/// How much of a file inside an archive is unpacked to see what it is.
pub const UNPACKED_HEAD_BYTES: usize = 64 * 1024;

/// How much of one file inside an archive is unpacked that is no archive itself.
pub const UNPACKED_FILE_BYTES_MAX: usize = 1024 * 1024;

/// How much is unpacked of all archives of one message together, so that none can be a bomb.
pub const UNPACKED_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How much is unpacked of archives and documents inside archives, which are read whole: they lie in memory meanwhile.
pub const UNPACKED_WHOLE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What unpacking may cost, in bytes that come out of deflate: LZMA takes twice as long, bzip2 four times. For a message
/// with little attached: a moment. Text shrinks to a tenth, and an archive of archives is unpacked more than once.
pub const UNPACKED_COST_MIN: usize = 16 * 1024 * 1024;
/// For each byte that is attached there is more, ...
pub const UNPACKED_PER_BYTE: usize = 32;
/// ... up to a third of a second.
pub const UNPACKED_COST_MAX: usize = 128 * 1024 * 1024;

/// Largest dictionary of LZMA and Zstandard: it lies in memory as far as it is filled. Those who pack what fits into a
/// message have no use for a larger one.
pub const DICTIONARY_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// Most files of a packed tar whose content is looked at, beside archives.
pub const TAR_CONTENTS_MAX: usize = 50;

/// Longest name in a tar archive that stands in a file of its own.
pub const TAR_NAME_BYTES_MAX: usize = 4 * 1024;

/// Longest file name that is kept; file systems end at 255.
pub const FILE_NAME_BYTES_MAX: usize = 512;

/// Most files, streams and folders that the header of a 7z archive may speak of.
pub const SEVENZ_FILES_MAX: usize = 50_000;

/// Most ways of packing behind one another in a 7z archive: a filter for programs has four.
pub const CODERS_MAX: usize = 8;

/// How often the header of a 7z archive may be packed.
pub const HEADERS_PACKED_MAX: usize = 3;

/// How much of the packed header of a 7z archive is unpacked: it has a hundred bytes for each file.
pub const HEADER_UNPACKED_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most folders of the image of a CD that are read.
pub const IMAGE_FOLDERS_MAX: usize = 500;

/// How much of the files in one OLE container, or in the objects of one RTF, is looked at.
pub const OLE_STREAMS_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Longest directory of an OLE container; a large message of Outlook has a hundred kilobytes.
pub const OLE_DIRECTORY_BYTES_MAX: usize = 1024 * 1024;

/// Most sectors that tell where the tables of an OLE container lie: each is for 8 MB at least.
pub const OLE_TABLES_MAX: usize = 16;

/// How much of the small streams of an OLE container is read.
pub const OLE_SMALL_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most parts of one Office document that are searched for templates and links.
pub const DOCUMENT_PARTS_READ_MAX: usize = 100;

/// Most pieces of fields of one Office document that are put together.
pub const FIELDS_READ_MAX: usize = 10_000;

/// Most streams of a PDF document that are looked into.
pub const PDF_STREAMS_MAX: usize = 200;

/// How much of one stream of objects of a PDF document is unpacked, ...
pub const PDF_STREAM_BYTES_MAX: usize = 256 * 1024;
/// ... and of all together.
pub const PDF_OBJECTS_BYTES_MAX: usize = 2 * 1024 * 1024;

/// How far in a PDF document what belongs together is apart.
pub const PDF_NEAR_BYTES: usize = 400;

/// Most blocks of a rar archive that are read, files and others.
pub const RAR_BLOCKS_MAX: usize = 10_000;

/// Most records after a file's header in a rar archive.
pub const RAR_RECORDS_MAX: usize = 16;

/// A file that claims to become this large ...
pub const BOMB_BYTES_MIN: usize = 100 * 1024 * 1024;
/// ... and so many times its packed size is a bomb: text shrinks to a tenth, zeros to a thousandth.
pub const BOMB_RATIO: usize = 500;

/// Most dangerous files of one kind that are named of one attached file: many of one kind hide none of another.
pub const DANGERS_MAX: usize = 50;

/// One danger among more files than this in one archive weighs less: it is source code or a saved page.
pub const AMONG_MANY: usize = 10;

/// How much of a name is compared with others.
pub const NAME_CHARS_MAX: usize = 200;

/// Shortest name that is compared by its looks: among three or four letters everything resembles something.
pub const LOOKALIKE_CHARS_MIN: usize = 5;

/// Shortest name of which a misspelling is told from another name.
pub const TYPO_CHARS_MIN: usize = 6;

/// Shortest genuine domain that is sought in front of others.
pub const IN_FRONT_CHARS_MIN: usize = 6;

/// Most hosts of links that rules look at, each once.
pub const LINK_HOSTS_MAX: usize = 100;

/// Most recipients that rules compare with the author.
pub const RECIPIENTS_MAX: usize = 100;

/// How many of To are taken for the recipient where there is no envelope.
pub const TO_BELIEVED: usize = 3;

/// What a script weighs that is one file of many in an archive.
pub const AMONG_MANY_SHARE: f32 = 0.3;

/// Most findings of one kind that are kept: further ones add nothing that a person would read.
pub const OF_A_KIND_MAX: usize = 3;

/// Shortest host that is read as one number: `16843009`. Shorter ones are somebody's house on the local network.
pub const ODD_ADDRESS_CHARS_MIN: usize = 8;

/// This many links by the same way in bulk mail are a counter of clicks.
pub const COUNTED_LINKS_MIN: usize = 3;

/// Less hidden text is the line that mail programs show beside the subject.
pub const HIDDEN_MANY: usize = 1_500;

/// So many words cut by invisible characters are no accident of an editor.
pub const CUT_WORDS_MIN: usize = 5;

/// So many words with borrowed letters are no slip of a keyboard.
pub const DISGUISED_WORDS_MIN: usize = 3;

/// Fewer letters than this beside a picture are not a text.
pub const HARDLY_A_WORD: usize = 30;

/// More links than this: a newsletter that also shows a code.
pub const QR_LINKS_MAX: usize = 2;

/// Longest telephone number with its signs.
pub const PHONE_CHARS_MAX: usize = 24;

/// What is left of the weight of a brand in the author's name where the mail says that it is bulk.
pub const CLAIM_IN_BULK_SHARE: f32 = 0.6;

/// The most that one reason weighs before the operator's wish: that of an order.
pub const WEIGHT_MAX: f32 = 20.0;

/// How much of a text phrases are sought in.
pub const PHRASES_BYTES_MAX: usize = 16 * 1024;

/// Most domains of correspondents that an author's is compared with.
pub const KNOWN_DOMAINS_MAX: usize = 500;

/// Most domains of the server that are compared with an author's, beside those of the recipients: a house with
/// thousands of domains has thousands of customers, who do not take each other's names for their own.
pub const OWN_DOMAINS_MAX: usize = 200;

/// How much of a calendar entry phrases are sought in.
pub const CALENDAR_BYTES_MAX: usize = 4 * 1024;

/// How much of a text is looked at for brands: who speaks says so early.
pub const CLAIM_BYTES_MAX: usize = 2 * 1024;

/// Shortest registered word of an own domain that is sought in a sender's name: shorter ones stand in many names.
pub const OWN_LABEL_CHARS_MIN: usize = 5;

/// How much the words of a story weigh at most, without who tells it.
pub const TOLD_MAX: f32 = 1.8;

/// How much all that speaks against a story's sender weighs at most.
pub const DOUBTS_MAX: f32 = 2.5;

/// What any story must bring before it weighs something: honest firms tell of parcels and payments too.
pub const STORY_BIAS: f32 = 0.8;

/// A story that weighs less is not worth a reason.
pub const STORY_MIN: f32 = 0.5;

/// What is left of a story's weight in mail that says that it was sent to many.
pub const STORY_IN_BULK_SHARE: f32 = 0.5;

/// Requests in haste are short.
pub const ERRAND_BYTES_MAX: usize = 800;

/// How much of a story must be told so that an odd link alone makes it one.
pub const TOLD_CLEARLY: f32 = 1.0;

/// What everything that came before from a sender's host, network and domain weighs at most, together: less than the
/// threshold, for most of it is this server's own opinion.
pub const REPUTATION_MAX: f32 = 2.0;

/// What is left of an answer's weight where nobody here ever wrote to its author: numbers of messages are no secret.
pub const ANSWER_OF_STRANGER_SHARE: f32 = 1.0 / 3.0;

/// What a pretence without a story must bring before it weighs something.
pub const PRETENCE_BIAS: f32 = 1.0;

/// So many letters with spaces between them are a word that is to be read and not found.
pub const SPACED_LETTERS_MIN: usize = 4;
