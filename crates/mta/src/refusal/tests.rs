//! Each refusal's code fits who must act.

use super::*;

#[test]
fn codes_fit_the_blame() {
    let address = Address::parse("ann@example.org").unwrap();
    let all = [
        Refusal::NoSuchUser(address.clone()),
        Refusal::RelayDenied(address.clone()),
        Refusal::Disabled(address.clone()),
        Refusal::OverQuota(address.clone()),
        Refusal::NullSenderManyRecipients,
        Refusal::NotYours(address),
        Refusal::Unfit(PrepareError::NoAuthor),
        Refusal::Loop { hosts: 61 },
        Refusal::OwnLoop { times: 7 },
        Refusal::TooManyFromAddress,
        Refusal::TooManyConnections,
        Refusal::TooManyOfAccount,
        Refusal::WrongLogin,
        Refusal::LoggedOut,
        Refusal::Throttled,
        Refusal::NoMemory,
        Refusal::DiskFull,
        Refusal::Store,
        Refusal::Bug,
        Refusal::NoRecipients,
    ];
    for refusal in all {
        let reply = refusal.reply();
        let permanent = refusal.blame() == Blame::Peer;
        assert_eq!(reply.is_permanent(), permanent, "{refusal:?}: {reply}");
        assert_eq!(
            reply.enhanced().map(|code| u16::from(code.0)),
            Some(reply.code() / 100)
        );
    }
}
