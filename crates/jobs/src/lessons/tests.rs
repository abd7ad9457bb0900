//! What is learnt of a message as it is stored.

use super::{Material, material, pieces};

const MESSAGE: &str = "Received: from mx.shop.example (mx.shop.example [192.0.2.7])\r\n\
    \tby mail.here.example with ESMTP id 1; Mon, 1 Jan 2024 00:00:00 +0000\r\n\
    From: Shop <news@shop.example>\r\nSubject: Cheap watches\r\nMessage-ID: <1@shop.example>\r\n\r\n\
    Buy our cheap watches today, while they last.\r\n";

#[test]
fn a_message_gives_features_and_its_names() {
    let material = material(MESSAGE.as_bytes(), "mail.here.example");
    assert!(10 < material.features.len(), "{}", material.features.len());
    assert_eq!(material.message_id.as_deref(), Some("1@shop.example"));
}

/// What this server wrote on top of a message says nothing about it.
#[test]
fn our_own_fields_teach_nothing() {
    let on_top = "Return-Path: <bounce@shop.example>\r\n\
        X-Postroad-Spam: yes, probability=0.99; content=9.1\r\n\
        Authentication-Results: mail.here.example; spf=fail; dkim=none\r\n";
    let bare = material(MESSAGE.as_bytes(), "mail.here.example");
    let stored = material(format!("{on_top}{MESSAGE}").as_bytes(), "mail.here.example");
    assert_eq!(bare.features, stored.features);
}

#[test]
fn a_transaction_has_a_bound() {
    let of = |count: usize| Material {
        features: vec![0; count],
        ..Material::default()
    };
    let sizes = [0, 500, 1_499, 1, 1, 2_000, 9_000, 1];
    let pieces = pieces(sizes.map(of).to_vec(), |material| material);
    let shape: Vec<Vec<usize>> = pieces
        .iter()
        .map(|piece| piece.iter().map(|one| one.features.len()).collect())
        .collect();
    let expected = [
        vec![0, 500, 1_499],
        vec![1, 1],
        vec![2_000],
        vec![9_000],
        vec![1],
    ];
    assert_eq!(shape, expected);
}
