//! Which job gets which slots.

use std::collections::BTreeMap;

use super::Coordinator;
use crate::control::WorkerId;
use crate::graph::JobId;

impl Coordinator {
    pub(super) fn free_slots(&self) -> BTreeMap<WorkerId, u32> {
        let mut free: BTreeMap<WorkerId, u32> = self
            .workers
            .iter()
            .map(|(id, w)| (id.clone(), w.slots))
            .collect();
        for (worker, held) in self.jobs.values().flat_map(|e| e.job.held_slots()) {
            if let Some(slots) = free.get_mut(&worker) {
                *slots = slots.saturating_sub(held);
            }
        }
        free
    }

    /// Gives free slots to waiting jobs, oldest first.
    pub(super) fn schedule(&mut self) {
        if self.jobs.values().all(|e| e.job.wanted_slots().is_none()) {
            return;
        }
        let mut free = self.free_slots();
        let addresses: BTreeMap<WorkerId, String> = self
            .workers
            .iter()
            .filter_map(|(id, w)| Some((id.clone(), w.data_address.clone()?)))
            .collect();
        let waiting: Vec<JobId> = self
            .jobs
            .values()
            .filter(|e| e.job.wanted_slots().is_some())
            .map(|e| e.job.status().id)
            .collect();
        for id in waiting {
            let workers = self.workers.len();
            let Ok(entry) = self.entry(&id) else { continue };
            let Some(wanted) = entry.job.wanted_slots() else {
                continue;
            };
            let total: u32 = free.values().sum();
            if total < wanted {
                let plural = if workers == 1 { "worker" } else { "workers" };
                entry.job.set_waiting_for(format!(
                    "waiting for slots: {wanted} needed, {total} free on {workers} {plural}"
                ));
                continue;
            }
            let slots = take_slots(&mut free, wanted);
            let actions = entry.job.deploy(&slots, &addresses);
            self.act(&id, actions);
        }
    }
}

/// Takes slots one by one from the worker with the most left, so that load is spread.
fn take_slots(free: &mut BTreeMap<WorkerId, u32>, wanted: u32) -> Vec<WorkerId> {
    let mut slots = Vec::new();
    for _ in 0..wanted {
        let most = free
            .iter_mut()
            .max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
        if let Some((worker, left)) = most
            && *left > 0
        {
            *left -= 1;
            slots.push(worker.clone());
        }
    }
    slots
}
