//! What is done in a process of its own, so that the process table and the events have it as one.

mod handle;
mod ring;

use std::{
    ffi::CString,
    fs::{self, File},
    io::{self, IoSlice, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    os::{
        fd::AsFd,
        unix::{fs::MetadataExt as _, net::UnixStream},
    },
    path::Path,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use nix::{
    fcntl::{AT_FDCWD, RenameFlags, renameat2},
    sched::{CloneFlags, unshare},
    sys::{
        memfd::{MFdFlags, memfd_create},
        ptrace,
        uio::{RemoteIoVec, process_vm_readv, process_vm_writev},
        wait::waitpid,
    },
    unistd::{Pid, Uid, dup2_stderr, dup2_stdin, dup2_stdout, fexecve, setresuid},
};

use crate::stage::read_some;

/// Longest that a race lasts.
const RACE: Duration = Duration::from_secs(10);

/// What the kernel or file system does not offer, or not to this process: the attack is skipped, not failed.
pub(crate) const NOT_HERE: &str = "not to be had here";

type Act = fn(&[String]) -> anyhow::Result<()>;

const ACTS: &[(&str, Act)] = &[
    ("connect", |arguments| connect(arguments).map(drop)),
    ("shell-on-socket", |arguments| shell_on(connect(arguments)?)),
    ("shell-on-pair", |_| shell_on(UnixStream::pair()?.0)),
    ("read", |arguments| read_some(Path::new(first(arguments)?))),
    ("read-race", read_race),
    ("read-by-handle", handle::read),
    ("read-by-ring", ring::read),
    ("connect-by-ring", ring::connect),
    ("wait", |_| wait()),
    ("victim", |_| victim()),
    ("attach", attach),
    ("write-memory", write_memory),
    ("read-memory", read_memory),
    ("memory-program", memory_program),
    ("nameless-program", nameless_program),
    ("make-executable", |_| make(true)),
    ("make-read-only", |_| make(false)),
    ("user-namespace", |_| Ok(unshare(CloneFlags::CLONE_NEWUSER)?)),
    ("host-name-namespace", |_| Ok(unshare(CloneFlags::CLONE_NEWUTS)?)),
    ("load-module", load_module),
    ("become-root", |_| become_user(0)),
    ("become-nobody", |_| become_user(crate::stage::NOBODY)),
];

/// Does it.
pub(crate) fn act(name: &str, arguments: &[String]) -> anyhow::Result<()> {
    match ACTS.iter().find(|(known, _)| *known == name) {
        Some((_, act)) => act(arguments),
        None => bail!("no act is called {name:?}"),
    }
}

fn first(arguments: &[String]) -> anyhow::Result<&str> {
    arguments.first().map(String::as_str).context("the act needs an argument")
}

fn connect(arguments: &[String]) -> anyhow::Result<TcpStream> {
    Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, first(arguments)?.parse()?))?)
}

/// `LINK OTHER FILE`: opens LINK, which a thread exchanges for OTHER all the time, until FILE is what was opened.
fn read_race(arguments: &[String]) -> anyhow::Result<()> {
    let [link, other, file] = arguments else { bail!("the act needs two links and a file") };
    let wanted = fs::metadata(file)?.ino();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let exchange = || -> nix::Result<()> {
            while !over.load(Ordering::Relaxed) {
                let (link, other) = (link.as_str(), other.as_str());
                renameat2(AT_FDCWD, link, AT_FDCWD, other, RenameFlags::RENAME_EXCHANGE)?;
            }
            Ok(())
        };
        let exchanging = scope.spawn(exchange);
        let started = Instant::now();
        let found = loop {
            match File::open(link).and_then(|file| Ok(file.metadata()?.ino())) {
                Ok(ino) if ino == wanted => break Ok(()),
                Err(error) => break Err(error.into()),
                Ok(_) if exchanging.is_finished() || started.elapsed() > RACE => {
                    break Err(anyhow::anyhow!("{file} was never what was opened"));
                }
                Ok(_) => {}
            }
        };
        over.store(true, Ordering::Relaxed);
        match exchanging.join() {
            Ok(exchanged) => found.and(exchanged.map_err(Into::into)),
            Err(_) => bail!("the thread panicked"),
        }
    })
}

