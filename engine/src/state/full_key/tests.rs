#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(254), Just(255)], 0..6)
}

proptest! {
    #[test]
    fn keys_compare_as_their_bytes_do(table in 0u8..3, group in any::<u16>(), key in bytes(), other in bytes()) {
        let place = (TableId(table), group);
        let full = of(place, &key);
        prop_assert_eq!(compare(place, &key, &other), full.cmp(&other));
        prop_assert_eq!(split(&full).unwrap(), (place, key.as_slice()));
    }

    #[test]
    fn what_comes_behind(a in bytes(), b in bytes()) {
        prop_assert_eq!(b >= behind(&a), b > a);
        let beyond = behind_prefix(&a).is_some_and(|next| b >= next);
        prop_assert_eq!(beyond, b > a && !b.starts_with(&a));
    }
}
