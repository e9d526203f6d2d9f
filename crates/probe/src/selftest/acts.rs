//! Harmless acts: what is bound to fail, what changes nothing, and what concerns nobody but ourselves.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::linux::net::SocketAddrExt as _,
    os::unix::{
        fs::{OpenOptionsExt as _, PermissionsExt as _},
        net::{SocketAddr, UnixDatagram, UnixListener, UnixStream},
    },
    process::{Command, Stdio},
};

use nix::{
    errno::Errno,
    kmod::{ModuleInitFlags, finit_module},
    libc,
    mount::MsFlags,
    sched::CloneFlags,
    sys::{memfd as memory, ptrace, sendfile, signal as signals, stat, uio},
    unistd::{self, Pid, Uid},
};
use rustix::thread as threads;

use crate::filter::CANARY_MODE;

/// A name that does not exist and cannot be made.
const NOWHERE: &str = "/proc/self/sentinel-self-test";
/// Bytes that [`send_file`] copies.
pub(super) const SENT: usize = 3;

/// Runs some program that does nothing.
pub(super) fn run() -> io::Result<()> {
    let quiet = |program: &str, argument: Option<&str>| {
        let mut command = Command::new(program);
        command.args(argument).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().map(drop)
    };
    quiet("/bin/true", None)
        .or_else(|_| quiet("/run/current-system/sw/bin/true", None))
        .or_else(|_| quiet("/proc/self/exe", Some("--version")))
}

