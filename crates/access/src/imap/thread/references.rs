//! REFERENCES (RFC 5256 §3): Jamie Zawinski's algorithm. Steps as numbered there.
//! No recursion: a chain of references may be as long as the mailbox.

use std::collections::BTreeMap;

use super::Member;
use super::forest::{Forest, Node};

#[derive(Debug, Default)]
struct Container {
    member: Option<Member>,
    parent: Option<usize>,
    children: Vec<usize>,
}

#[derive(Debug, Default)]
struct Threader {
    containers: Vec<Container>,
    by_id: BTreeMap<String, usize>,
}

pub(super) fn thread(members: Vec<Member>) -> Forest {
    let mut threader = Threader::default();
    for member in members {
        threader.link(member);
    }
    let roots = threader.roots();
    let roots = threader.prune(roots);
    let mut roots = threader.join_subjects(roots);
    threader.sort(&mut roots);
    threader.into_forest(roots)
}

impl Threader {
    /// Step 1.
    fn link(&mut self, member: Member) {
        let mut previous: Option<usize> = None;
        for id in &member.references {
            let at = self.by_id(id);
            if let Some(parent) = previous
                && self.parent(at).is_none()
                && !self.would_loop(parent, at)
            {
                self.adopt(parent, at);
            }
            previous = Some(at);
        }
        let own = match &member.message_id {
            Some(id) => self.by_id(id),
            None => self.add(),
        };
        // Two messages with one id: the second stands for itself.
        let taken = self
            .containers
            .get(own)
            .is_some_and(|container| container.member.is_some());
        let own = if taken { self.add() } else { own };
        self.leave(own);
        if let Some(parent) = previous.filter(|parent| !self.would_loop(*parent, own)) {
            self.adopt(parent, own);
        }
        if let Some(container) = self.containers.get_mut(own) {
            container.member = Some(member);
        }
    }

    /// Step 2.
    fn roots(&self) -> Vec<usize> {
        (0..self.containers.len())
            .filter(|at| self.parent(*at).is_none())
            .collect()
    }

    /// Step 3: containers without a message go; their children take their place, but at the top
    /// only an only child does.
    fn prune(&mut self, roots: Vec<usize>) -> Vec<usize> {
        for at in self.bottom_up(&roots) {
            let children = self.take_children(at);
            let mut kept = Vec::with_capacity(children.len());
            for child in children {
                match self.containers.get_mut(child) {
                    Some(empty) if empty.member.is_none() => kept.append(&mut empty.children),
                    _ => kept.push(child),
                }
            }
            for child in &kept {
                if let Some(child) = self.containers.get_mut(*child) {
                    child.parent = Some(at);
                }
            }
            self.set_children(at, kept);
        }
        let mut pruned = Vec::with_capacity(roots.len());
        for root in roots {
            let Some(container) = self.containers.get(root) else {
                continue;
            };
            match (&container.member, container.children.as_slice()) {
                (None, []) => {}
                (None, [only]) => pruned.push(*only),
                _ => pruned.push(root),
            }
        }
        pruned
    }

    /// Step 5: threads with the same subject become one.
    fn join_subjects(&mut self, roots: Vec<usize>) -> Vec<usize> {
        let mut table: BTreeMap<String, usize> = BTreeMap::new();
        for root in &roots {
            let Some(subject) = self
                .subject(*root)
                .filter(|subject| !subject.is_empty())
                .map(str::to_owned)
            else {
                continue;
            };
            let better = match table.get(&subject) {
                None => true,
                Some(known) => {
                    (self.is_dummy(*root) && !self.is_dummy(*known))
                        || (self.is_reply(*known) && !self.is_reply(*root))
                }
            };
            if better {
                table.insert(subject, *root);
            }
        }
        let mut left = Vec::with_capacity(roots.len());
        let mut replaced: BTreeMap<usize, usize> = BTreeMap::new();
        for root in roots {
            let known = self
                .subject(root)
                .and_then(|subject| table.get(subject).copied());
            let Some(known) = known
                .map(|known| *replaced.get(&known).unwrap_or(&known))
                .filter(|known| *known != root)
            else {
                left.push(replaced.get(&root).copied().unwrap_or(root));
                continue;
            };
            match (self.is_dummy(known), self.is_dummy(root)) {
                (true, true) => {
                    for child in self.take_children(root) {
                        self.adopt_anew(known, child);
                    }
                }
                (true, false) => self.adopt_anew(known, root),
                (false, _) if self.is_reply(root) && !self.is_reply(known) => {
                    self.adopt_anew(known, root)
                }
                _ => {
                    let dummy = self.add();
                    self.adopt_anew(dummy, known);
                    self.adopt_anew(dummy, root);
                    replaced.insert(known, dummy);
                    match left.iter_mut().find(|at| **at == known) {
                        Some(slot) => *slot = dummy,
                        // The other one comes later and will be found replaced.
                        None => continue,
                    }
                }
            }
        }
        left
    }

