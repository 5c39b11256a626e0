//! A pattern as a nondeterministic automaton whose ways are in order of preference.
//!
//! A state is a place in the pattern at which a row has just been taken. From it lead ways to the places whose
//! variable the next row may be; the match may also be over there. What would only be tried after that is left
//! out, since nothing comes behind an end.

use crate::graph::Pattern;

/// The state before the first row.
pub(super) const START: u32 = 0;

/// An automaton.
pub(super) struct Automaton {
    states: Vec<State>,
    /// The variables that a match may begin with.
    pub(super) first: u64,
}

/// A state.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The variable of the row that was taken.
    pub(super) variable: u8,
    /// The states that the next row may lead to, the preferred ones first.
    pub(super) next: Vec<u32>,
    /// Whether the match may be over, if none of these is.
    pub(super) ends: bool,
}

impl Automaton {
    /// The automaton of a pattern.
    pub(super) fn new(pattern: &Pattern) -> Self {
        let mut program = Program { steps: Vec::new() };
        let end = program.push(Step::End);
        let entry = program.add(pattern, end);
        // A state for each step that takes a row.
        let mut state_of = vec![START; program.steps.len()];
        let mut taken = Vec::new();
        for (at, step) in program.steps.iter().enumerate() {
            if let Step::Take { variable, next } = step {
                taken.push((*variable, *next));
                state_of[at] = taken.len() as u32;
            }
        }
        let mut states = vec![program.state(0, entry, &state_of)];
        for (variable, next) in taken {
            states.push(program.state(variable as u8, next, &state_of));
        }
        let variable = |state: &u32| 1u64 << states[*state as usize].variable;
        let first = states[START as usize].next.iter().map(variable);
        Automaton {
            first: first.fold(0, |all, one| all | one),
            states,
        }
    }

    /// A state.
    pub(super) fn state(&self, state: u32) -> &State {
        &self.states[state as usize]
    }
}

/// What is done at a place of the pattern.
enum Step {
    Take { variable: usize, next: usize },
    Choose(Vec<usize>),
    End,
}

struct Program {
    steps: Vec<Step>,
}

impl Program {
    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Adds a pattern behind which `next` follows; returns where it begins.
    fn add(&mut self, pattern: &Pattern, next: usize) -> usize {
        match pattern {
            Pattern::Variable(variable) => self.push(Step::Take {
                variable: *variable,
                next,
            }),
            Pattern::Sequence(parts) => {
                let parts = parts.iter().rev();
                parts.fold(next, |next, part| self.add(part, next))
            }
            Pattern::Alternatives(parts) => {
                let begins = parts.iter().map(|part| self.add(part, next)).collect();
                self.push(Step::Choose(begins))
            }
            Pattern::Repeated {
                pattern,
                least,
                most,
                greedy,
            } => {
                let choice = |more: usize, less: usize| {
                    Step::Choose(if *greedy {
                        vec![more, less]
                    } else {
                        vec![less, more]
                    })
                };
                let mut entry = next;
                match most {
                    None => {
                        entry = self.push(Step::Choose(Vec::new()));
                        let body = self.add(pattern, entry);
                        self.steps[entry] = choice(body, next);
                    }
                    Some(most) => {
                        for _ in *least..*most {
                            let body = self.add(pattern, entry);
                            entry = self.push(choice(body, next));
                        }
                    }
                }
                (0..*least).fold(entry, |entry, _| self.add(pattern, entry))
            }
        }
    }

    /// What follows from a place without taking a row, in order of preference.
    fn state(&self, variable: u8, from: usize, state_of: &[u32]) -> State {
        let mut state = State {
            variable,
            ..State::default()
        };
        let mut seen = vec![false; self.steps.len()];
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            match &self.steps[at] {
                Step::Take { .. } => state.next.push(state_of[at]),
                Step::Choose(ways) => open.extend(ways.iter().rev()),
                Step::End => {
                    state.ends = true;
                    break;
                }
            }
        }
        state
    }
}
