//! Requests of io_uring: what they do needs no system call of its own.

use std::{
    ffi::CString,
    fs::File,
    io, mem,
    net::Ipv4Addr,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
};

use anyhow::Context as _;
use io_uring::{IoUring, opcode, squeue::Entry, types::Fd};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::{NOT_HERE, first};

/// Opens a file by one request, and reads a little of it by another.
pub(super) fn read(arguments: &[String]) -> anyhow::Result<()> {
    let path = CString::new(first(arguments)?)?;
    let mut ring = ring()?;
    let open = opcode::OpenAt::new(Fd(libc::AT_FDCWD), path.as_ptr()).flags(libc::O_RDONLY | libc::O_CLOEXEC);
    let file = opened(run(&mut ring, &open.build()).context("IORING_OP_OPENAT")?);
    let mut bytes = [0; 16];
    let read = opcode::Read::new(Fd(file.as_raw_fd()), bytes.as_mut_ptr(), 16);
    run(&mut ring, &read.build()).context("IORING_OP_READ")?;
    Ok(())
}

/// Connects to a port of this machine by a request.
pub(super) fn connect(arguments: &[String]) -> anyhow::Result<()> {
    let port: u16 = first(arguments)?.parse()?;
    let address = libc::sockaddr_in {
        sin_family: libc::sa_family_t::try_from(libc::AF_INET)?,
        sin_port: port.to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(Ipv4Addr::LOCALHOST).to_be() },
        sin_zero: [0; 8],
    };
    let length = libc::socklen_t::try_from(mem::size_of_val(&address))?;
    let mut ring = ring()?;
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    let connect = opcode::Connect::new(Fd(socket.as_raw_fd()), (&raw const address).cast(), length);
    run(&mut ring, &connect.build()).context("IORING_OP_CONNECT")?;
    Ok(())
}

fn ring() -> anyhow::Result<IoUring> {
    IoUring::new(2).context(NOT_HERE)
}

/// Has a request carried out and returns its result. What it points at must be there until then.
#[expect(unsafe_code, reason = "requests hold pointers")]
fn run(ring: &mut IoUring, request: &Entry) -> anyhow::Result<i32> {
    // SAFETY: the callers keep what the request points at until this returns; that is after the request's end, or
    // before it was submitted.
    unsafe { ring.submission().push(request)? };
    loop {
        if let Some(ended) = ring.completion().next() {
            let result = ended.result();
            return if result < 0 { Err(io::Error::from_raw_os_error(-result).into()) } else { Ok(result) };
        }
        match ring.submit_and_wait(1) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            submitted => drop(submitted?),
        }
    }
}

/// The file of a descriptor that a request returned.
#[expect(unsafe_code, reason = "requests return bare numbers")]
fn opened(descriptor: i32) -> File {
    // SAFETY: the kernel has just made it for a request; nobody else has it.
    File::from(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
