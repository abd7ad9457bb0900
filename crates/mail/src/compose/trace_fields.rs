//! `Received` and `Return-Path`: what each hop puts on top. RFC 5321 §4.4.

use std::net::IpAddr;

use crate::{Address, ReversePath, TraceId, UnixMillis};

/// Whom a message came from, for `Received`.
#[derive(Clone, Debug)]
pub struct ReceivedFrom<'a> {
    /// What the client called itself in EHLO; anything unprintable is left out.
    pub hello: &'a str,
    /// The name of its address, if it was looked up and confirmed.
    pub name: Option<&'a str>,
    pub ip: IpAddr,
}

/// A `Received` field, to be written.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    /// `None` for what a user submits: where a person sits is nobody's business.
    pub from: Option<ReceivedFrom<'a>>,
    /// Our host name.
    pub by: &'a str,
    /// `ESMTPSA` and the like. RFC 3848, RFC 6531 §4.3.
    pub with: &'a str,
    /// `TLS1.3 TLS_AES_128_GCM_SHA256`, as a comment.
    pub tls: Option<&'a str>,
    pub id: TraceId,
    /// Only when there is a single recipient, lest one learns of another.
    pub recipient: Option<&'a Address>,
    pub date: UnixMillis,
}

impl Received<'_> {
    /// The field, folded, with its line end.
    pub fn write(&self) -> Vec<u8> {
        todo!()
    }
}

/// `Return-Path: <…>` with its line end. RFC 5321 §4.4.
pub fn return_path(_path: &ReversePath) -> Vec<u8> {
    todo!()
}
