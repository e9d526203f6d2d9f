//! Every field of every kind of event, told with the exact value that it should have. Needs root.
//!
//! Nothing can be left out. A kind without a test here does not compile: see `every_kind!`. A field that a test does
//! not state does not compile: expected bodies and heads are written as struct literals with every field. A field
//! that is only ever stated as empty, by a literal's `..Default` too, fails the test: `untold` finds it in what was
//! compared, and each that no act can fill is named with the reason.

#![allow(
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "raw system calls")]

#[path = "fields/acting.rs"]
mod acting;
#[path = "fields/control.rs"]
mod control;
#[path = "fields/file.rs"]
mod file;
mod harness;
#[path = "fields/message.rs"]
mod message;
#[path = "fields/name.rs"]
mod name;
#[path = "fields/net.rs"]
mod net;
#[path = "fields/process.rs"]
mod process;
#[path = "fields/system.rs"]
mod system;
#[path = "fields/untold.rs"]
mod untold;

use acting::Told;
use sentinel_event::Kind;
use untold::untold;

/// One test for each kind, named like it. Of a kind that has none `match` tells the compiler.
macro_rules! every_kind {
    ($($test:ident: $Kind:ident by $family:ident::$act:ident,)*) => {
        $(#[test]
        fn $test() {
            is_told(Kind::$Kind, $family::$act);
        })*

        const _: fn(Kind) = |kind| match kind {
            $(Kind::$Kind => (),)*
            // Counted by the agent, not sent by the kernel.
            Kind::Loss => (),
        };
    };
}

every_kind! {
    every_field_of_exec: Exec by process::exec,
    every_field_of_fork: Fork by process::fork,
    every_field_of_exit: Exit by process::exit,
    every_field_of_file_open: FileOpen by file::file_open,
    every_field_of_file_read: FileRead by file::file_read,
    every_field_of_file_write: FileWrite by file::file_write,
    every_field_of_file_close: FileClose by file::file_close,
    every_field_of_file_unlink: FileUnlink by name::file_unlink,
    every_field_of_file_rename: FileRename by name::file_rename,
    every_field_of_connect: Connect by net::connect,
    every_field_of_accept: Accept by net::accept,
    every_field_of_bind: Bind by net::bind,
    every_field_of_listen: Listen by net::listen,
    every_field_of_ptrace: Ptrace by process::ptrace,
    every_field_of_memfd_create: MemfdCreate by file::memfd_create,
    every_field_of_mmap_exec: MmapExec by file::mmap_exec,
    every_field_of_mprotect_exec: MprotectExec by file::mprotect_exec,
    every_field_of_dup: Dup by net::dup,
    every_field_of_socket: Socket by net::socket_made,
    every_field_of_send: Send by message::send,
    every_field_of_recv: Recv by message::recv,
    every_field_of_dns: Dns by message::dns,
    every_field_of_setuid: Setuid by control::setuid,
    every_field_of_capset: Capset by control::capset,
    every_field_of_prctl: Prctl by control::prctl,
    every_field_of_signal: Signal by control::signal,
    every_field_of_file_link: FileLink by name::file_link,
    every_field_of_file_symlink: FileSymlink by name::file_symlink,
    every_field_of_file_mkdir: FileMkdir by name::file_mkdir,
    every_field_of_file_rmdir: FileRmdir by name::file_rmdir,
    every_field_of_file_chmod: FileChmod by file::file_chmod,
    every_field_of_file_chown: FileChown by file::file_chown,
    every_field_of_file_truncate: FileTruncate by file::file_truncate,
    every_field_of_file_mknod: FileMknod by name::file_mknod,
    every_field_of_mount: Mount by system::mount,
    every_field_of_umount: Umount by system::umount,
    every_field_of_chroot: Chroot by system::chroot,
    every_field_of_setns: Setns by system::setns,
    every_field_of_unshare: Unshare by system::unshare,
    every_field_of_bpf: Bpf by control::bpf,
    every_field_of_module_load: ModuleLoad by system::module_load,
    every_field_of_userfaultfd: Userfaultfd by control::userfaultfd,
    every_field_of_io_uring_setup: IoUringSetup by control::io_uring_setup,
    every_field_of_process_vm_write: ProcessVmWrite by control::process_vm_write,
    every_field_of_syscall: Syscall by control::syscall,
}

/// Acts in a thread of its own, so that every run of these tests shares its descriptors in the same way.
fn is_told(kind: Kind, act: fn() -> Told) {
    // What a name is relative to is seen: the root would be no component.
    std::env::set_current_dir("/usr").unwrap();
    let thread = std::thread::Builder::new().name("fields".into()).spawn(act).unwrap();
    let Told { bodies, heads, never } =
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    assert!(bodies.iter().all(|body| body.kind() == kind));
    // A kernel without modules has no such call.
    if bodies.is_empty() {
        assert_eq!(kind, Kind::ModuleLoad);
        return;
    }
    let never: Vec<_> = never.iter().map(|field| format!("{kind:?}.{field}")).collect();
    // What else a name may have led to is what `root_names` is about: here all agree.
    let empty: Vec<_> = untold(&bodies).into_iter().filter(|field| !field.ends_with(".second")).collect();
    assert_eq!(empty, never, "fields that no act of this test fills, and fields known as such");
    if kind == Kind::Exec {
        assert!(untold(&heads).is_empty(), "{:?}", untold(&heads));
    }
}

#[test]
fn what_is_empty_in_all_is_found() {
    #[derive(Debug)]
    #[expect(dead_code, reason = "read by Debug")]
    struct Inner {
        deep: u32,
        text: &'static str,
    }
    #[derive(Debug)]
    #[expect(dead_code, reason = "read by Debug")]
    struct Outer {
        number: u32,
        list: Vec<Inner>,
        some: Option<Inner>,
    }
    #[derive(Debug)]
    #[expect(dead_code, reason = "read by Debug")]
    enum Body {
        A(Outer),
    }
    let inner = |deep, text| Inner { deep, text };
    let empty = || Body::A(Outer { number: 0, list: Vec::new(), some: None });
    assert_eq!(untold(&[empty()]), ["A.list", "A.number", "A.some"]);
    let full =
        Body::A(Outer { number: 1, list: vec![inner(0, ""), inner(2, "")], some: Some(inner(0, "x: {")) });
    assert_eq!(untold(&[empty(), full]), ["A.list.text", "A.some.deep"]);
}
