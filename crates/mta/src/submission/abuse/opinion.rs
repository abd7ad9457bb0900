//! What our own spam filter thinks of what a user sends. It is asked for the text alone: who sends is known. Computing only.

use mail::Address;
use spam::{Envelope, Facts, Features, Model, Sight, Weights, judge};

use super::limits::DISTRUST;
use crate::receive::link_domains;

/// What is thought of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opinion {
    /// Readers elsewhere would hardly want it. The filter was trained on mail that arrives, so it must be very sure.
    pub(crate) is_distrusted: bool,
    /// Domains that it leads to, for block lists.
    pub(crate) links: Vec<String>,
}

impl Opinion {
    pub(crate) fn of(message: &[u8], from: Option<&Address>, recipients: &[Address]) -> Self {
        Self::by(&Sight::of(message), from, recipients)
    }

    /// Of a message that was taken apart already.
    pub(crate) fn by(sight: &Sight, from: Option<&Address>, recipients: &[Address]) -> Self {
        Self {
            is_distrusted: is_distrusted(sight, from, recipients),
            links: link_domains(sight, from),
        }
    }
}

fn is_distrusted(sight: &Sight, from: Option<&Address>, recipients: &[Address]) -> bool {
    let own_domains: Vec<String> = from
        .map(|from| from.domain().as_str().to_owned())
        .into_iter()
        .collect();
    let envelope = Envelope {
        peer: None,
        hello: "",
        reverse_name: None,
        from,
        recipients,
        own_domains: &own_domains,
        own_hosts: &[],
    };
    let base = Model::built_in().log_odds(&Features::of(sight));
    let findings = spam::rules(sight, &envelope);
    let weights = Weights::default();
    let verdict = judge(base, &findings, &Facts::default(), &weights);
    verdict.log_odds >= weights.threshold() + DISTRUST
}
