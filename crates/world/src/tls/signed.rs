//! A document signed with a server's certificate: CMS SignedData with the document inside (RFC 5652 §5), DER.
//! Telephones show who made a configuration profile by it.

use aws_lc_rs::digest;
use rustls::{SignatureAlgorithm, SignatureScheme};
use yasna::models::ObjectIdentifier;
use yasna::{DERWriter, DERWriterSeq, Tag};

use super::Certificate;

const ID_DATA: [u64; 7] = [1, 2, 840, 113_549, 1, 7, 1];
const ID_SIGNED_DATA: [u64; 7] = [1, 2, 840, 113_549, 1, 7, 2];
const ID_CONTENT_TYPE: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 3];
const ID_MESSAGE_DIGEST: [u64; 7] = [1, 2, 840, 113_549, 1, 9, 4];
const ID_SHA256: [u64; 9] = [2, 16, 840, 1, 101, 3, 4, 2, 1];
const ID_RSA: [u64; 7] = [1, 2, 840, 113_549, 1, 1, 1];
const ID_ECDSA_SHA256: [u64; 7] = [1, 2, 840, 10_045, 4, 3, 2];

impl Certificate {
    /// The document with a signature over it, DER. `None` for a key that cannot sign so.
    pub fn sign_document(&self, document: &[u8]) -> Option<Vec<u8>> {
        let leaf = self.key.end_entity_cert().ok()?;
        let (issuer, serial) = issuer_and_serial(leaf)?;
        let attributes = attributes(document);
        // RFC 5652 §5.4: signed is the SET OF, not the implicitly tagged form that is sent.
        let set = yasna::construct_der(|writer| write_set(writer, &attributes));
        let (signature, algorithm) = self.sign_with_sha256(&set)?;
        Some(yasna::construct_der(|writer| {
            writer.write_sequence(|writer| {
                writer.next().write_oid(&oid(&ID_SIGNED_DATA));
                explicit(writer, 0, |writer| {
                    writer.write_sequence(|writer| {
                        writer.next().write_u8(1);
                        writer.next().write_set(|writer| sha256(writer.next()));
                        content(writer, document);
                        writer
                            .next()
                            .write_tagged_implicit(Tag::context(0), |writer| {
                                writer.write_set(|writer| {
                                    for certificate in &self.key.cert {
                                        writer.next().write_der(certificate);
                                    }
                                });
                            });
                        writer.next().write_set(|writer| {
                            writer.next().write_sequence(|writer| {
                                writer.next().write_u8(1);
                                writer.next().write_sequence(|writer| {
                                    writer.next().write_der(&issuer);
                                    writer.next().write_der(&serial);
                                });
                                sha256(writer.next());
                                writer
                                    .next()
                                    .write_tagged_implicit(Tag::context(0), |writer| {
                                        write_set(writer, &attributes);
                                    });
                                writer.next().write_sequence(|writer| {
                                    writer.next().write_oid(&algorithm);
                                });
                                writer.next().write_bytes(&signature);
                            });
                        });
                    });
                });
            });
        }))
    }

    fn sign_with_sha256(&self, bytes: &[u8]) -> Option<(Vec<u8>, ObjectIdentifier)> {
        let (scheme, algorithm) = match self.key.key.algorithm() {
            SignatureAlgorithm::RSA => (SignatureScheme::RSA_PKCS1_SHA256, oid(&ID_RSA)),
            SignatureAlgorithm::ECDSA => (
                SignatureScheme::ECDSA_NISTP256_SHA256,
                oid(&ID_ECDSA_SHA256),
            ),
            _ => return None,
        };
        let signer = self.key.key.choose_scheme(&[scheme])?;
        Some((signer.sign(bytes).ok()?, algorithm))
    }
}

/// The signed attributes, each DER. RFC 5652 §11.
fn attributes(document: &[u8]) -> Vec<Vec<u8>> {
    let hash = digest::digest(&digest::SHA256, document);
    vec![
        attribute(&ID_CONTENT_TYPE, |writer| writer.write_oid(&oid(&ID_DATA))),
        attribute(&ID_MESSAGE_DIGEST, |writer| {
            writer.write_bytes(hash.as_ref())
        }),
    ]
}

fn attribute(kind: &[u64], value: impl FnOnce(DERWriter<'_>)) -> Vec<u8> {
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_oid(&oid(kind));
            writer.next().write_set(|writer| value(writer.next()));
        });
    })
}

fn write_set(writer: DERWriter<'_>, members: &[Vec<u8>]) {
    // `write_set_of` sorts, as DER wants it.
    writer.write_set_of(|writer| {
        for member in members {
            writer.next().write_der(member);
        }
    });
}

/// The document itself. RFC 5652 §5.2.
fn content(writer: &mut DERWriterSeq<'_>, document: &[u8]) {
    writer.next().write_sequence(|writer| {
        writer.next().write_oid(&oid(&ID_DATA));
        explicit(writer, 0, |writer| writer.write_bytes(document));
    });
}

fn sha256(writer: DERWriter<'_>) {
    writer.write_sequence(|writer| writer.next().write_oid(&oid(&ID_SHA256)));
}

fn explicit(writer: &mut DERWriterSeq<'_>, number: u64, value: impl FnOnce(DERWriter<'_>)) {
    writer.next().write_tagged(Tag::context(number), value);
}

/// The two that name a certificate, each DER. RFC 5652 §10.2.4.
fn issuer_and_serial(leaf: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let leaf = leaf.into();
    let certificate = webpki::EndEntityCert::try_from(&leaf).ok()?;
    let serial = certificate.serial();
    let mut number = vec![
        0x02,
        u8::try_from(serial.len())
            .ok()
            .filter(|length| *length < 0x80)?,
    ];
    number.extend_from_slice(serial);
    let issuer = certificate.issuer();
    let issuer = yasna::construct_der(|writer| {
        writer.write_tagged_implicit(yasna::tags::TAG_SEQUENCE, |writer| {
            writer.write_bytes(issuer)
        });
    });
    // The tag of a sequence has the "constructed" bit, which bytes do not set.
    let (first, rest) = issuer.split_first()?;
    Some(([&[first | 0x20], rest].concat(), number))
}

fn oid(numbers: &[u64]) -> ObjectIdentifier {
    ObjectIdentifier::from_slice(numbers)
}
