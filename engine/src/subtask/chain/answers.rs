//! Stages that ask: what waits for answers, and what leaves when they are there.

use super::{Chain, Event, Node, OutputPort, Stage};
use crate::element::Element;
use crate::error::Result;
use crate::subtask::lookup::{Given, LookupStage};

impl Chain {
    fn lookups(&self) -> impl Iterator<Item = (&Node, &LookupStage)> {
        self.nodes.iter().filter_map(|node| match &node.stage {
            Stage::Lookup(lookup) => Some((node, lookup.as_ref())),
            _ => None,
        })
    }

    /// Whether rows wait for answers.
    pub fn is_asking(&self) -> bool {
        self.lookups().any(|(_, lookup)| !lookup.is_empty())
    }

    /// Whether no more may be asked.
    pub(super) fn asks_enough(&self) -> bool {
        let waits = self.waits_for_answers && self.is_asking();
        waits || self.lookups().any(|(_, lookup)| lookup.is_full())
    }

    /// Whether an answer is there, and room for what it makes. A barrier that waits for answers waits for nobody
    /// else: who reads may be gone, as a client whose query is stopped.
    pub fn has_answers(&self) -> bool {
        let may_give = self.waits_for_answers || !self.is_blocked();
        may_give && self.lookups().any(|(_, lookup)| lookup.can_give())
    }

    /// Whether no input is taken until all questions are answered.
    pub fn wait_for_answers(&mut self, waits: bool) {
        self.waits_for_answers = waits;
    }

    /// Lets each stage give one thing that has an answer.
    pub(super) fn give_answers(&mut self) -> Result<()> {
        (0..self.nodes.len()).try_for_each(|node| self.give_answer(node))
    }

    fn give_answer(&mut self, node: usize) -> Result<()> {
        let Some(target) = self.nodes.get_mut(node) else {
            return Ok(());
        };
        let Stage::Lookup(lookup) = &mut target.stage else {
            return Ok(());
        };
        match lookup.give().map_err(|e| e.at(&target.name))? {
            Some(Given::Rows(batch)) => self.route(node, OutputPort::Main, Event::Batch(batch)),
            Some(Given::Event(event)) => self.route_all(node, event),
            None => Ok(()),
        }
    }

    /// Says something to all that follow, behind the rows that wait for answers.
    pub(super) fn pass_on(&mut self, node: usize, event: Event) -> Result<()> {
        let event = match self.nodes.get_mut(node).map(|n| &mut n.stage) {
            Some(Stage::Lookup(lookup)) => lookup.hold(event),
            _ => Some(event),
        };
        match event {
            Some(event) => self.route_all(node, event),
            None => Ok(()),
        }
    }

    /// The rows that wait for answers, with the id and name of who asks.
    pub fn unanswered(&self) -> Vec<(String, String, Vec<Element>)> {
        let of = |(node, lookup): (&Node, &LookupStage)| {
            (node.uid.clone(), node.name.clone(), lookup.unanswered())
        };
        self.lookups().map(of).collect()
    }

    /// Waits for answers no longer.
    pub fn forget_questions(&mut self) {
        for node in &mut self.nodes {
            if let Stage::Lookup(lookup) = &mut node.stage {
                lookup.clear();
            }
        }
    }
}