/// A shell whose standard streams are `stream`; it ends at once.
fn shell_on(stream: impl AsFd) -> anyhow::Result<()> {
    dup2_stdin(&stream)?;
    dup2_stdout(&stream)?;
    dup2_stderr(&stream)?;
    // The streams are inherited: nothing here dups them again.
    let status = Command::new("/bin/sh").args(["-c", "exit 0"]).status()?;
    if status.success() { Ok(()) } else { bail!("the shell failed: {status}") }
}

/// Stays until its input ends.
fn wait() -> anyhow::Result<()> {
    println!("ready");
    io::stdin().lock().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Memory that another process is given the address of.
fn victim() -> anyhow::Result<()> {
    let memory = Box::new([0u8; 16]);
    println!("{:p}", memory.as_ptr());
    io::stdout().flush()?;
    io::stdin().lock().read_to_end(&mut Vec::new())?;
    drop(memory);
    Ok(())
}

fn attach(arguments: &[String]) -> anyhow::Result<()> {
    let pid = Pid::from_raw(first(arguments)?.parse()?);
    ptrace::attach(pid)?;
    waitpid(pid, None)?;
    Ok(ptrace::detach(pid, None)?)
}

/// Process and address: `PID 0x…`.
fn place(arguments: &[String]) -> anyhow::Result<(Pid, usize)> {
    let address =
        arguments.get(1).and_then(|text| text.strip_prefix("0x")).context("the act needs an address")?;
    Ok((Pid::from_raw(first(arguments)?.parse()?), usize::from_str_radix(address, 16)?))
}

fn write_memory(arguments: &[String]) -> anyhow::Result<()> {
    let (pid, base) = place(arguments)?;
    let bytes = *b"sentinel";
    process_vm_writev(pid, &[IoSlice::new(&bytes)], &[RemoteIoVec { base, len: bytes.len() }])?;
    Ok(())
}

fn read_memory(arguments: &[String]) -> anyhow::Result<()> {
    let (pid, base) = place(arguments)?;
    let mut bytes = [0; 8];
    let len = bytes.len();
    process_vm_readv(pid, &mut [io::IoSliceMut::new(&mut bytes)], &[RemoteIoVec { base, len }])?;
    Ok(())
}

/// Starts a copy of a program that is in memory only.
fn memory_program(arguments: &[String]) -> anyhow::Result<()> {
    let memory = memfd_create(c"sentinel-simulate", MFdFlags::empty())?;
    let mut memory = File::from(memory);
    memory.write_all(&fs::read(first(arguments)?)?)?;
    start(&memory)
}

/// Starts a program whose file has been removed.
fn nameless_program(arguments: &[String]) -> anyhow::Result<()> {
    let path = first(arguments)?;
    let file = File::open(path)?;
    fs::remove_file(path)?;
    start(&file)
}

fn start(file: &File) -> anyhow::Result<()> {
    let (name, none): (CString, [CString; 0]) = (CString::new("true")?, []);
    match fexecve(file, &[name], &none)? {}
}

/// Changes the protection of memory that was writable.
fn make(executable: bool) -> anyhow::Result<()> {
    let mut memory = memmap2::MmapMut::map_anon(4096)?;
    memory.fill(0xc3); // ret, on x86; never run
    let _changed = if executable { memory.make_exec()? } else { memory.make_read_only()? };
    Ok(())
}

/// Hands the kernel a file that is no module; it refuses.
fn load_module(arguments: &[String]) -> anyhow::Result<()> {
    let file = File::open(first(arguments)?)?;
    match nix::kmod::finit_module(&file, c"", nix::kmod::ModuleInitFlags::empty()) {
        Ok(()) => bail!("the kernel took a file of text for a module"),
        Err(_) => Ok(()),
    }
}

/// Becomes a user by a call. Who logged in is set first where that is still open, since daemons do the same.
fn become_user(id: u32) -> anyhow::Result<()> {
    let _ = fs::write("/proc/self/loginuid", "1000");
    let user = Uid::from_raw(id);
    Ok(setresuid(user, user, user)?)
}
