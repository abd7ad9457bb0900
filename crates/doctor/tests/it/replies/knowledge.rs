//! Knowledge files: a newer one replaces the built-in one, a wrong one is refused with the place of the fault.

use doctor::replies::{BUILT_IN_PROVIDERS, BUILT_IN_REPLIES, Class, Knowledge, Phase, Refusal};

fn replies(rule: &str) -> String {
    let head = BUILT_IN_REPLIES.split("[[rule]]").next().unwrap();
    format!("{head}\n{rule}")
}

#[test]
fn a_newer_file_replaces_the_rules() {
    let text = replies("[[rule]]\nid = \"mine\"\nclass = \"tls\"\ntext = ['purple']\n");
    let knowledge = Knowledge::parse(&text, BUILT_IN_PROVIDERS).unwrap();
    let refusal = Refusal::read("", "", Phase::End, "550 Purple it is");
    let answer = knowledge.classify(&refusal);
    assert_eq!((answer.class, answer.rule), (Class::Tls, "mine"));
    assert_eq!(knowledge.rule_count(), 1);
    assert_eq!(knowledge.date(), "2026-11-21");
}

#[test]
fn faults_are_named() {
    let table = [
        (
            "[[rule]]\nid = \"a\"\nclass = \"purple\"\ntext = ['x']\n",
            "purple",
        ),
        ("[[rule]]\nid = \"a\"\nclass = \"tls\"\n", "rule a"),
        (
            "[[rule]]\nid = \"a\"\nclass = \"tls\"\ntext = ['(']\n",
            "expressions",
        ),
        (
            "[[rule]]\nid = \"a\"\nclass = \"tls\"\nonly = true\ntext = ['x']\n",
            "rule a",
        ),
        (
            "[[rule]]\nid = \"a\"\nclass = \"tls\"\ntext = ['x']\nwait = \"nap\"\n",
            "nap",
        ),
        (
            "[[rule]]\nid = \"a\"\nclass = \"tls\"\ntext = ['x']\nform = \"nine\"\n",
            "nine",
        ),
        (
            "[[rule]]\nid = \"a\"\nclass = \"tls\"\ntext = ['x']\nat = [\"nowhere\"]\n",
            "nowhere",
        ),
        (
            "[[rule]]\nid = \"a\"\nclass = \"tls\"\nstatus = [\"9.1.1\"]\n",
            "9.1.1",
        ),
        (
            "[[rule]]\nid = \"a\"\nclass = \"tls\"\ntext = ['x']\n[[rule]]\nid = \"a\"\nclass = \"tls\"\ntext = ['x']\n",
            "twice",
        ),
    ];
    for (rule, wanted) in table {
        let fault = Knowledge::parse(&replies(rule), BUILT_IN_PROVIDERS).unwrap_err();
        assert!(fault.to_string().contains(wanted), "{fault}");
    }
}
