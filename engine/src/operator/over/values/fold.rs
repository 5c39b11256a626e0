//! What rows of frames come to, one after the other.

use super::Frames;

/// Frames of so many rows are gone through.
const FEW: usize = if cfg!(test) { 2 } else { 32 };

/// For each frame, what its rows come to: `leaf` gives that of a single row, if it counts, and `join` puts those of
/// neighbours together.
pub(super) fn fold<T: Copy>(
    frames: &Frames,
    rows: usize,
    leaf: impl Fn(usize) -> Option<T>,
    join: impl Fn(T, T) -> T,
) -> Vec<Option<T>> {
    let both = |a: Option<T>, b: Option<T>| match (a, b) {
        (Some(a), Some(b)) => Some(join(a, b)),
        (some, None) | (None, some) => some,
    };
    let mut tree: Option<Tree<T>> = None;
    let mut before = 0..0;
    let mut so_far: Option<T> = None;
    let mut found = Vec::with_capacity(frames.len());
    for frame in frames {
        if frame.start == before.start && frame.end >= before.end {
            so_far = (before.end..frame.end).fold(so_far, |sum, row| both(sum, leaf(row)));
        } else if frame.len() <= FEW {
            so_far = frame.clone().fold(None, |sum, row| both(sum, leaf(row)));
        } else {
            let tree = tree.get_or_insert_with(|| Tree::new(rows, &leaf, &both));
            so_far = tree.query(frame.start, frame.end, &both);
        }
        before = frame.clone();
        found.push(so_far);
    }
    found
}

/// What pairs of rows, pairs of pairs and so on come to.
struct Tree<T> {
    /// The root is 1; the children of `n` are `2n` and `2n + 1`; leaves are the last half.
    nodes: Vec<Option<T>>,
    leaves: usize,
}

impl<T: Copy> Tree<T> {
    fn new(
        rows: usize,
        leaf: &impl Fn(usize) -> Option<T>,
        both: &impl Fn(Option<T>, Option<T>) -> Option<T>,
    ) -> Self {
        let leaves = rows.next_power_of_two();
        let mut nodes = vec![None; leaves * 2];
        for row in 0..rows {
            nodes[leaves + row] = leaf(row);
        }
        for node in (1..leaves).rev() {
            nodes[node] = both(nodes[node * 2], nodes[node * 2 + 1]);
        }
        Tree { nodes, leaves }
    }

    fn query(
        &self,
        start: usize,
        end: usize,
        both: &impl Fn(Option<T>, Option<T>) -> Option<T>,
    ) -> Option<T> {
        let (mut left, mut right) = (None, None);
        let (mut from, mut to) = (start + self.leaves, end + self.leaves);
        while from < to {
            if from % 2 == 1 {
                left = both(left, self.nodes[from]);
                from += 1;
            }
            if to % 2 == 1 {
                to -= 1;
                right = both(self.nodes[to], right);
            }
            from /= 2;
            to /= 2;
        }
        both(left, right)
    }
}
