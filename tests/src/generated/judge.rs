//! Whether streams give what batch mode gives.

use crate::case::{Case, Expected};
use crate::run::{Answer, Bench, Way, same};

/// What running a case has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All ways gave the same rows, so many.
    Same(usize),
    /// Streams say that they cannot do it, or all ways refuse; the error.
    Refused(String),
    /// What must not be.
    Wrong(Fault, String),
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Other rows, columns or types than in batch mode.
    Difference,
    /// A panic, or an error that says it is one of the product.
    Internal,
    /// No end.
    Stuck,
    /// An error on streams that is none in batch mode, and does not say that streams cannot do it.
    OnlyStreamsFail,
    /// An error in batch mode that is none on streams.
    OnlyBatchFails,
    /// An error everywhere that does not say that something cannot be done: the query is right.
    AllFail,
}

/// What streams may say to something that they cannot do: it is not supported, or no window of event time.
const CANNOT: [&str; 2] = ["LV-1011", "LV-1014"];
/// What batch mode says to something that DataFusion cannot do.
const BATCH_CANNOT: &str = "LV-2001 (configuration): this is not supported";
/// What all may say to a query that is right: that nobody can do it, or that a value of a row does not fit, such as one
/// that is out of range.
const NOBODY_CAN: [&str; 4] = ["LV-1011", "LV-1014", BATCH_CANNOT, "LV-3002"];

/// Runs a case in batch mode and in some ways of streams; leaves in it what batch mode gave.
pub async fn judge(bench: &Bench, case: &mut Case, ways: &[Way]) -> Verdict {
    let batch = bench.answer(case, Way::Batch).await;
    if let Some(wrong) = defect(Way::Batch, &batch) {
        return wrong;
    }
    let mut refused = None;
    for way in ways {
        let found = bench.answer(case, *way).await;
        if let Some(wrong) = defect(*way, &found) {
            return wrong;
        }
        match compared(&batch, &found) {
            Ok(error) => refused = error.or(refused),
            Err((fault, problem)) => {
                let way = match fault {
                    Fault::OnlyBatchFails => Way::Batch,
                    _ => *way,
                };
                expect(case, &batch);
                return Verdict::Wrong(fault, format!("{way:?}: {problem}"));
            }
        }
    }
    expect(case, &batch);
    match (refused, batch) {
        (Some(error), _) => Verdict::Refused(error),
        (None, Ok(answer)) => Verdict::Same(answer.rows.len()),
        (None, Err(error)) => Verdict::Refused(error),
    }
}

/// What a way gave beside what batch mode gave: nothing to say, an error that may be, or what must not be.
fn compared(
    batch: &Result<Answer, String>,
    found: &Result<Answer, String>,
) -> Result<Option<String>, (Fault, String)> {
    let says = |error: &str, codes: &[&str]| codes.iter().any(|code| error.contains(code));
    match (batch, found) {
        (Ok(batch), Ok(found)) => match different(batch, found) {
            Some(difference) => Err((Fault::Difference, difference)),
            None => Ok(None),
        },
        (Ok(_), Err(error)) if says(error, &CANNOT) => Ok(Some(error.clone())),
        (Ok(_), Err(error)) => Err((Fault::OnlyStreamsFail, error.clone())),
        (Err(error), Ok(_)) if error.contains(BATCH_CANNOT) => Ok(Some(error.clone())),
        (Err(error), Ok(_)) => Err((Fault::OnlyBatchFails, error.clone())),
        (Err(batch), Err(found)) => match [batch, found].map(|error| says(error, &NOBODY_CAN)) {
            [true, true] => Ok(Some(found.clone())),
            [false, _] => Err((Fault::AllFail, batch.clone())),
            [_, false] => Err((Fault::AllFail, found.clone())),
        },
    }
}

fn expect(case: &mut Case, batch: &Result<Answer, String>) {
    if let Ok(batch) = batch {
        case.expected = vec![Expected::Rows {
            table: None,
            columns: batch.columns.clone(),
            rows: batch.rows.clone(),
        }];
    }
}

/// What is never right.
fn defect(way: Way, found: &Result<Answer, String>) -> Option<Verdict> {
    let error = found.as_ref().err()?;
    let text = error.to_lowercase();
    let internal = ["lv-1099", "lv-9001", "internal error", "panic"];
    let fault = if error.starts_with(crate::run::STUCK) {
        Fault::Stuck
    } else if internal.iter().any(|word| text.contains(word)) {
        Fault::Internal
    } else {
        return None;
    };
    Some(Verdict::Wrong(fault, format!("{way:?}: {error}")))
}

/// In what an answer differs from that of batch mode.
fn different(batch: &Answer, found: &Answer) -> Option<String> {
    same("the columns", &batch.columns, &found.columns)
        .and_then(|()| same("the rows", &batch.rows, &found.rows))
        .err()
        .or_else(|| {
            let typed = !found.types.is_empty() && batch.types != found.types;
            typed.then(|| {
                format!(
                    "the types are {:?}, in batch {:?}",
                    found.types, batch.types
                )
            })
        })
}
