use super::*;

#[test]
fn every_kind_but_loss_has_a_job() {
    let covered = JOBS.iter().fold(KindSet::NONE, |set, job| set.union(job.kind_set()));
    for kind in Kind::ALL {
        assert_eq!(covered.contains(*kind), *kind != Kind::Loss, "{kind}");
    }
}

#[test]
fn calls_have_the_kernels_names() {
    for (call, hook) in [
        ("ioctl", "tracepoint/syscalls/sys_exit_ioctl"),
        ("stat", "tracepoint/syscalls/sys_exit_newstat"),
        ("umount2", "tracepoint/syscalls/sys_exit_umount"),
        ("pread", "tracepoint/syscalls/sys_exit_pread64"),
    ] {
        assert_eq!(tracepoint_of(call).name(), hook);
    }
}

#[test]
fn a_kernel_without_bpf_loop_gets_the_old_program() {
    let open = JOBS.iter().find(|job| job.kinds == [Kind::FileOpen]).unwrap();
    let program = |facts: &[Name]| open.choose(&Facts::of(facts)).map(|variant| variant.program);
    assert_eq!(program(&[Tracefs, BpfLoop, Fentry]), Ok("file_open_direct"));
    assert_eq!(program(&[Tracefs, BpfLoop]), Ok("file_open"));
    assert_eq!(program(&[Tracefs]), Ok("file_open_old"));
    assert_eq!(program(&[BpfLoop]), Err(Tracefs));
}

#[test]
fn where_bpf_is_a_security_module_the_guard_is_asked_by_the_kernel() {
    let guard =
        JOBS.iter().find(|job| job.variants.iter().any(|variant| variant.program == "guard")).unwrap();
    let hooks = |facts: &[Name]| {
        let variant = guard.choose(&Facts::of(facts)).unwrap();
        variant.hooks.iter().map(Hook::name).collect::<Vec<_>>()
    };
    assert_eq!(hooks(&[Tracefs, BpfLsm]), ["lsm/bpf_map"]);
    assert_eq!(hooks(&[Tracefs]), ["tracepoint/syscalls/sys_exit_bpf"]);
}
