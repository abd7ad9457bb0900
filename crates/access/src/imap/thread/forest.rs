//! Trees of messages as THREAD answers write them: `(2)(3 6 (4 23)(44 7 96))`.
//! Kept in one list with indices and walked without recursion, since a thread may be as deep as it is long.

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Forest {
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<usize>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// `None`: a message that is only referred to.
    pub(super) uid: Option<u32>,
    pub(super) children: Vec<usize>,
}

enum Doing {
    Open,
    Visit(usize),
    Close,
}

impl Forest {
    pub(super) fn write(&self, out: &mut Vec<u8>, number: &dyn Fn(u32) -> Option<u32>) {
        let mut work: Vec<Doing> = Vec::new();
        for root in &self.roots {
            work.push(Doing::Close);
            work.push(Doing::Visit(*root));
            work.push(Doing::Open);
            while let Some(doing) = work.pop() {
                match doing {
                    Doing::Open => out.push(b'('),
                    Doing::Close => out.push(b')'),
                    Doing::Visit(at) => self.visit(at, out, number, &mut work),
                }
            }
        }
    }

    fn visit(
        &self,
        at: usize,
        out: &mut Vec<u8>,
        number: &dyn Fn(u32) -> Option<u32>,
        work: &mut Vec<Doing>,
    ) {
        let Some(node) = self.nodes.get(at) else {
            return;
        };
        if let Some(number) = node.uid.and_then(number) {
            if !matches!(out.last(), Some(b'(')) {
                out.push(b' ');
            }
            wire::imap::write::number(out, u64::from(number));
        }
        match node.children.as_slice() {
            [] => {}
            [only] => work.push(Doing::Visit(*only)),
            several => {
                if !matches!(out.last(), Some(b'(')) {
                    out.push(b' ');
                }
                // A stack: what is pushed last is written first.
                for child in several.iter().rev() {
                    work.push(Doing::Close);
                    work.push(Doing::Visit(*child));
                    work.push(Doing::Open);
                }
            }
        }
    }
}
