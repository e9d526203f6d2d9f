//! Which programs are loaded and attached.

use std::{collections::BTreeMap, os::fd::AsFd as _};

use libbpf_rs::{Link, Object, Program, query::ProgInfoIter, skel::Skel as _};
use sentinel_event::{Kind, KindSet};

use super::{Probe, state};
use crate::{
    ProbeError,
    attach::{self, Attached},
    decode::wire_id,
    load, plan,
};

impl Probe {
    /// Attaches what `kinds` need and detaches what they do not. The kinds that the process table lives
    /// on stay. Programs that are not attached anywhere yet, or no longer, are loaded.
    ///
    /// # Errors
    /// When a program does not load, or the kernel's configuration map cannot be written.
    pub fn set_kinds(&mut self, kinds: KindSet) -> Result<(), ProbeError> {
        let kinds = kinds.union(state());
        let mut unneeded = self.retarget();
        self.need(kinds)?;
        self.config.kinds = kinds.iter().filter_map(wire_id).fold(0, |bits, id| bits | 1 << id);
        self.shared.want(kinds);
        self.write_config()?;
        for job in &mut self.jobs {
            if !job.job.kind_set().intersects(kinds) {
                unneeded.append(&mut job.detach());
                continue;
            }
            let Some(name) = job.program() else {
                continue;
            };
            let mut loaded = self.loaded.iter().flat_map(Object::progs_mut);
            if let Some(program) = loaded.find(|program| program.autoload() && program.name() == name) {
                job.attach(&program);
            }
        }
        attach::release(unneeded);
        self.hand_on()?;
        self.give_back();
        Ok(())
    }

    /// Lets go of what is loaded, unless something of it waits to be attached.
    fn give_back(&mut self) {
        let waiting: Vec<_> =
            self.jobs.iter().filter(|job| job.lacks()).filter_map(Attached::program).collect();
        let waits =
            |program: Program<'_>| program.autoload() && waiting.iter().any(|name| program.name() == *name);
        if !self.loaded.iter().flat_map(Object::progs).any(waits) {
            self.loaded.clear();
            if let Some(compat) = &mut self.compat {
                compat.loaded.clear();
            }
        }
    }

    /// Gives the generic program the calls that are wanted; returns its links to others.
    pub(super) fn retarget(&mut self) -> Vec<Link> {
        let generic = self.jobs.iter_mut().filter(|job| job.job.kinds == [Kind::Syscall]);
        generic
            .flat_map(|job| job.retarget(self.syscalls.iter().map(|call| plan::tracepoint_of(call))))
            .collect()
    }

    /// Loads the programs that these kinds need and that are not attached everywhere.
    pub(super) fn need(&mut self, kinds: KindSet) -> Result<(), ProbeError> {
        let jobs = self.jobs.iter().filter(|job| job.job.kind_set().intersects(kinds) && job.lacks());
        let mut names: Vec<_> = jobs.filter_map(Attached::program).collect();
        names.retain(|name| {
            let mut loaded = self.loaded.iter().flat_map(Object::progs);
            !loaded.any(|program| program.autoload() && program.name() == *name)
        });
        let (mut loaded, refused) = load::programs(&self.skel, &self.facts, &names)?;
        note(&mut self.ids, &loaded);
        self.loaded.append(&mut loaded);
        self.need_compat(&names)?;
        for (name, error) in refused {
            for job in self.jobs.iter_mut().filter(|job| job.program() == Some(name)) {
                job.refuse(format!("the kernel refuses the program: {error:#}"));
            }
        }
        Ok(())
    }

    /// Notes the programs that are run.
    pub(super) fn note_skeleton(&mut self) {
        note(&mut self.ids, [self.skel.object()]);
    }

    /// Every program that is loaded, and how many instructions the kernel looked at to verify it; 0 before Linux 5.16,
    /// which does not tell.
    pub fn verified(&self) -> Vec<(String, u32)> {
        ProgInfoIter::default()
            .filter_map(|info| {
                let (name, _) = self.ids.iter().find(|(_, id)| **id == info.id)?;
                Some((name.clone(), info.verified_insns))
            })
            .collect()
    }
}

/// Notes the kernel's numbers of what is loaded.
fn note<'a>(ids: &mut BTreeMap<String, u32>, objects: impl IntoIterator<Item = &'a Object>) {
    for program in objects.into_iter().flat_map(Object::progs).filter(|program| program.autoload()) {
        if let Ok(id) = Program::id_from_fd(program.as_fd()) {
            ids.insert(program.name().to_string_lossy().into_owned(), id);
        }
    }
}
