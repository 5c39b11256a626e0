//! Decisions, written down: a generated case is what follows from a list of numbers.
//!
//! Whoever generates asks for numbers, and 0 always stands for what is simplest: no clause, no further row. A case
//! becomes smaller by taking numbers out of its list or making them less, and generating it again, so that nothing
//! has to know what the case is made of. [`Choices::span`] marks what belongs together.

use std::ops::Range;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// Where decisions come from: chance, or a list.
pub struct Choices {
    chance: Option<SmallRng>,
    given: Vec<u32>,
    taken: Vec<u32>,
    spans: Vec<Range<usize>>,
}

impl Choices {
    /// Decided by chance.
    pub fn random(seed: u64) -> Self {
        Choices {
            chance: Some(SmallRng::seed_from_u64(seed)),
            given: Vec::new(),
            taken: Vec::new(),
            spans: Vec::new(),
        }
    }

    /// Decided before; behind the end of the list all is 0.
    pub fn replay(given: Vec<u32>) -> Self {
        Choices {
            chance: None,
            given,
            taken: Vec::new(),
            spans: Vec::new(),
        }
    }

    /// What was decided, and the parts that belong together.
    pub fn into_parts(self) -> (Vec<u32>, Vec<Range<usize>>) {
        (self.taken, self.spans)
    }

    /// A number less than `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u32::try_from(limit.max(1)).expect("few possibilities");
        let number = match &mut self.chance {
            Some(chance) => chance.random_range(0..limit),
            None => self.given.get(self.taken.len()).map_or(0, |n| *n % limit),
        };
        self.taken.push(number);
        number as usize
    }

    /// Whether something happens that happens so many times in a hundred.
    pub fn percent(&mut self, percent: u32) -> bool {
        let yes = match &mut self.chance {
            Some(chance) => chance.random_range(0..100) < percent,
            None => self.given.get(self.taken.len()).is_some_and(|n| *n > 0),
        };
        self.taken.push(u32::from(yes));
        yes
    }

    /// One of several, of which the first is the simplest.
    pub fn pick<'t, T>(&mut self, among: &'t [T]) -> &'t T {
        &among[self.below(among.len())]
    }

    /// One of several by weight, of which the first is the simplest.
    pub fn weighted<T: Copy>(&mut self, among: &[(u32, T)]) -> T {
        let sum: u32 = among.iter().map(|(weight, _)| weight).sum();
        let place = match &mut self.chance {
            Some(chance) => {
                let mut left = chance.random_range(0..sum);
                let lies = |(weight, _): &(u32, T)| match left < *weight {
                    true => true,
                    false => {
                        left -= weight;
                        false
                    }
                };
                among.iter().position(lies).unwrap_or_default()
            }
            None => {
                let given = self.given.get(self.taken.len()).copied();
                given.unwrap_or_default() as usize % among.len()
            }
        };
        self.taken
            .push(u32::try_from(place).expect("few possibilities"));
        among[place].1
    }

    /// Marks what belongs together.
    pub fn span<T>(&mut self, inside: impl FnOnce(&mut Self) -> T) -> T {
        let start = self.mark();
        let given = inside(self);
        self.close(start);
        given
    }

    /// Where a part begins that [`Choices::close`] ends.
    pub fn mark(&self) -> usize {
        self.taken.len()
    }

    /// Ends a part.
    pub fn close(&mut self, start: usize) {
        self.spans.push(start..self.taken.len());
    }

    /// As many as chance wants, each of which can be taken out alone.
    pub fn many<T>(
        &mut self,
        most: usize,
        percent: u32,
        mut each: impl FnMut(&mut Self) -> T,
    ) -> Vec<T> {
        let mut all = Vec::new();
        while all.len() < most {
            let one = self.span(|c| c.percent(percent).then(|| each(c)));
            match one {
                Some(one) => all.push(one),
                None => return all,
            }
        }
        // The end is written down too, so that it stays the end when one is taken out.
        self.taken.push(0);
        all
    }

    /// Some of several, at least `least`, in their order.
    pub fn some<T: Clone>(&mut self, among: &[T], least: usize, percent: u32) -> Vec<T> {
        let mut chosen = Vec::new();
        for (place, one) in among.iter().enumerate() {
            let must = chosen.len() + (among.len() - place) <= least;
            if self.percent(percent) || must {
                chosen.push(one.clone());
            }
        }
        chosen
    }
}
