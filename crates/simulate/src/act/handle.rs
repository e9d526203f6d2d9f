//! A file opened by its handle: by a number that the file system gave, not by a name.

use std::{
    ffi::CString,
    fs::File,
    io::Read as _,
    os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
    path::Path,
};

use anyhow::Context as _;
use nix::errno::Errno;

use super::{NOT_HERE, first};

/// `struct file_handle` with room for the longest (`MAX_HANDLE_SZ`).
#[repr(C)]
struct Handle {
    bytes: u32,
    kind: i32,
    data: [u8; 128],
}

/// Asks for the handle of a file, opens the file by it and reads a little.
#[expect(unsafe_code, reason = "there is no safe wrapper of these calls")]
pub(super) fn read(arguments: &[String]) -> anyhow::Result<()> {
    let path = first(arguments)?;
    let name = CString::new(path)?;
    let mut handle = Handle { bytes: 128, kind: 0, data: [0; 128] };
    let mut mount: libc::c_int = 0;
    // SAFETY: the name ends in NUL; the kernel writes at most `bytes` bytes of `data`, and a number for the mount.
    let named = unsafe {
        libc::syscall(
            libc::SYS_name_to_handle_at,
            libc::AT_FDCWD,
            name.as_ptr(),
            &raw mut handle,
            &raw mut mount,
            0,
        )
    };
    // Not every file system gives handles.
    Errno::result(named).context(NOT_HERE)?;
    // Any file of the same file system tells which one is meant.
    let beside = File::open(Path::new(path).parent().unwrap_or(Path::new("/")))?;
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: the handle is as the kernel filled it.
    let opened =
        unsafe { libc::syscall(libc::SYS_open_by_handle_at, beside.as_raw_fd(), &raw const handle, flags) };
    let descriptor = i32::try_from(Errno::result(opened).context(NOT_HERE)?)?;
    // SAFETY: the kernel has just made it; nobody else has it.
    let mut file = File::from(unsafe { OwnedFd::from_raw_fd(descriptor) });
    let _some = file.read(&mut [0; 16])?;
    Ok(())
}
