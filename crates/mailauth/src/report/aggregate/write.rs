//! Writing in the form of RFC 9990 Appendix A, so that readers of the older form find what they need
//! too: the order is that of both, and optional elements that only one of them has are written only
//! when they say something.

use std::net::IpAddr;

use super::{DkimResult, Reason, Report, Row, SpfResult};
use crate::report::xml::push_escaped;

/// RFC 9990 §3.1.1.1.
const NAMESPACE: &str = "urn:ietf:params:xml:ns:dmarc-2.0";

impl Report {
    /// The report as an XML document. Defects are not written.
    #[must_use]
    pub fn write(&self) -> String {
        let mut xml = Xml(String::with_capacity(1_000 + 700 * self.rows.len()));
        xml.0
            .push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml.0
            .push_str(&format!("<feedback xmlns=\"{NAMESPACE}\">\n"));
        self.metadata(&mut xml);
        self.policy(&mut xml);
        for row in &self.rows {
            row.write(&mut xml);
        }
        xml.0.push_str("</feedback>\n");
        xml.0
    }

    fn metadata(&self, xml: &mut Xml) {
        let metadata = &self.metadata;
        xml.within("report_metadata", |xml| {
            xml.element("org_name", &metadata.org_name);
            xml.element("email", &metadata.email);
            xml.optional("extra_contact_info", metadata.extra_contact_info.as_deref());
            xml.element("report_id", &metadata.report_id);
            xml.within("date_range", |xml| {
                xml.element("begin", &metadata.begin.to_string());
                xml.element("end", &metadata.end.to_string());
            });
            for error in &metadata.errors {
                xml.element("error", error);
            }
            xml.optional("generator", metadata.generator.as_deref());
        });
    }

    fn policy(&self, xml: &mut Xml) {
        let policy = &self.policy;
        xml.within("policy_published", |xml| {
            xml.element("domain", &policy.domain);
            xml.optional("discovery_method", policy.discovery_method.as_deref());
            xml.element("p", policy.p.as_deref().unwrap_or("none"));
            xml.optional("sp", policy.sp.as_deref());
            xml.optional("np", policy.np.as_deref());
            xml.optional("adkim", policy.adkim.as_deref());
            xml.optional("aspf", policy.aspf.as_deref());
            xml.optional("fo", policy.fo.as_deref());
            // "n" is the default, and a name that the older form does not know.
            xml.optional("testing", policy.testing.then_some("y"));
        });
    }
}

impl Row {
    fn write(&self, xml: &mut Xml) {
        xml.within("record", |xml| {
            xml.within("row", |xml| {
                let source = self.source.map(written).unwrap_or_default();
                xml.element("source_ip", &source);
                xml.element("count", &self.count.to_string());
                xml.within("policy_evaluated", |xml| {
                    xml.element("disposition", self.disposition.as_str());
                    xml.element("dkim", pass_or_fail(self.dkim_aligned));
                    xml.element("spf", pass_or_fail(self.spf_aligned));
                    self.reasons.iter().for_each(|reason| reason.write(xml));
                });
            });
            xml.within("identifiers", |xml| {
                xml.optional("envelope_to", self.envelope_to.as_deref());
                // Empty for the null reverse-path. RFC 9990 §3.1.1.10
                xml.element("envelope_from", self.envelope_from.as_deref().unwrap_or(""));
                xml.element("header_from", &self.header_from);
            });
            xml.within("auth_results", |xml| {
                self.dkim.iter().for_each(|result| result.write(xml));
                self.spf.iter().for_each(|result| result.write(xml));
            });
        });
    }
}

impl Reason {
    fn write(&self, xml: &mut Xml) {
        xml.within("reason", |xml| {
            xml.element("type", &self.kind);
            xml.optional("comment", self.comment.as_deref());
        });
    }
}

impl DkimResult {
    fn write(&self, xml: &mut Xml) {
        xml.within("dkim", |xml| {
            xml.element("domain", &self.domain);
            // Both forms want it, RFC 9990 always.
            xml.element("selector", self.selector.as_deref().unwrap_or(""));
            xml.element("result", &self.result);
            xml.optional("human_result", self.human_result.as_deref());
        });
    }
}

impl SpfResult {
    fn write(&self, xml: &mut Xml) {
        xml.within("spf", |xml| {
            xml.element("domain", &self.domain);
            xml.optional("scope", self.scope.as_deref());
            xml.element("result", &self.result);
            xml.optional("human_result", self.human_result.as_deref());
        });
    }
}

fn pass_or_fail(passes: bool) -> &'static str {
    if passes { "pass" } else { "fail" }
}

/// IPv6 with all its eight groups: the older schema knows no `::`.
fn written(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => ip
            .segments()
            .map(|segment| format!("{segment:x}"))
            .join(":"),
    }
}

struct Xml(String);

impl Xml {
    fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.0.push_str(&format!("<{name}>\n"));
        inside(self);
        self.0.push_str(&format!("</{name}>\n"));
    }

    fn element(&mut self, name: &str, text: &str) {
        self.0.push_str(&format!("<{name}>"));
        push_escaped(&mut self.0, text);
        self.0.push_str(&format!("</{name}>\n"));
    }

    fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.element(name, text);
        }
    }
}
