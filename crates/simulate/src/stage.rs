//! What attacks are made with. Whatever is made here is undone by the guard.

use std::{
    cell::RefCell,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener},
    os::unix::{
        fs::{OpenOptionsExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use crate::{
    act::NOT_HERE,
    attack::Missing,
    guard::{Guard, MARK},
};

/// Longest that one process of an attack takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Nobody's user and group id.
pub(crate) const NOBODY: u32 = 65534;

/// An attack's surroundings.
#[derive(Debug)]
pub(crate) struct Stage {
    guard: Guard,
    program: PathBuf,
    directory: PathBuf,
    made: RefCell<Vec<PathBuf>>,
}

impl Stage {
    /// Makes a directory of its own, where none of the rules looks.
    pub(crate) fn new(keep: bool) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program's own file")?;
        let guard = Guard::start(&program)?;
        if keep {
            guard.keep()?;
        }
        let base = if is_root() { PathBuf::from("/var/lib") } else { std::env::temp_dir() };
        let directory = base.join(format!("{MARK}.{}", std::process::id()));
        let stage = Self { guard, program, directory, made: RefCell::default() };
        stage.announce(&stage.directory)?;
        fs::create_dir(&stage.directory).with_context(|| stage.directory.display().to_string())?;
        fs::set_permissions(&stage.directory, fs::Permissions::from_mode(0o755))?;
        Ok(stage)
    }

    /// Has everything undone. Returns what was made.
    pub(crate) fn strike(self) -> anyhow::Result<Vec<PathBuf>> {
        self.guard.finish()?;
        Ok(self.made.into_inner())
    }

    /// A path in the own directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A name that nobody else uses, for a file outside of the own directory.
    pub(crate) fn name(&self) -> String {
        format!("{MARK}.{}", std::process::id())
    }

    /// Says that `path` is about to be made, so that it will be removed.
    pub(crate) fn announce(&self, path: &Path) -> anyhow::Result<()> {
        self.guard.remove(path)?;
        self.made.borrow_mut().push(path.to_owned());
        Ok(())
    }

    /// Makes a file that was not there, and its directory where that is missing.
    pub(crate) fn file(&self, path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
        if fs::symlink_metadata(path).is_ok() {
            bail!(Missing(format!("{} is already there", path.display())));
        }
        self.directory(path.parent().context("a file in no directory")?)?;
        self.announce(path)?;
        let mut options = OpenOptions::new();
        let opened = options.write(true).create_new(true).mode(mode).open(path);
        let mut file = opened.with_context(|| path.display().to_string())?;
        file.write_all(text.as_bytes()).with_context(|| path.display().to_string())
    }

    /// Makes a directory and those above it that are not there.
    pub(crate) fn directory(&self, path: &Path) -> anyhow::Result<()> {
        let missing: Vec<_> = path.ancestors().take_while(|above| !above.exists()).collect();
        missing.iter().rev().try_for_each(|above| self.announce(above))?;
        fs::create_dir_all(path).with_context(|| path.display().to_string())
    }

    /// A copy of a program. Undone with the directory that it is in, or by itself.
    pub(crate) fn copy(&self, from: &Path, to: &Path) -> anyhow::Result<()> {
        self.announce(to)?;
        fs::copy(from, to).with_context(|| format!("{} to {}", from.display(), to.display()))?;
        Ok(fs::set_permissions(to, fs::Permissions::from_mode(0o755))?)
    }

    /// One of this program's own acts, in a process of its own.
    pub(crate) fn act(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["act", name]);
        command
    }

    /// The same for a user who may not reach this program's file: from a copy that everybody may start.
    pub(crate) fn act_of_nobody(&self, name: &str) -> anyhow::Result<Command> {
        let copy = self.path(MARK);
        if !copy.exists() {
            self.copy(&self.program, &copy)?;
        }
        let mut command = Command::new(copy);
        command.args(["act", name]);
        self.as_nobody(&mut command)?;
        Ok(command)
    }

    /// The same from a copy that has this path.
    pub(crate) fn act_from(&self, copy: &Path, name: &str) -> anyhow::Result<Command> {
        self.directory(copy.parent().context("a file in no directory")?)?;
        self.copy(&self.program, copy)?;
        let mut command = Command::new(copy);
        command.args(["act", name]);
        Ok(command)
    }

    /// The same from a copy that is called and placed like a program which may make an io_uring: that it has one is
    /// not what is to be noticed.
    pub(crate) fn act_of_ring_user(&self, name: &str) -> anyhow::Result<Command> {
        if fs::read_to_string("/proc/sys/kernel/io_uring_disabled").is_ok_and(|mode| mode.trim() == "2") {
            bail!(Missing("io_uring is switched off".to_owned()));
        }
        self.act_from(&Path::new("/opt").join(self.name()).join("nginx"), name)
    }

    /// Has a command run by a user who is not root.
    pub(crate) fn as_nobody(&self, command: &mut Command) -> anyhow::Result<()> {
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.current_dir("/");
        Ok(())
    }

    /// Starts a command; it is ended with the attack at the latest.
    pub(crate) fn start(&self, command: &mut Command) -> anyhow::Result<Child> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.spawn().with_context(|| name)?;
        self.guard.kill(child.id())?;
        Ok(child)
    }

    /// Runs a command that may end as it likes. Its output is thrown away.
    pub(crate) fn run(&self, command: &mut Command) -> anyhow::Result<()> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = self.start(command)?;
        self.wait(child).map(drop)
    }

    /// Runs a command that must succeed.
    pub(crate) fn must(&self, command: &mut Command) -> anyhow::Result<()> {
        let name = format!("{command:?}");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = self.start(command)?;
        let mut complaint = child.stderr.take();
        if !self.wait(child)? {
            let mut text = String::new();
            if let Some(pipe) = &mut complaint {
                let _ = pipe.take(4096).read_to_string(&mut text);
            }
            if text.contains(NOT_HERE) {
                bail!(Missing(text.trim().to_owned()));
            }
            bail!("{name} failed: {}", text.trim());
        }
        Ok(())
    }

    /// Waits for a child; whether it succeeded.
    pub(crate) fn wait(&self, mut child: Child) -> anyhow::Result<bool> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = child.try_wait()? {
                self.guard.ended(child.id())?;
                return Ok(status.success());
            }
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                bail!("a process of the attack was still there after {PATIENCE:?}");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Listens on the loopback address; what connects is let go at once. Port 0: any.
    pub(crate) fn listen(&self, port: u16) -> anyhow::Result<u16> {
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                bail!(Missing(format!("port {port} is in use")));
            }
            listener => listener.with_context(|| format!("listening on port {port}"))?,
        };
        let port = listener.local_addr()?.port();
        thread::spawn(move || listener.incoming().for_each(drop));
        Ok(port)
    }

    /// A program of this machine, found in the usual directories.
    pub(crate) fn tool(&self, name: &str) -> anyhow::Result<PathBuf> {
        let usual = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/run/current-system/sw/bin"];
        let path = std::env::var("PATH").unwrap_or_default();
        let places = usual.into_iter().chain(path.split(':')).map(|place| Path::new(place).join(name));
        places.into_iter().find(|path| path.is_file()).ok_or_else(|| Missing(format!("needs {name}")).into())
    }
}

/// Whether this process may do everything.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Skips an attack that only root can make.
pub(crate) fn needs_root() -> anyhow::Result<()> {
    if is_root() { Ok(()) } else { bail!(Missing("needs root".to_owned())) }
}

/// Opens a file for reading and reads a little.
pub(crate) fn read_some(path: &Path) -> anyhow::Result<()> {
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    file.read(&mut [0; 16]).with_context(|| path.display().to_string())?;
    Ok(())
}