pub(super) fn run_nothing() -> io::Result<()> {
    match Command::new(NOWHERE).stdin(Stdio::null()).spawn() {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

pub(super) fn read_zero() -> io::Result<()> {
    File::open("/dev/zero")?.read_exact(&mut [0; 1])
}

/// A device that takes everything and is nobody's output, as /dev/null may be ours: what goes there is left out then.
fn zero() -> io::Result<File> {
    fs::OpenOptions::new().write(true).open("/dev/zero")
}

pub(super) fn write_zero() -> io::Result<()> {
    zero()?.write_all(b".")
}

/// With a mode that passes whatever opens matter; the C library hands it on only where a file might be created.
pub(super) fn open_null() -> io::Result<()> {
    fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(CANARY_MODE)
        .open("/dev/null")
        .map(drop)
}

/// Of three calls the close tells two, whoever wants to hear of the close itself.
pub(super) fn use_thrice() -> io::Result<()> {
    let (mut from, mut to) = (File::open("/dev/zero")?, zero()?);
    for _ in 0..3 {
        from.read_exact(&mut [0; 1])?;
        to.write_all(b".")?;
    }
    Ok(())
}

pub(super) fn unlink() -> io::Result<()> {
    match fs::remove_file(NOWHERE) {
        Ok(()) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

pub(super) fn rename() -> io::Result<()> {
    match fs::rename(NOWHERE, NOWHERE) {
        Ok(()) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

/// A connection to ourselves, by an abstract unix socket: no file, no network.
pub(super) fn talk() -> io::Result<()> {
    let name = format!("sentinel-self-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name)?;
    let listener = UnixListener::bind_addr(&address)?;
    let _client = UnixStream::connect_addr(&address)?;
    listener.accept().map(drop)
}

pub(super) fn trace_nobody() -> io::Result<()> {
    match ptrace::attach(Pid::from_raw(i32::MAX)) {
        Ok(()) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

pub(super) fn memfd() -> io::Result<()> {
    memory::memfd_create("sentinel-self-test", memory::MFdFlags::MFD_CLOEXEC)?;
    Ok(())
}

pub(super) fn protect() -> io::Result<()> {
    memmap2::MmapMut::map_anon(1)?.make_exec().map(drop)
}

pub(super) fn duplicate() -> io::Result<()> {
    File::open("/dev/null")?.try_clone().map(drop)
}

/// A datagram to ourselves, by an abstract unix socket.
pub(super) fn post() -> io::Result<()> {
    let name = format!("sentinel-self-test-post-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name)?;
    let server = UnixDatagram::bind_addr(&address)?;
    UnixDatagram::unbound()?.send_to_addr(b".", &address)?;
    server.recv_from(&mut [0; 1]).map(drop)
}

/// This thread takes the name that it has. What another thread does is not taken for our act.
pub(super) fn name_thread() -> io::Result<()> {
    Ok(threads::set_name(&threads::name()?)?)
}

/// What was bound to fail has failed.
fn refused<T>(result: io::Result<T>) -> io::Result<()> {
    match result {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

pub(super) fn link() -> io::Result<()> {
    refused(fs::hard_link(NOWHERE, NOWHERE))
}

pub(super) fn symlink() -> io::Result<()> {
    refused(std::os::unix::fs::symlink(NOWHERE, NOWHERE))
}

pub(super) fn mkdir() -> io::Result<()> {
    refused(fs::create_dir(NOWHERE))
}

pub(super) fn chmod() -> io::Result<()> {
    refused(fs::set_permissions(NOWHERE, fs::Permissions::from_mode(0o600)))
}

pub(super) fn chown() -> io::Result<()> {
    refused(std::os::unix::fs::chown(NOWHERE, None, None))
}

pub(super) fn chroot() -> io::Result<()> {
    refused(std::os::unix::fs::chroot(NOWHERE))
}

pub(super) fn umount() -> io::Result<()> {
    refused(nix::mount::umount(NOWHERE).map_err(io::Error::from))
}

pub(super) fn mount() -> io::Result<()> {
    refused(
        nix::mount::mount(Some(NOWHERE), NOWHERE, None::<&str>, MsFlags::MS_BIND, None::<&str>)
            .map_err(io::Error::from),
    )
}

pub(super) fn mknod() -> io::Result<()> {
    refused(stat::mknod(NOWHERE, stat::SFlag::S_IFREG, stat::Mode::S_IRUSR, 0).map_err(io::Error::from))
}

/// A descriptor that may only read.
pub(super) fn truncate() -> io::Result<()> {
    refused(File::open("/dev/null")?.set_len(0))
}

pub(super) fn send_file() -> io::Result<()> {
    let from = File::open("/proc/self/exe")?;
    // Before 6.7 /dev/zero takes no pages.
    let sent = sendfile::sendfile64(zero()?, &from, None, SENT).or_else(|_| {
        let null = fs::OpenOptions::new().write(true).open("/dev/null").map_err(|_| Errno::EINVAL)?;
        sendfile::sendfile64(null, &from, None, SENT)
    });
    sent.map(drop).map_err(io::Error::from)
}

/// No user has this number: it only asks.
pub(super) fn setfsuid() -> io::Result<()> {
    // It answers with what was before, and cannot say that a seccomp profile did not let it through.
    let asked = unistd::setfsuid(Uid::from_raw(u32::MAX)) == unistd::geteuid();
    if asked { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// What this thread may do already.
pub(super) fn capset() -> io::Result<()> {
    let own = threads::capabilities(None)?;
    Ok(threads::set_capabilities(None, own)?)
}

/// No signal, to ourselves.
pub(super) fn signal() -> io::Result<()> {
    Ok(signals::kill(Pid::this(), None)?)
}

/// Not a namespace.
pub(super) fn setns() -> io::Result<()> {
    refused(nix::sched::setns(File::open("/dev/null")?, CloneFlags::empty()).map_err(io::Error::from))
}

/// Of nothing.
pub(super) fn unshare() -> io::Result<()> {
    Ok(nix::sched::unshare(CloneFlags::empty())?)
}

/// A map with room for nothing.
pub(super) fn bpf() -> io::Result<()> {
    let options = libbpf_rs::libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_rs::libbpf_sys::bpf_map_create_opts>() as libbpf_rs::libbpf_sys::size_t,
        ..Default::default()
    };
    match libbpf_rs::MapHandle::create(libbpf_rs::MapType::Array, Some("self_test"), 4, 4, 0, &options) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => Ok(()),
    }
}

/// A descriptor from which nothing can be read.
pub(super) fn module() -> io::Result<()> {
    let file = fs::OpenOptions::new().read(true).custom_flags(libc::O_PATH).open("/dev/null")?;
    refused(finit_module(file, c"", ModuleInitFlags::empty()).map_err(io::Error::from))
}

/// To nobody.
pub(super) fn write_memory() -> io::Result<()> {
    let nobody = Pid::from_raw(i32::MAX);
    refused(
        uio::process_vm_writev(nobody, &[io::IoSlice::new(b".")], &[uio::RemoteIoVec { base: 0, len: 1 }])
            .map_err(io::Error::from),
    )
}