    /// Steps 4 and 6: siblings by date, a container without a message by that of its first child.
    fn sort(&mut self, roots: &mut [usize]) {
        for at in self.bottom_up(roots) {
            let mut children = self.take_children(at);
            children.sort_by_key(|child| self.date(*child));
            self.set_children(at, children);
        }
        roots.sort_by_key(|root| self.date(*root));
    }

    fn into_forest(self, roots: Vec<usize>) -> Forest {
        let nodes = self
            .containers
            .into_iter()
            .map(|container| Node {
                uid: container.member.map(|member| member.uid),
                children: container.children,
            })
            .collect();
        Forest { nodes, roots }
    }

    /// Every container below the roots, children before parents.
    fn bottom_up(&self, roots: &[usize]) -> Vec<usize> {
        let mut order: Vec<usize> = roots.to_vec();
        let mut next = 0;
        while let Some(at) = order.get(next).copied() {
            next += 1;
            order.extend(
                self.containers
                    .get(at)
                    .map(|container| container.children.as_slice())
                    .unwrap_or_default(),
            );
        }
        order.reverse();
        order
    }

    fn by_id(&mut self, id: &str) -> usize {
        if let Some(at) = self.by_id.get(id) {
            return *at;
        }
        let at = self.add();
        self.by_id.insert(id.to_owned(), at);
        at
    }

    fn add(&mut self) -> usize {
        self.containers.push(Container::default());
        self.containers.len() - 1
    }

    fn parent(&self, at: usize) -> Option<usize> {
        self.containers
            .get(at)
            .and_then(|container| container.parent)
    }

    /// Whether `child` stands above `parent` already.
    fn would_loop(&self, parent: usize, child: usize) -> bool {
        // Who has nobody below stands above nobody: a chain as long as the mailbox is not climbed for each
        // message that continues it.
        let is_leaf = |container: &Container| container.children.is_empty();
        if self.containers.get(child).is_none_or(is_leaf) {
            return parent == child;
        }
        let mut above = Some(parent);
        while let Some(at) = above {
            if at == child {
                return true;
            }
            above = self.parent(at);
        }
        false
    }

    fn leave(&mut self, child: usize) {
        let parent = self
            .containers
            .get_mut(child)
            .and_then(|container| container.parent.take());
        if let Some(parent) = parent.and_then(|parent| self.containers.get_mut(parent)) {
            parent.children.retain(|at| *at != child);
        }
    }

    fn adopt(&mut self, parent: usize, child: usize) {
        if let Some(container) = self.containers.get_mut(parent) {
            container.children.push(child);
        }
        if let Some(container) = self.containers.get_mut(child) {
            container.parent = Some(parent);
        }
    }

    fn adopt_anew(&mut self, parent: usize, child: usize) {
        self.leave(child);
        self.adopt(parent, child);
    }

    fn take_children(&mut self, at: usize) -> Vec<usize> {
        self.containers
            .get_mut(at)
            .map(|container| std::mem::take(&mut container.children))
            .unwrap_or_default()
    }

    fn set_children(&mut self, at: usize, children: Vec<usize>) {
        if let Some(container) = self.containers.get_mut(at) {
            container.children = children;
        }
    }

    fn is_dummy(&self, at: usize) -> bool {
        self.containers
            .get(at)
            .is_some_and(|container| container.member.is_none())
    }

    /// The member of the container, or of its first child (RFC 5256 §3 step 5.B.ii).
    fn speaker(&self, at: usize) -> Option<&Member> {
        let container = self.containers.get(at)?;
        container.member.as_ref().or_else(|| {
            let child = container.children.first()?;
            self.containers.get(*child)?.member.as_ref()
        })
    }

    fn subject(&self, at: usize) -> Option<&str> {
        self.speaker(at).map(|member| member.base_subject.as_str())
    }

    fn is_reply(&self, at: usize) -> bool {
        self.containers
            .get(at)
            .and_then(|container| container.member.as_ref())
            .is_some_and(|member| member.is_reply)
    }

    fn date(&self, at: usize) -> (i64, u32) {
        self.speaker(at)
            .map(|member| (member.sent, member.uid))
            .unwrap_or_default()
    }
}
