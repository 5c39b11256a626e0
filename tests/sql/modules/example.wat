;; Functions over Arrow columns, written by hand. docs/wasm.md says what they are called with.
(module
  (memory (export "memory") 1)

  ;; Where the next room begins. What is below stays: the descriptor of the result at 16.
  (global $top (mut i32) (i32.const 64))

  (func $room (param $size i32) (result i32)
    (local $at i32) (local $end i32) (local $pages i32)
    (local.set $at (global.get $top))
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    (if (i32.lt_u (local.get $end) (local.get $at)) (then unreachable))
    ;; The next room begins at a multiple of 16.
    (local.set $end (i32.and (i32.add (local.get $end) (i32.const 15)) (i32.const -16)))
    (local.set $pages
      (i32.sub (i32.shr_u (i32.add (local.get $end) (i32.const 65535)) (i32.const 16)) (memory.size)))
    (if (i32.gt_s (local.get $pages) (i32.const 0))
      (then (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1)) (then unreachable))))
    (global.set $top (local.get $end))
    (local.get $at))

  ;; Each call begins with this: all room is free again.
  (func (export "levada_alloc") (param $size i32) (result i32)
    (global.set $top (i32.const 64))
    (call $room (local.get $size)))

  ;; Describes a column at $at. The number of NULLs is left to be counted (-1).
  (func $describe (param $at i32) (param $type i32) (param $validity i32) (param $values i32) (param $offsets i32)
    (param $size i32)
    (i32.store (local.get $at) (local.get $type))
    (i32.store offset=4 (local.get $at) (i32.const -1))
    (i32.store offset=8 (local.get $at) (local.get $validity))
    (i32.store offset=12 (local.get $at) (local.get $values))
    (i32.store offset=16 (local.get $at) (local.get $offsets))
    (i32.store offset=20 (local.get $at) (local.get $size)))

  ;; Describes a result at 16.
  (func $result (param $type i32) (param $validity i32) (param $values i32) (param $offsets i32) (param $bytes i32)
    (result i32)
    (call $describe (i32.const 16) (local.get $type) (local.get $validity) (local.get $values) (local.get $offsets)
      (local.get $bytes))
    (i32.const 16))

  ;; Whether a bit is set; without bits they all are.
  (func $bit (param $bits i32) (param $at i32) (result i32)
    (if (result i32) (i32.eqz (local.get $bits))
      (then (i32.const 1))
      (else (i32.and (i32.const 1) (i32.shr_u
        (i32.load8_u (i32.add (local.get $bits) (i32.shr_u (local.get $at) (i32.const 3))))
        (i32.and (local.get $at) (i32.const 7)))))))

  ;; twice(BIGINT) RETURNS BIGINT
  (func (export "twice") (param $in i32) (result i32)
    (local $rows i32) (local $from i32) (local $to i32) (local $out i32) (local $end i32)
    (local.set $rows (i32.load (local.get $in)))
    (local.set $from (i32.load offset=20 (local.get $in)))
    (local.set $out (call $room (i32.shl (local.get $rows) (i32.const 3))))
    (local.set $to (local.get $out))
    (local.set $end (i32.add (local.get $to) (i32.shl (local.get $rows) (i32.const 3))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $to) (local.get $end)))
      (i64.store (local.get $to) (i64.shl (i64.load (local.get $from)) (i64.const 1)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (local.set $to (i32.add (local.get $to) (i32.const 8)))
      (br $next)))
    ;; NULL where the argument is.
    (call $result (i32.const 5) (i32.load offset=16 (local.get $in)) (local.get $out) (i32.const 0) (i32.const 0)))

  ;; shout(STRING) RETURNS STRING: a to z become capitals, so that offsets stay.
  (func (export "shout") (param $in i32) (result i32)
    (local $from i32) (local $to i32) (local $out i32) (local $end i32) (local $bytes i32) (local $letter i32)
    (local.set $from (i32.load offset=20 (local.get $in)))
    (local.set $bytes (i32.load offset=28 (local.get $in)))
    (local.set $out (call $room (local.get $bytes)))
    (local.set $to (local.get $out))
    (local.set $end (i32.add (local.get $to) (local.get $bytes)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $to) (local.get $end)))
      (local.set $letter (i32.load8_u (local.get $from)))
      (if (i32.lt_u (i32.sub (local.get $letter) (i32.const 97)) (i32.const 26))
        (then (local.set $letter (i32.sub (local.get $letter) (i32.const 32)))))
      (i32.store8 (local.get $to) (local.get $letter))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (local.set $to (i32.add (local.get $to) (i32.const 1)))
      (br $next)))
    (call $result (i32.const 8) (i32.load offset=16 (local.get $in)) (local.get $out)
      (i32.load offset=24 (local.get $in)) (local.get $bytes)))

  ;; bytes_or(STRING, INT) RETURNS INT: how many bytes the text has, or the number if it is NULL.
  (func (export "bytes_or") (param $in i32) (result i32)
    (local $rows i32) (local $row i32) (local $there i32) (local $offsets i32) (local $numbers i32) (local $out i32)
    (local $bits i32) (local $place i32)
    (local.set $rows (i32.load (local.get $in)))
    (local.set $there (i32.load offset=16 (local.get $in)))
    (local.set $offsets (i32.load offset=24 (local.get $in)))
    (local.set $numbers (i32.load offset=44 (local.get $in)))
    (local.set $out (call $room (i32.shl (local.get $rows) (i32.const 2))))
    (local.set $bits (call $room (i32.shr_u (i32.add (local.get $rows) (i32.const 7)) (i32.const 3))))
    (memory.fill (local.get $bits) (i32.const 0) (i32.shr_u (i32.add (local.get $rows) (i32.const 7)) (i32.const 3)))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
      (local.set $place (i32.shl (local.get $row) (i32.const 2)))
      (i32.store (i32.add (local.get $out) (local.get $place))
        (if (result i32) (call $bit (local.get $there) (local.get $row))
          (then (i32.sub
            (i32.load offset=4 (i32.add (local.get $offsets) (local.get $place)))
            (i32.load (i32.add (local.get $offsets) (local.get $place)))))
          (else (i32.load (i32.add (local.get $numbers) (local.get $place))))))
      ;; NULL only where both are.
      (if (i32.or (call $bit (local.get $there) (local.get $row))
                  (call $bit (i32.load offset=40 (local.get $in)) (local.get $row)))
        (then
          (local.set $place (i32.add (local.get $bits) (i32.shr_u (local.get $row) (i32.const 3))))
          (i32.store8 (local.get $place) (i32.or (i32.load8_u (local.get $place))
            (i32.shl (i32.const 1) (i32.and (local.get $row) (i32.const 7)))))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br $next)))
    (call $result (i32.const 4) (local.get $bits) (local.get $out) (i32.const 0) (i32.const 0)))

  ;; same(anything) RETURNS the same: the first column as it came.
  (func (export "same") (param $in i32) (result i32)
    (i32.add (local.get $in) (i32.const 8)))

  ;; Offsets of arrays of as many elements as the numbers of column 0 say; of none where it is NULL.
  (func $counted (param $in i32) (result i32)
    (local $rows i32) (local $row i32) (local $out i32) (local $end i32) (local $count i64)
    (local.set $rows (i32.load (local.get $in)))
    (local.set $out (call $room (i32.shl (i32.add (local.get $rows) (i32.const 1)) (i32.const 2))))
    (i32.store (local.get $out) (i32.const 0))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
      (local.set $count
        (i64.load (i32.add (i32.load offset=20 (local.get $in)) (i32.shl (local.get $row) (i32.const 3)))))
      (if (i32.and (call $bit (i32.load offset=16 (local.get $in)) (local.get $row))
                   (i64.gt_s (local.get $count) (i64.const 0)))
        (then
          (if (i64.gt_s (local.get $count) (i64.const 1000000)) (then unreachable))
          (local.set $end (i32.add (local.get $end) (i32.wrap_i64 (local.get $count))))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (i32.store (i32.add (local.get $out) (i32.shl (local.get $row) (i32.const 2))) (local.get $end))
      (br $next)))
    (local.get $out))

  ;; The elements of such arrays: 1, 2, 3 and so on in each.
  (func $counting (param $rows i32) (param $offsets i32) (result i32)
    (local $row i32) (local $at i32) (local $end i32) (local $out i32) (local $number i64)
    (local.set $out (call $room (i32.shl
      (i32.load (i32.add (local.get $offsets) (i32.shl (local.get $rows) (i32.const 2)))) (i32.const 3))))
    (local.set $at (local.get $out))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (local.set $end (i32.add (local.get $out) (i32.shl
        (i32.load (i32.add (local.get $offsets) (i32.shl (local.get $row) (i32.const 2)))) (i32.const 3))))
      (local.set $number (i64.const 0))
      (block $full (loop $more
        (br_if $full (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $number (i64.add (local.get $number) (i64.const 1)))
        (i64.store (local.get $at) (local.get $number))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br $more)))
      (br $next)))
    (local.get $out))

  ;; series(BIGINT) RETURNS ARRAY<BIGINT>: from 1 up to the number; NULL where it is.
  (func (export "series") (param $in i32) (result i32)
    (local $rows i32) (local $offsets i32) (local $count i32) (local $elements i32)
    (local.set $rows (i32.load (local.get $in)))
    (local.set $offsets (call $counted (local.get $in)))
    (local.set $count (i32.load (i32.add (local.get $offsets) (i32.shl (local.get $rows) (i32.const 2)))))
    (local.set $elements (call $room (i32.const 24)))
    (call $describe (local.get $elements) (i32.const 5) (i32.const 0)
      (call $counting (local.get $rows) (local.get $offsets)) (i32.const 0) (i32.const 0))
    (call $result (i32.const 14) (i32.load offset=16 (local.get $in)) (local.get $elements) (local.get $offsets)
      (local.get $count)))

  ;; letters(BIGINT) RETURNS ARRAY<ROW<n BIGINT, letter STRING>>: as series, each number with its letter.
  (func (export "letters") (param $in i32) (result i32)
    (local $rows i32) (local $offsets i32) (local $count i32) (local $elements i32) (local $fields i32)
    (local $numbers i32) (local $texts i32) (local $places i32) (local $place i32)
    (local.set $rows (i32.load (local.get $in)))
    (local.set $offsets (call $counted (local.get $in)))
    (local.set $count (i32.load (i32.add (local.get $offsets) (i32.shl (local.get $rows) (i32.const 2)))))
    (local.set $numbers (call $counting (local.get $rows) (local.get $offsets)))
    (local.set $texts (call $room (local.get $count)))
    (local.set $places (call $room (i32.shl (i32.add (local.get $count) (i32.const 1)) (i32.const 2))))
    (i32.store (local.get $places) (i32.const 0))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $place) (local.get $count)))
      (i32.store8 (i32.add (local.get $texts) (local.get $place)) (i32.add (i32.const 97) (i32.rem_u
        (i32.sub (i32.load (i32.add (local.get $numbers) (i32.shl (local.get $place) (i32.const 3)))) (i32.const 1))
        (i32.const 26))))
      (local.set $place (i32.add (local.get $place) (i32.const 1)))
      (i32.store (i32.add (local.get $places) (i32.shl (local.get $place) (i32.const 2))) (local.get $place))
      (br $next)))
    (local.set $fields (call $room (i32.const 48)))
    (call $describe (local.get $fields) (i32.const 5) (i32.const 0) (local.get $numbers) (i32.const 0) (i32.const 0))
    (call $describe (i32.add (local.get $fields) (i32.const 24)) (i32.const 8) (i32.const 0) (local.get $texts)
      (local.get $places) (local.get $count))
    (local.set $elements (call $room (i32.const 24)))
    (call $describe (local.get $elements) (i32.const 15) (i32.const 0) (local.get $fields) (i32.const 0) (i32.const 2))
    (call $result (i32.const 14) (i32.load offset=16 (local.get $in)) (local.get $elements) (local.get $offsets)
      (local.get $count)))

  ;; The sums of an aggregate: a state is 8 bytes. Column 0 of the block is the states, column 1 the group of each row.
  ;; With $more, the address of other values, each value counts so often.
  (func $sum (param $in i32) (param $groups i32) (param $more i32) (result i32)
    (local $rows i32) (local $row i32) (local $out i32) (local $offsets i32) (local $sum i32) (local $value i64)
    (local.set $rows (i32.load (local.get $in)))
    (local.set $out (call $room (i32.shl (local.get $groups) (i32.const 3))))
    (local.set $offsets (call $room (i32.shl (i32.add (local.get $groups) (i32.const 1)) (i32.const 2))))
    (i32.store (local.get $offsets) (i32.const 0))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $row) (local.get $groups)))
      ;; What was there, or 0 if the group is new.
      (i64.store (i32.add (local.get $out) (i32.shl (local.get $row) (i32.const 3)))
        (if (result i64) (call $bit (i32.load offset=16 (local.get $in)) (local.get $row))
          (then (i64.load (i32.add (i32.load offset=20 (local.get $in))
            (i32.load (i32.add (i32.load offset=24 (local.get $in)) (i32.shl (local.get $row) (i32.const 2)))))))
          (else (i64.const 0))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (i32.store (i32.add (local.get $offsets) (i32.shl (local.get $row) (i32.const 2)))
        (i32.shl (local.get $row) (i32.const 3)))
      (br $next)))
    (local.set $row (i32.const 0))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
      (if (call $bit (i32.load offset=64 (local.get $in)) (local.get $row))
        (then
          (local.set $value
            (i64.load (i32.add (i32.load offset=68 (local.get $in)) (i32.shl (local.get $row) (i32.const 3)))))
          (if (local.get $more)
            (then (local.set $value (i64.mul (local.get $value)
              (i64.load (i32.add (local.get $more) (i32.shl (local.get $row) (i32.const 3))))))))
          (local.set $sum (i32.add (local.get $out) (i32.shl
            (i32.load (i32.add (i32.load offset=44 (local.get $in)) (i32.shl (local.get $row) (i32.const 2))))
            (i32.const 3))))
          (i64.store (local.get $sum) (i64.add (i64.load (local.get $sum)) (local.get $value)))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br $next)))
    (call $result (i32.const 9) (i32.const 0) (local.get $out) (local.get $offsets)
      (i32.shl (local.get $groups) (i32.const 3))))

  ;; What sums are as BIGINT: their bytes as they are, if they all have as many; NULL of no rows.
  (func $summed (param $in i32) (result i32)
    (local $rows i32) (local $row i32) (local $out i32)
    (local.set $rows (i32.load (local.get $in)))
    (local.set $out (call $room (i32.shl (local.get $rows) (i32.const 3))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $row) (local.get $rows)))
      (if (call $bit (i32.load offset=16 (local.get $in)) (local.get $row))
        (then (i64.store (i32.add (local.get $out) (i32.shl (local.get $row) (i32.const 3)))
          (i64.load (i32.add (i32.load offset=20 (local.get $in))
            (i32.load (i32.add (i32.load offset=24 (local.get $in)) (i32.shl (local.get $row) (i32.const 2)))))))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br $next)))
    (call $result (i32.const 5) (i32.load offset=16 (local.get $in)) (local.get $out) (i32.const 0) (i32.const 0)))

  ;; total(BIGINT) RETURNS BIGINT: the sum of what is not NULL.
  (func (export "total_update") (param $in i32) (param $groups i32) (result i32)
    (call $sum (local.get $in) (local.get $groups) (i32.const 0)))
  (func (export "total_finish") (param $in i32) (result i32) (call $summed (local.get $in)))

  ;; sum_of_products(BIGINT, BIGINT) RETURNS BIGINT, of values that are not NULL.
  (func (export "sum_of_products_update") (param $in i32) (param $groups i32) (result i32)
    (call $sum (local.get $in) (local.get $groups) (i32.load offset=92 (local.get $in))))
  (func (export "sum_of_products_finish") (param $in i32) (result i32) (call $summed (local.get $in)))

  ;; What a call can end with.
  (func (export "ends") (param $in i32) (result i32) unreachable)
  (func (export "forever") (param $in i32) (result i32) (loop $on (br $on)) (i32.const 0))
  (func (export "greedy") (param $in i32) (result i32) (drop (call $room (i32.const 1000000000))) (i32.const 0))
  (func (export "lies") (param $in i32) (result i32)
    (call $result (i32.const 5) (i32.const 0) (i32.const -8) (i32.const 0) (i32.const 0)))
  (func (export "of_two") (param $in i32) (param $more i32) (result i32) (i32.const 0))

  (data (i32.const 40) "\30\00\00\00\10\00\00\00no such customer")
  (func (export "levada_error") (result i32) (i32.const 40))
  (func (export "refuses") (param $in i32) (result i32) (i32.const 0)))
