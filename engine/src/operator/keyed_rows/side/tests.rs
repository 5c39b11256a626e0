#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::operator::testing::{batch, schema};

/// Adds a row of a key with a stamp.
fn add(side: &mut Side, key: u32, stamp: i64, id: u64) -> u32 {
    let rows = batch(&schema("k INT, v INT"), &format!("+I | {key} | {id}"));
    let numbers = side.add(rows.rows(), &[0], &[]).unwrap();
    let degree = 0;
    let arrival = Arrival {
        key,
        degree,
        id,
        stamp,
    };
    side.link(numbers[0], arrival);
    numbers[0]
}

#[test]
fn rows_near_in_time_are_found_in_whatever_order_they_came_and_went() {
    for seed in 0..40 {
        let mut random = SmallRng::seed_from_u64(seed);
        let side = Side::new(&schema("k INT, v INT"), &[0], false, false);
        let mut side = side.unwrap().by_time().sorted();
        side.resize(3);
        let mut there: Vec<(u32, i64, u32)> = Vec::new();
        for id in 0..80 {
            let (key, stamp) = (random.random_range(0..3), random.random_range(0..20));
            let stamp = if random.random_ratio(1, 9) {
                i64::MIN
            } else {
                stamp
            };
            let row = add(&mut side, key, stamp, id);
            there.push((key, stamp, row));
            if random.random_ratio(1, 3) {
                let gone = there.swap_remove(random.random_range(0..there.len()));
                side.remove(gone.2).unwrap();
            }
            let first = random.random_range(-2..20);
            let stamps = first..=first + random.random_range(0..6);
            for key in 0..3 {
                let mut found: Vec<u32> = side.near(key, &stamps).collect();
                let near = |row: &&(u32, i64, u32)| row.0 == key && stamps.contains(&row.1);
                let mut expected: Vec<u32> = there.iter().filter(near).map(|row| row.2).collect();
                found.sort();
                expected.sort();
                assert_eq!(found, expected, "seed {seed}: {key} near {stamps:?}");
                let of_key = side.of_key(key).map(|row| side.entry(row).stamp);
                assert!(of_key.is_sorted_by(|a, b| a >= b), "seed {seed}");
                assert_eq!(
                    side.of_key(key).count(),
                    there.iter().filter(|r| r.0 == key).count()
                );
            }
        }
    }
}
