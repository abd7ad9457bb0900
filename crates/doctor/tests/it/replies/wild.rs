//! Replies as servers of many kinds and languages write them: class, and what happens to the message.

use doctor::replies::Class::{
    self, Authentication, Content, Dns, Full, Greylisting, NoSuchUser, Policy, Protocol, Rate,
    Reputation, Theirs, Tls,
};
use doctor::replies::{Phase, Refusal, classify};

const REPLIES: &[(Class, &str)] = &[
    // Postfix
    (
        NoSuchUser,
        "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in relay recipient table",
    ),
    (
        NoSuchUser,
        "550 5.1.1 <a@b.example>: Recipient address rejected: undeliverable address: host mx.b.example[192.0.2.1] said: 550 No such user",
    ),
    (
        Dns,
        "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]",
    ),
    (
        Dns,
        "450 4.1.8 <a@b.example>: Sender address rejected: Domain not found",
    ),
    (
        Dns,
        "550 5.1.8 <a@b.example>: Sender address rejected: Domain not found",
    ),
    (
        Protocol,
        "504 5.5.2 <mail>: Helo command rejected: need fully-qualified hostname",
    ),
    (
        Protocol,
        "450 4.7.1 <mail.x.example>: Helo command rejected: Host not found",
    ),
    (
        Reputation,
        "554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied",
    ),
    (Policy, "554 5.7.1 <a@b.example>: Relay access denied"),
    (Policy, "552 5.3.4 Message size exceeds fixed limit"),
    (
        Greylisting,
        "450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/b.example.html",
    ),
    (
        Greylisting,
        "451 4.7.1 Greylisting in action, please come back later",
    ),
    (Theirs, "451 4.3.0 <a@b.example>: Temporary lookup failure"),
    (Theirs, "452 4.3.1 Insufficient system storage"),
    (Theirs, "421 4.3.2 All server ports are busy"),
    (
        Rate,
        "421 4.7.0 mx.b.example Error: too many connections from 192.0.2.1",
    ),
    (Rate, "450 4.7.1 Error: too much mail from 192.0.2.1"),
    (Tls, "530 5.7.0 Must issue a STARTTLS command first"),
    (Protocol, "554 5.4.0 Error: too many hops"),
    (Protocol, "550 5.5.1 Protocol error"),
    // Exim
    (NoSuchUser, "550 Unrouteable address"),
    (NoSuchUser, "550 No Such User Here"),
    (
        Dns,
        "550 Verification failed for <a@b.example> Unrouteable address Sender verify failed",
    ),
    (Theirs, "451 Temporary local problem - please try later"),
    (Policy, "550 relay not permitted"),
    (
        Dns,
        "550 Access denied - Invalid HELO name: reverse DNS lookup failed",
    ),
    (
        Content,
        "550 This message was classified as SPAM and may not be delivered",
    ),
    (
        Content,
        "550 Message rejected because of unacceptable content",
    ),
    (
        Rate,
        "421 Too many concurrent SMTP connections; please try again later.",
    ),
    (Protocol, "554 SMTP synchronization error"),
    (
        Content,
        "550 message contains malware (Eicar-Test-Signature)",
    ),
    (
        Reputation,
        "550 \"JunkMail rejected - mail.x.example [192.0.2.1]:40000 is in an RBL, see https://www.spamhaus.org/query/ip/192.0.2.1\"",
    ),
    // sendmail, qmail, Courier, Dovecot
    (NoSuchUser, "550 5.1.1 <a@b.example>... User unknown"),
    (Policy, "550 5.7.1 <a@b.example>... Relaying denied"),
    (
        Dns,
        "553 5.1.8 <a@b.example>... Domain of sender address a@b.example does not exist",
    ),
    (
        NoSuchUser,
        "550 sorry, no mailbox here by that name (#5.1.1)",
    ),
    (
        Policy,
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
    ),
    (
        Full,
        "552 5.2.2 <a@b.example> Quota exceeded (mailbox for user is full)",
    ),
    (
        Full,
        "452 4.2.2 <a@b.example> Mailbox is full / Blocks limit exceeded / Inode limit exceeded",
    ),
    (
        Theirs,
        "451 4.2.0 <a@b.example> Internal error occurred. Refer to server log for more information.",
    ),
    // Exchange
    (
        NoSuchUser,
        "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found",
    ),
    (
        NoSuchUser,
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    ),
    (
        Policy,
        "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed",
    ),
    (Policy, "550 5.7.64 TenantAttribution; Relay Access Denied"),
    (
        Full,
        "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
    ),
    (
        Theirs,
        "451 4.4.0 Primary target IP address responded with: \"421 4.2.1 Unable to connect.\"",
    ),
    (
        Authentication,
        "550 5.7.1 Unauthenticated email is not accepted due to domain's DMARC policy.",
    ),
    (
        Policy,
        "550 5.7.1 Client does not have permissions to send as this sender",
    ),
    (Policy, "550 5.7.1 Unable to relay"),
    (
        Content,
        "550 5.7.1 Message rejected as spam by Content Filtering.",
    ),
    (
        Dns,
        "550 5.7.1 Recipient rejected: sender domain does not exist",
    ),
    // Gateways and providers without a host name
    (
        Reputation,
        "554 mx1.b.example Your access to this mail system has been rejected due to the sending MTA's poor reputation.",
    ),
    (
        Reputation,
        "550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using b.barracudacentral.org; http://www.barracudanetworks.com/reputation/?pr=1&ip=192.0.2.1",
    ),
    (
        Reputation,
        "554 5.7.1 The server sending your mail [192.0.2.1] does not have a good reputation",
    ),
    (
        Reputation,
        "421 4.7.0 Your IP address has been temporarily blocked due to spam-like activity",
    ),
    (Reputation, "550 5.7.1 Mail from your IP has been blocked"),
    (
        Reputation,
        "554 Transaction failed. IP 192.0.2.1 is blocked by our provider",
    ),
    (
        Rate,
        "451 4.7.1 You have exceeded the number of messages allowed per hour",
    ),
    (Rate, "450 4.7.1 Rate limit exceeded, try later"),
    (Rate, "452 4.5.3 Too many recipients"),
    (
        Authentication,
        "550 SPF check failed: 192.0.2.1 is not allowed to send mail from b.example",
    ),
    (Authentication, "550 5.7.20 No passing DKIM signature found"),
    (
        Authentication,
        "550 5.7.1 Email rejected per DMARC policy for b.example",
    ),
    (
        Content,
        "554 5.6.0 Message contains a banned file type (.exe)",
    ),
    (Content, "550 Executable attachments are not allowed"),
    (Content, "554 5.7.1 Blocked by SpamAssassin"),
    (Content, "550 5.7.1 Your message looks like spam to us"),
    (
        Policy,
        "550 5.7.1 Your country is not allowed to send mail to this server",
    ),
    (Policy, "550 Sender is blacklisted by recipient"),
    (NoSuchUser, "554 5.7.1 This account has been disabled"),
    (
        NoSuchUser,
        "550 5.2.1 The user you are trying to contact is no longer with the company",
    ),
    (NoSuchUser, "550 Address rejected, mailbox suspended"),
    (
        NoSuchUser,
        "550 5.1.2 Host unknown (Name server: host not found)",
    ),
    (NoSuchUser, "556 5.1.10 Recipient address has a null MX"),
    (
        Protocol,
        "550 5.6.0 Lone CR or LF in headers (see RFC2822 section 2.2)",
    ),
    (Protocol, "550 Message headers fail syntax check"),
    (Protocol, "554 5.7.1 Missing Message-ID header"),
    (
        Tls,
        "454 4.7.0 TLS not available due to local problem, TLS is required",
    ),
    (Tls, "550 5.7.10 Encryption needed"),
    // Other languages
    (NoSuchUser, "550 5.1.1 Benutzer unbekannt"),
    (NoSuchUser, "550 Empfänger existiert nicht"),
    (Full, "552 Das Postfach ist voll"),
    (NoSuchUser, "550 5.1.1 Utilisateur inconnu"),
    (Full, "552 La boîte du destinataire est pleine"),
    (NoSuchUser, "550 El usuario no existe"),
    (Full, "552 Buzón lleno"),
    (NoSuchUser, "550 5.1.1 Utente sconosciuto"),
    (Full, "552 Casella piena"),
    (NoSuchUser, "550 Usuário desconhecido"),
    (Full, "552 Caixa postal cheia"),
    (NoSuchUser, "550 Gebruiker onbekend"),
    (NoSuchUser, "550 Nie ma takiego użytkownika"),
    (NoSuchUser, "550 Пользователь не найден"),
    (Full, "552 Почтовый ящик переполнен"),
    (Content, "550 Письмо отклонено: подозрение на спам"),
    (NoSuchUser, "550 用户不存在"),
    (Full, "552 邮箱已满"),
    (NoSuchUser, "550 宛先のメールアドレスが見つかりません"),
    (NoSuchUser, "550 Tuntematon käyttäjä"),
    (NoSuchUser, "550 Okänd mottagare"),
    (Greylisting, "450 Lista gris: intente mas tarde"),
];

#[test]
fn replies_in_the_wild_are_understood() {
    let mut wrong = Vec::new();
    for (class, reply) in REPLIES {
        let refusal = Refusal::read("", "", Phase::Unknown, reply);
        let answer = classify(&refusal);
        if answer.class != *class {
            wrong.push(format!(
                "{reply}\n   is {class:?}, answered {:?} by {}",
                answer.class, answer.rule
            ));
        }
    }
    println!(
        "{} of {} replies understood",
        REPLIES.len() - wrong.len(),
        REPLIES.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
