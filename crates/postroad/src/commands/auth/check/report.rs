//! The explanation on paper: for people a section for each check, for programs the same as JSON.

use mailauth::dmarc::DmarcResult;
use mailauth::explain::{Step, printable};
use mailauth::results;
use mailauth::verdict::{Explanation, Verdict};
use serde_json::{Value, json};

use super::arrival::{Arrival, Told};
use crate::commands::auth::rules::Fate;
use crate::output::Answer;

/// What is told.
pub(super) struct Report<'a> {
    pub arrival: &'a Arrival,
    pub verdict: &'a Verdict,
    pub explanation: &'a Explanation,
    pub fates: &'a [Fate],
    /// What has to be known about the fates.
    pub remark: Option<&'a str>,
    /// Who writes the Authentication-Results.
    pub host: &'a str,
    pub message: &'a [u8],
}

impl Report<'_> {
    pub fn answer(&self) -> Answer {
        let mut answer = self.head(Answer::new(self.json()));
        for section in self.sections() {
            answer = answer.line(String::new()).line(section.title());
            for step in section.steps {
                answer = in_lines(answer, step);
            }
        }
        answer = answer.line(String::new());
        for fate in self.fates {
            answer = answer.line(fate_in_words(fate));
        }
        if let Some(remark) = self.remark {
            answer = answer.line(remark);
        }
        answer = answer
            .line(String::new())
            .line("The field it would add:")
            .line(self.field().trim_end().replace('\r', ""));
        if self.is_fine() {
            answer
        } else {
            answer.findings()
        }
    }

    /// DMARC passes, or has nothing to say.
    fn is_fine(&self) -> bool {
        matches!(
            self.verdict.dmarc.result,
            DmarcResult::Pass | DmarcResult::None
        )
    }

    fn head(&self, answer: Answer) -> Answer {
        let Arrival { ip, helo, from } = self.arrival;
        let author = mail::header::first(self.message, "From")
            .map(|value| printable(&mail::header::unfold(value)));
        answer
            .line(format!("Sent by   {}", told(ip, &ip.value.to_string())))
            .line(format!(
                "HELO      {}",
                told(helo, &printable(helo.value.as_bytes()))
            ))
            .line(format!(
                "MAIL FROM {}",
                told(from, &format!("<{}>", from.value))
            ))
            .line(format!(
                "From      {}",
                author.unwrap_or_else(|| "(no such field)".to_owned())
            ))
    }

    fn sections(&self) -> Vec<Section<'_>> {
        let (verdict, steps) = (self.verdict, self.explanation);
        let dkim: Vec<&str> = verdict.dkim.iter().map(|one| one.result.as_str()).collect();
        vec![
            Section {
                key: "iprev",
                name: "Reverse name (iprev)".to_owned(),
                result: verdict.iprev.result.as_str().to_owned(),
                steps: &steps.iprev,
            },
            Section {
                key: "helo",
                name: format!("SPF of the HELO name {}", verdict.helo.domain),
                result: verdict.helo.result.as_str().to_owned(),
                steps: &steps.helo,
            },
            Section {
                key: "spf",
                name: format!("SPF of MAIL FROM {}", verdict.spf.domain),
                result: verdict.spf.result.as_str().to_owned(),
                steps: &steps.spf,
            },
            Section {
                key: "dkim",
                name: match dkim.len() {
                    0 => "DKIM (no signature)".to_owned(),
                    1 => "DKIM (one signature)".to_owned(),
                    count => format!("DKIM ({count} signatures)"),
                },
                result: if dkim.is_empty() {
                    "none".to_owned()
                } else {
                    dkim.join(", ")
                },
                steps: &steps.dkim,
            },
            Section {
                key: "arc",
                name: "ARC".to_owned(),
                result: verdict.arc.cv.as_str().to_owned(),
                steps: &steps.arc,
            },
            Section {
                key: "dmarc",
                name: "DMARC".to_owned(),
                result: verdict.dmarc.result.as_str().to_owned(),
                steps: &steps.dmarc,
            },
        ]
    }

    fn field(&self) -> String {
        String::from_utf8_lossy(&results::write(self.host, self.verdict)).into_owned()
    }

    fn json(&self) -> Value {
        let Arrival { ip, helo, from } = self.arrival;
        let mut value = json!({
            "ip": { "value": ip.value, "from": ip.by },
            "helo": { "value": helo.value, "from": helo.by },
            "mail_from": { "value": from.value.to_string(), "from": from.by },
        });
        for section in self.sections() {
            value[section.key] = json!({
                "result": section.result,
                "steps": section.steps.iter().map(step_json).collect::<Vec<_>>(),
            });
        }
        let dmarc = &self.verdict.dmarc;
        value["dmarc"]["reason"] = json!(dmarc.reason.to_string());
        value["dmarc"]["domain"] = json!(dmarc.domain);
        value["dmarc"]["policy_domain"] = json!(dmarc.policy_domain());
        value["dmarc"]["spf_aligned"] = json!(dmarc.spf_aligned);
        value["dmarc"]["dkim_aligned"] = json!(dmarc.dkim_aligned);
        value["dmarc"]["wish"] = json!(dmarc.wish.as_str());
        value["would"] = self
            .fates
            .iter()
            .map(|fate| json!({ "do": fate.would.place, "why": fate.would.why, "for": fate.domains }))
            .collect();
        value["remark"] = json!(self.remark);
        value["authentication_results"] = json!(self.field().trim_end());
        value
    }
}

fn fate_in_words(fate: &Fate) -> String {
    let what = match fate.would.place {
        "inbox" => "deliver it to the inbox",
        "junk" => "put it into the junk folder",
        "refuse" => "refuse it",
        "defer" => "ask the sender to come again later",
        other => other,
    };
    let whom = match fate.domains.as_slice() {
        [] => String::new(),
        domains => format!(" for {}", domains.join(", ")),
    };
    format!("Postroad would {what}{whom}: {}.", fate.would.why)
}

struct Section<'a> {
    key: &'static str,
    name: String,
    result: String,
    steps: &'a [Step],
}

impl Section<'_> {
    fn title(&self) -> String {
        format!("{}: {}", self.name, self.result)
    }
}

fn told<T>(told: &Told<T>, value: &str) -> String {
    format!("{value}  (from {})", told.by)
}

/// A step, and below it what the DNS was asked and said.
fn in_lines(answer: Answer, step: &Step) -> Answer {
    let indent = "  ".repeat(1 + usize::from(step.depth));
    let answer = answer.line(format!("{indent}{}", step.text));
    match &step.asked {
        Some(asked) => answer.line(format!(
            "{indent}  {} {}: {}",
            asked.name,
            kind(asked.kind),
            asked.answer
        )),
        None => answer,
    }
}

fn kind(kind: world::Kind) -> String {
    format!("{kind:?}").to_ascii_uppercase()
}

fn step_json(step: &Step) -> Value {
    let mut value = json!({ "text": step.text, "depth": step.depth });
    if let Some(asked) = &step.asked {
        value["asked"] = json!({
            "name": asked.name,
            "type": kind(asked.kind),
            "answer": asked.answer,
        });
    }
    value
}
